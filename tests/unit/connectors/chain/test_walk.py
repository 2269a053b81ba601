"""A history that is looked through in pieces: nothing is left out, little is seen twice."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.clock import Millis
from coffers.connectors.chain.walk import Entry, Page, Trail, Walk


@dataclass
class History:
    """Entries by height, each at ten times its height, told in pages of two."""

    heights: list[int]
    is_cut: bool = False
    seen: list[int] = field(default_factory=list)
    asked: int = 0
    patience: int = 1000

    async def page(self, cursor: str | None) -> Page[int]:
        self.asked += 1
        rest = [each for each in sorted(self.heights, reverse=True) if self._is_after(each, cursor)]
        entries = [Entry(each, Millis(each * 10), each) for each in rest[:2]]
        is_more = len(rest) > len(entries)
        return Page(entries, str(rest[1]) if is_more else None, self.is_cut and not is_more)

    async def take(self, entries: Sequence[Entry[int]]) -> None:
        self.seen += [entry.what for entry in entries]

    def is_late(self) -> bool:
        self.patience -= 1
        return self.patience < 0

    def walk(self, overlap: int = 0) -> Walk[int]:
        return Walk(self.page, self.take, self.is_late, overlap)

    def _is_after(self, height: int, cursor: str | None) -> bool:
        return cursor is None or height < int(cursor)


async def test_all_since_a_moment_is_seen_and_nothing_older() -> None:
    history = History([1, 2, 3, 4, 5, 6, 7])
    assert await history.walk().down(Trail(), Millis(30), 7)
    assert sorted(history.seen) == [3, 4, 5, 6, 7]


async def test_what_is_above_the_top_waits_for_the_next_time() -> None:
    history, trail = History([1, 2, 3, 4]), Trail()
    assert await history.walk().down(trail, Millis(0), 2)
    assert sorted(history.seen) == [1, 2]
    assert await history.walk().down(trail, Millis(0), 4)
    assert sorted(history.seen) == [1, 2, 3, 4]


async def test_a_finished_history_costs_one_page() -> None:
    history, trail = History(list(range(1, 21))), Trail()
    await history.walk().down(trail, Millis(0), 20)
    history.asked, history.seen = 0, []
    history.heights.append(21)
    assert await history.walk().down(trail, Millis(50), 21)
    assert (history.asked, history.seen) == (1, [21])


async def test_an_overlap_is_seen_again() -> None:
    history, trail = History([1, 5, 8]), Trail()
    await history.walk(3).down(trail, Millis(0), 9)
    history.heights.append(7)  # told late
    history.seen = []
    await history.walk(3).down(trail, Millis(0), 12)
    assert sorted(history.seen) == [7, 8]


async def test_an_earlier_moment_begins_anew() -> None:
    history, trail = History([1, 2, 3, 4]), Trail()
    await history.walk().down(trail, Millis(30), 4)
    history.seen = []
    assert await history.walk().down(trail, Millis(10), 4)
    assert sorted(history.seen) == [1, 2, 3, 4]


async def test_a_history_that_the_node_cut_is_not_whole_until_it_need_not_be() -> None:
    history, trail = History([5, 6], is_cut=True), Trail()
    assert not await history.walk().down(trail, Millis(0), 6)
    assert trail == Trail(since=0)
    assert await history.walk().down(Trail(), Millis(55), 6)


async def test_a_page_that_fails_leaves_the_way_to_where_one_was() -> None:
    history, trail = History([1, 2, 3, 4, 5, 6]), Trail()
    good = history.page

    async def bad(cursor: str | None) -> Page[int]:
        if history.asked == 2:
            raise TimeoutError
        return await good(cursor)

    with pytest.raises(TimeoutError):
        await Walk(bad, history.take, history.is_late).down(trail, Millis(0), 6)
    assert await history.walk().down(trail, Millis(0), 6)
    assert sorted(history.seen) == [1, 2, 3, 4, 5, 6]


@given(
    st.sets(st.integers(1, 60), max_size=30),
    st.lists(st.sets(st.integers(61, 99), max_size=4), max_size=5),
    st.integers(0, 3),
    st.integers(0, 300),
)
async def test_over_any_number_of_readings_every_entry_is_seen(
    heights: set[int], later: list[set[int]], patience: int, since: int
) -> None:
    history, trail, top = History(sorted(heights)), Trail(), 60
    is_whole = False
    for more in [*later, *[set[int]()] * 40]:
        above = {each for each in more if each > top}
        history.heights = sorted({*history.heights, *above})
        top = max([top, *above])
        history.patience = patience
        is_whole = await history.walk().down(trail, Millis(since), top)
    assert is_whole
    assert set(history.seen) == {each for each in history.heights if each * 10 >= since}
