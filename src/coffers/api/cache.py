"""A cache bounded in bytes: what was used longest ago is forgotten first."""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

OVERHEAD: Final = 512
"""Bytes that an entry takes besides what it holds: its key, its objects, its place."""


class ByteCache(Generic[K, V]):
    """Holds entries of at most `budget` bytes together; each tells its size when it is put."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._used = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return the entry, None where there is none (any more)."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Set or replace an entry of so many bytes; one above the whole budget is not kept."""
        self._forget(key)
        size += OVERHEAD
        if size > self._budget:
            return
        self._entries[key] = (value, size)
        self._used += size
        while self._used > self._budget:
            _, (_, freed) = self._entries.popitem(last=False)
            self._used -= freed

    @property
    def used(self) -> int:
        """The bytes that are taken."""
        return self._used

    def __len__(self) -> int:
        return len(self._entries)

    def _forget(self, key: K) -> None:
        found = self._entries.pop(key, None)
        if found is not None:
            self._used -= found[1]
