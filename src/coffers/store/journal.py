"""Whether anybody wrote to a SQLite file, told by the index of its journal.

Every process that has the file open maps that index, and every commit changes its head
(sqlite.org/walformat.html, section 2.1). To look there takes a tenth of asking SQLite.
"""

import os
from pathlib import Path

_HEAD_BYTES = 48
"""The first copy of the head, which a commit writes last; the second follows."""

_OPENED: dict[tuple[int, int], int] = {}
"""Descriptors of indexes by device and inode.

None is ever closed: with any descriptor of a file that a process closes, it loses every lock that
it holds on that file (POSIX), and SQLite's are what keeps others from making the index anew.
"""


class JournalIndex:
    """The index of a SQLite file's journal, for as long as this process has the file open."""

    def __init__(self, database: Path) -> None:
        self._descriptor = _opened(database.with_name(f"{database.name}-shm"))

    def head(self) -> bytes:
        """Return what differs after every commit; nothing where there is no such index."""
        if self._descriptor is None:
            return b""
        return os.pread(self._descriptor, _HEAD_BYTES, 0)


def _opened(path: Path) -> int | None:
    try:
        found = path.stat()
    except OSError:
        return None
    key = found.st_dev, found.st_ino
    if key not in _OPENED:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        # Whatever the path has come to name meanwhile.
        own = os.fstat(descriptor)
        _OPENED[own.st_dev, own.st_ino] = descriptor
        return descriptor
    return _OPENED[key]
