"""Looks through the history of an address, the newest first, over as many readings as it takes."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from coffers.clock import Millis
from coffers.connectors.chain.answers import odd_answer

_T = TypeVar("_T")


class Trail(msgspec.Struct):
    """How far a history was looked through; changed while one looks.

    All since the moment `since` up to the height `high` is done. From `top` downwards one has come
    to `cursor`, which means something to the chain alone.
    """

    since: int | None = None
    high: int | None = None
    top: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Entry(Generic[_T]):
    """Something of a history: in which block (or whatever counts up) and when it was."""

    height: int
    at: Millis
    what: _T


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """A part of a history, the newest first. `cursor` leads to the next, None at its end.

    `is_cut` says that the history goes on where the node's knowledge ends.
    """

    entries: Sequence[Entry[_T]]
    cursor: str | None
    is_cut: bool = False


def cut_between_blocks(entries: Sequence[Entry[_T]], most: int) -> Page[_T]:
    """Return entries as a page whose cursor is a height, cut between blocks and never within one.

    A node tells `most` of them at once: where it told so many, others of the lowest block may be
    missing, and the next page begins with all of that.

    Raises:
        ConnectorFailure: when they are not in order, or are all of one block.
    """
    if any(old.height < new.height for old, new in itertools.pairwise(entries)):
        raise odd_answer("a history")
    if len(entries) < most:
        return Page(entries, None)
    lowest = entries[-1].height
    whole = [entry for entry in entries if entry.height > lowest]
    if not whole:
        raise odd_answer("a block with so much for one wallet")
    return Page(whole, str(lowest))


@dataclass(frozen=True, slots=True)
class Walk(Generic[_T]):
    """Looks through one history.

    Args:
        page: asks for the page at a cursor, None for the newest.
        take: works on entries that are new, before the walk goes on; may see one twice.
        is_late: whether to stop after this page.
        overlap: heights below the finished ones that are looked at again, as nodes may have told
            of the newest too late.
    """

    page: Callable[[str | None], Awaitable[Page[_T]]]
    take: Callable[[Sequence[Entry[_T]]], Awaitable[None]]
    is_late: Callable[[], bool]
    overlap: int = 0

    @staticmethod
    def shown(entries: Sequence[Entry[_T]], done: int | None) -> list[_T]:
        """Return what of these is not above `done`, where the trail was before this reading.

        The balances of an earlier reading had it already, and it is told late.
        """
        return [each.what for each in entries if done is not None and each.height <= done]

    async def down(self, trail: Trail, since: Millis, top: int) -> bool:
        """Go from the height `top` down to what is done; return whether all since then is done.

        Raises:
            ConnectorFailure: as the page's; the trail then leads to where the walk stopped.
        """
        if trail.since is None or since < trail.since:
            trail.since, trail.high, trail.top, trail.cursor = since, None, None, None
        if trail.top is not None and not await self._finish(trail):
            return False
        trail.top = top
        return await self._finish(trail)

    async def _finish(self, trail: Trail) -> bool:
        while True:
            page = await self.page(trail.cursor)
            fresh = [entry for entry in page.entries if self._is_new(entry, trail)]
            await self.take([entry for entry in fresh if entry.height <= (trail.top or 0)])
            is_end = len(fresh) < len(page.entries) or page.cursor is None
            if is_end:
                return self._end(trail, is_cut=page.is_cut and len(fresh) == len(page.entries))
            trail.cursor = page.cursor
            if self.is_late():
                return False

    def _is_new(self, entry: Entry[_T], trail: Trail) -> bool:
        is_done = trail.high is not None and entry.height <= trail.high - self.overlap
        return not is_done and entry.at >= (trail.since or 0)

    def _end(self, trail: Trail, *, is_cut: bool) -> bool:
        if not is_cut:
            trail.high = trail.top
        trail.top = trail.cursor = None
        return not is_cut
