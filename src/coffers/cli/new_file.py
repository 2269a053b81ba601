"""A file that a command writes: for its owner alone, and there whole or not at all."""

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Never

from coffers.errors import CoffersError, UsageError


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Lend a file that gets its name once the block has ended; until then it is one beside it.

    Whatever ends the block early leaves nothing, SIGTERM included.

    Raises:
        UsageError: when there is such a file.
        CoffersError: when it cannot be written.
    """
    _check_free(path)
    # In a container each process has the same number, and one that was killed leaves its file.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    before = signal.signal(signal.SIGTERM, _end)
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            # Writing may take minutes, and another one may have begun and ended meanwhile.
            _name(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise CoffersError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _name(beside: Path, path: Path) -> None:
    """Give a file its name, which nobody has.

    Raises:
        UsageError: when somebody has.
    """
    try:
        # Unlike a new name, a second one takes no file's place, whenever that came.
        path.hardlink_to(beside)
    except FileExistsError:
        _check_free(path)
        raise
    except OSError:
        # No file has two names on this file system.
        _check_free(path)
        beside.rename(path)


def _check_free(path: Path) -> None:
    if os.path.lexists(path):
        raise UsageError(f"{path} exists already; nothing is overwritten")


def _end(number: int, _frame: FrameType | None) -> Never:
    raise SystemExit(128 + number)
