"""All open streams of a process: how many there may be, and one look-out for all of them.

The look-out works only while there is a stream. It asks for the newest numbers of all users at
once, and for the events of a user only when there are some; what it finds goes to every stream of
that user.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from coffers import metrics
from coffers.clock import Clock
from coffers.errors import CoffersError
from coffers.logs import seldom
from coffers.portfolio.pulse import ASKED_AT_ONCE, Beat, Pulse
from coffers.serving.feeds import Feed, Pass, Prices, Reader
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable

PER_PASS: Final = 5
"""Streams that one token, or one session, may hold open in a process."""

PER_USER: Final = 20
"""Streams that one user may hold open in a process, whatever the number of tokens and sessions."""

PASSES_EVERY: Final = 2.0
"""Seconds between two looks whether the tokens and sessions of streams are still good."""

READ_AT_ONCE: Final = 200
"""Events that are read for a user at once."""

_AFTER_FAULT: Final = 1.0
_log = seldom("coffers.stream")


class TooManyStreams(CoffersError):
    """A token, a session or a user holds as many streams open as it may."""

    def __init__(self, who: str, most: int) -> None:
        super().__init__(f"This {who} has {most} streams open; close one of them first.")


class StreamsFull(CoffersError):
    """A process holds as many streams open as it may."""

    def __init__(self) -> None:
        super().__init__("The server has as many streams open as it may. Try again later.")


class Streams:
    """The open streams of a process."""

    def __init__(self, store: Store, pulse: Pulse, clock: Clock, most: int) -> None:
        self._store = store
        self._pulse = pulse
        self._clock = clock
        self._most = most
        self._held = 0
        self._open: Counter[Pass] = Counter()
        self._of_users: Counter[int] = Counter()
        # By user: thousands of streams are too many to look through for each one.
        self._feeds: dict[int, set[Feed]] = {}
        self._watched: set[Feed] = set()
        self._positions: dict[int, int] = {}
        self._looking: asyncio.Task[None] | None = None
        self._pricing: asyncio.Task[None] | None = None
        self._passes_at = 0.0

    @contextmanager
    def place(self, reader: Reader) -> Iterator[None]:
        """Hold the place of a reader's stream.

        Raises:
            TooManyStreams, StreamsFull: where there is none.
        """
        by, user_id = reader.by, reader.user_id
        if self._open[by] >= PER_PASS:
            raise TooManyStreams(by.kind, PER_PASS)
        if self._of_users[user_id] >= PER_USER:
            raise TooManyStreams("user", PER_USER)
        if self._held >= self._most:
            raise StreamsFull
        self._held += 1
        self._open[by] += 1
        self._of_users[user_id] += 1
        metrics.streams.inc()
        try:
            yield
        finally:
            metrics.streams.dec()
            self._held -= 1
            self._open[by] -= 1
            self._of_users[user_id] -= 1
            if not self._open[by]:
                del self._open[by]
            if not self._of_users[user_id]:
                del self._of_users[user_id]

    @contextmanager
    def watched(self, feed: Feed) -> Iterator[None]:
        """End a stream with its token or session, also while it is not fed yet."""
        self._watched.add(feed)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_out())
        try:
            yield
        finally:
            self._watched.discard(feed)
            if not self._watched:
                self._rest()

    @contextmanager
    def joined(self, feed: Feed, position: int) -> Iterator[None]:
        """Feed a stream that has all events up to a number, and watch it."""
        user_id, feed.position = feed.reader.user_id, position
        self._positions[user_id] = min(position, self._positions.get(user_id, position))
        self._feeds.setdefault(user_id, set()).add(feed)
        self._pulse.hurry()
        try:
            with self.watched(feed):
                yield
        finally:
            self._feeds[user_id].discard(feed)
            if not self._feeds[user_id]:
                del self._feeds[user_id], self._positions[user_id]

    def _rest(self) -> None:
        for task in (self._looking, self._pricing):
            if task is not None:
                task.cancel()
        self._looking = self._pricing = None

    async def _look_out(self) -> None:
        try:
            while True:
                await self._look()
        except Exception:  # noqa: BLE001 - nobody waits for this task
            _log.exception("streams are not fed any more")
            # Whoever reads a stream must not wait for events that never come.
            for feed in self._watched:
                feed.end("fault")
            self._looking = None

    async def _look(self) -> None:
        try:
            await self._tell(await self._pulse.next(self._positions.keys()))
        except CoffersError as error:
            _log.warning("streams cannot be fed now", reason=str(error))
            await asyncio.sleep(_AFTER_FAULT)

    async def _tell(self, beat: Beat) -> None:
        await self._check_passes()
        for user_id, head in beat.heads.items():
            await self._tell_user(user_id, head)
        self._tell_prices(beat.epoch)

    async def _tell_user(self, user_id: int, head: int) -> None:
        while self._positions.get(user_id, head) < head:
            position = self._positions[user_id]
            async with self._store.reading() as tx:
                found = await tx.events.after(user_id, position, READ_AT_ONCE)
            for feed in self._feeds.get(user_id, ()):
                # Whoever joined meanwhile from further back has set the position back as well, and
                # gets what comes before this first.
                if feed.position >= position:
                    for event in found:
                        feed.offer(event)
            if self._positions.get(user_id) == position:
                self._positions[user_id] = found[-1].number if found else head
            # On SQLite nothing here waits: readers get their turn before there is more for them,
            # or too much would pile up.
            await asyncio.sleep(0)

    async def _check_passes(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._passes_at < PASSES_EVERY:
            return
        self._passes_at = now
        readers = {feed.reader.by: feed.reader.user_id for feed in self._watched}
        ended = readers.keys() - await self._good(readers)
        for feed in self._watched:
            if (by := feed.reader.by) in ended:
                feed.end(by.kind)

    async def _good(self, users: Mapping[Pass, int]) -> set[Pass]:
        """Return those of some passes, told with whose they are, that are still good."""
        now, used = self._clock.now(), sorted(users, key=lambda by: users[by])
        good = set[Pass]()
        async with self._store.reading() as tx:
            for begin in range(0, len(used), ASKED_AT_ONCE):
                some = used[begin : begin + ASKED_AT_ONCE]
                owners = {users[by] for by in some}
                tokens = [by.id for by in some if isinstance(by.id, int)]
                sessions = [by.id for by in some if isinstance(by.id, str)]
                if tokens:
                    found = await tx.tokens.in_force(owners, tokens, now)
                    good |= {Pass("token", token) for token in found}
                if sessions:
                    lasting = await tx.sign_ins.lasting(owners, sessions, now)
                    good |= {Pass("session", session) for session in lasting}
        return good

    def _tell_prices(self, epoch: int) -> None:
        late = [feed for own in self._feeds.values() for feed in own if feed.epoch != epoch]
        if epoch and late and self._pricing is None:
            self._pricing = asyncio.create_task(self._price(late, epoch))

    async def _price(self, feeds: Sequence[Feed], epoch: int) -> None:
        try:
            for alike in _groups(feeds):
                await _tell_alike(alike, epoch)
                await asyncio.sleep(0)
        except StoreUnavailable as error:
            _log.warning("prices cannot be told now", reason=str(error))
        self._pricing = None


async def _tell_alike(feeds: Sequence[Feed], epoch: int) -> None:
    """Tell prices to those who get the same; a fault with these must not stop the others."""
    try:
        piece = await feeds[0].prices(feeds[0].reader, epoch)
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - nobody waits for it; the next beat tries again
        _log.warning("prices cannot be told", user=feeds[0].reader.user_id, reason=str(error))
        return
    for feed in feeds:
        feed.offer_prices(epoch, piece)


def _groups(feeds: Sequence[Feed]) -> Collection[list[Feed]]:
    """Return the feeds that get the same prices, together."""
    groups: dict[tuple[Prices, int, str, str], list[Feed]] = {}
    for feed in feeds:
        reader = feed.reader
        key = feed.prices, reader.user_id, reader.mode, reader.display_currency
        groups.setdefault(key, []).append(feed)
    return groups.values()
