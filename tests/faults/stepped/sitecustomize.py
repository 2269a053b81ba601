"""Loaded by the interpreter at its start where this directory is on its path: a clock to be set.

The wall clock of the process, and of those that it starts, is ahead of the machine's by as many
nanoseconds as the file says that `STEPPED_CLOCK` names. What counts spans of time is not touched,
as it is not when a machine's clock is set.
"""

import datetime as dt
import mmap
import os
import time
from pathlib import Path


def _step(file: Path) -> None:
    with file.open("rb") as opened:
        ahead = mmap.mmap(opened.fileno(), 8, access=mmap.ACCESS_READ)
    machine_ns = time.time_ns

    def time_ns() -> int:
        return machine_ns() + int.from_bytes(ahead[:8], "little", signed=True)

    def seconds() -> float:
        return time_ns() / 1e9

    time.time_ns, time.time = time_ns, seconds
    real = dt.datetime

    class _Kind(type):
        def __instancecheck__(cls, thing: object) -> bool:
            return isinstance(thing, real)

        def __subclasscheck__(cls, kind: type) -> bool:
            return issubclass(kind, real)

    class _Datetime(real, metaclass=_Kind):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
            return real.fromtimestamp(seconds(), tz)

    dt.datetime = _Datetime  # type: ignore[misc]


_named = os.environ.get("STEPPED_CLOCK")
if _named:
    _step(Path(_named))
