"""`GET /live`: tells an open page that there is something new, so that it asks for itself again.

What is new is not told: the page that the server draws is the one place where figures are shown,
and it is drawn for whoever asks, by whichever process.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from coffers.serving.feeds import Feed, Pass, Reader
from coffers.serving.lasting import BEAT_SECONDS, HEADERS, RETRY_MILLIS, Chunks, EventStream
from coffers.serving.scope import HEAD_ALONE
from coffers.store.engine import Store
from coffers.store.events import Event, EventFilter
from coffers.valuation.model import PriceBook
from coffers.web.rooms import Asked, OwnPage, Rooms

LIVE: Final = "/live"
_CHANGED: Final = b"data: changed\n\n"
_BEAT: Final = b"event: beat\ndata: still here\n\n"
"""Not a comment, as for programs: the page is to notice where a line stays silent."""

_LONGEST_NUMBER: Final = 18


class Changes(Feed):
    """What waits for a page: that something changed, once for however much it was."""

    def take(self, event: Event) -> None:  # noqa: ARG002 - which one it was is not told
        """Let it wait that something changed."""
        self.tell_newest(_CHANGED)


class Live:
    """Keeps open pages told."""

    def __init__(self, rooms: Rooms) -> None:
        self._store = rooms.store
        self._streams = rooms.streams
        self.own = (OwnPage(LIVE, self.stream),)

    async def stream(self, asked: Asked) -> Response:
        """Answer with a stream that ends with the session.

        Raises:
            TooManyStreams, StreamsFull: where there is no place for one.
        """
        if asked.request.scope.get(HEAD_ALONE):
            return Response(headers=HEADERS)
        user, by = asked.who.user, Pass("session", asked.who.session.id)
        reader = Reader(user.id, by, user.mode, user.display_currency, EventFilter(user.mode))
        with ExitStack() as closing:
            closing.enter_context(self._streams.place(reader))
            head = await _newest_event(asked, self._store)
            feed = Changes(reader, _changed)
            feed.epoch = _number(asked, "epoch") or 0
            seen = _number(asked, "after")
            is_behind = seen is not None and seen != head
            kept = closing.pop_all()
            return EventStream(
                feed, partial(self._pieces, feed, head, is_behind=is_behind), kept.close
            )

    async def _pieces(self, feed: Feed, head: int, *, is_behind: bool) -> Chunks:
        yield b"retry: %d\n\n" % RETRY_MILLIS + (_CHANGED if is_behind else b"")
        with self._streams.joined(feed, head):
            while (piece := await feed.next(BEAT_SECONDS)) is not None:
                yield piece or _BEAT


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page takes in: everything up to the user's newest event."""

    event: int

    def live_at(self, book: PriceBook | None) -> str:
        """Return where a page that shows the prices of a book learns of what is newer."""
        epoch = 0 if book is None else book.epoch
        return f"{LIVE}?{urlencode({'after': self.event, 'epoch': epoch})}"


async def seen_by(asked: Asked, rooms: Rooms) -> Seen:
    """Return what a page takes in.

    To be asked before the page reads what it shows, lest it miss what happens meanwhile.
    """
    return Seen(await _newest_event(asked, rooms.store))


async def _newest_event(asked: Asked, store: Store) -> int:
    user_id = asked.who.user.id
    async with store.reading() as tx:
        return (await tx.events.heads([user_id])).get(user_id, 0)


async def _changed(_reader: Reader, _epoch: int) -> bytes:
    return _CHANGED


def _number(asked: Asked, name: str) -> int | None:
    text = asked.request.query_params.get(name, "")
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    return int(text) if is_number else None
