"""The files in which the processes of a server count together.

The library keeps those of a process that has ended, since what it counted stays in the sums. They
lie in memory: those of a process that dies again and again would fill it, and whoever counts then
dies of that. Here they are added to one file of all that have ended, while nobody reads.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_LOCK: Final = "lock"
_ENDED: Final = "ended"


def shared_directory() -> Path | None:
    """Return where the processes of this server count together, None where there is one alone."""
    directory = os.environ.get(_VARIABLE)
    return None if directory is None else Path(directory)


def told_by_all(directory: Path) -> bytes:
    """Return what all processes counted, in the text format of Prometheus."""
    shared = CollectorRegistry()
    MultiProcessCollector(shared, str(directory))  # type: ignore[no-untyped-call]  # no types here
    with _locked(directory, fcntl.LOCK_SH):
        return generate_latest(shared)


def take_over(directory: Path, pid: int) -> None:
    """Keep what a process counted that has ended, and none of what it had open."""
    mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]  # as above
    with _locked(directory, fcntl.LOCK_EX):
        for path in directory.glob(f"*_{pid}.db"):
            # One that was killed as it made the file left it empty.
            if path.stat().st_size:
                _add(path, path.with_name(path.name.replace(f"_{pid}.", f"_{_ENDED}.")))
            path.unlink()


def _add(path: Path, target: Path) -> None:
    is_latest = path.name.startswith("gauge_")
    kept = MmapedDict(str(target))  # type: ignore[no-untyped-call]  # as above
    try:
        for key, value, at, _ in MmapedDict.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]  # as above
            before, kept_at = kept.read_value(key)  # type: ignore[no-untyped-call]  # as above
            if not is_latest:
                kept.write_value(key, before + value, at)  # type: ignore[no-untyped-call]  # as above
            elif at >= kept_at:
                kept.write_value(key, value, at)  # type: ignore[no-untyped-call]  # as above
    finally:
        kept.close()  # type: ignore[no-untyped-call]  # as above


@contextmanager
def _locked(directory: Path, how: int) -> Iterator[None]:
    with (directory / _LOCK).open("ab") as file:
        fcntl.flock(file, how)
        yield
