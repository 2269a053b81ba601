"""`GET /public/api/v1/stream`: what changes, as it changes."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Annotated, Final

import msgspec
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from coffers.access.call import Caller
from coffers.api.documents import ERRORS_OF_SIGNED, SIGNED, TOO_MANY_STREAMS, parameter
from coffers.api.door import Admitted, Door
from coffers.api.event_routes import AFTER, WANTED, after_of, filter_of
from coffers.api.event_schema import SENT
from coffers.api.given import Given
from coffers.api.services import Services
from coffers.api.surroundings import HEADERS as REQUEST_HEADERS
from coffers.clock import iso
from coffers.errors import InvalidRecord
from coffers.money import plain
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.events import EventLog, EventPage
from coffers.portfolio.summary import Summaries
from coffers.portfolio.users import Users
from coffers.serving.feeds import Feed, Pass, Reader, event_piece, named_piece
from coffers.serving.lasting import BEAT, BEAT_SECONDS, HEADERS, RETRY_MILLIS, Chunks, EventStream
from coffers.serving.scope import HEAD_ALONE
from coffers.serving.streams import READ_AT_ONCE
from coffers.store.events import MOST_NUMBER

STREAM_PATH: Final = "/public/api/v1/stream"

_LAST_ID: Final = b"last-event-id"
_LAST_EVENT_ID: Final = parameter(
    "Last-Event-ID",
    "header",
    "What `EventSource` sends when it connects again: counts more than `after`.",
    {"type": "string"},
)


def add_stream(app: FastAPI, services: Services, door: Door) -> None:
    """Add the stream."""
    opened = _Opened(services)
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]

    @app.get(
        STREAM_PATH,
        tags=["events"],
        summary="What changes, as it changes",
        response_class=Response,
        responses={
            200: {
                "description": "Server-sent events, without an end.",
                "content": {"text/event-stream": {"schema": SENT}},
            },
            **ERRORS_OF_SIGNED,
            **TOO_MANY_STREAMS,
        },
        openapi_extra={**SIGNED, "parameters": [AFTER, _LAST_EVENT_ID, *WANTED]},
    )
    async def stream(request: Request, admitted: reader) -> Response:
        """Send events of the request's mode as they happen, and the worth of all at new prices.

        Permission: ACCOUNTS_READ. Security: SIGNED. Without a place to go on from it begins now.
        """
        if request.scope.get(HEAD_ALONE):
            return Response(headers=HEADERS)
        last_id = request.scope[REQUEST_HEADERS].get(_LAST_ID)
        return await opened.stream(admitted.caller, admitted.given, last_id)


class _Opened:
    """Opens streams."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._log = EventLog(services.store)
        keeping = AccountKeeping(services.store, services.clock)
        users = Users(services.store, services.clock)
        self._summaries = Summaries(keeping, users, services.listing)
        self._streams = services.streams

    async def stream(self, caller: Caller, given: Given, last_id: bytes | None) -> EventStream:
        wanted = filter_of(caller, given)
        after = after_of(given) if last_id is None else _last(last_id)
        by = Pass("token", caller.token_id)
        reader = Reader(caller.user_id, by, caller.mode, caller.display_currency, wanted)
        with ExitStack() as closing:
            closing.enter_context(self._streams.place(reader))
            place = MOST_NUMBER if after is None else after
            first = await self._log.page(caller.user_id, place, READ_AT_ONCE, wanted)
            feed = Feed(reader, self._prices)
            # What comes first may be much for a reader who is slow.
            closing.enter_context(self._streams.watched(feed))
            kept = closing.pop_all()
            return EventStream(feed, lambda: self._pieces(feed, after, first), kept.close)

    async def _pieces(self, feed: Feed, after: int | None, page: EventPage) -> Chunks:
        reader = feed.reader
        # The place is told at once: who is cut off before the first event misses none either.
        yield _opening(reader, page.next_after if after is None else min(after, page.next_after))
        while True:
            if after is not None and not page.is_complete:
                yield _piece("gap", {"after": after})
            if page.events:
                yield b"".join(event_piece(event) for event in page.events)
            if not page.has_more or feed.ending is not None:
                break
            # On SQLite nothing here waits: other requests get their turn.
            await asyncio.sleep(0)
            after = page.next_after
            page = await self._log.page(reader.user_id, after, READ_AT_ONCE, reader.wanted)
        with self._streams.joined(feed, page.next_after):
            while (piece := await feed.next(BEAT_SECONDS)) is not None:
                yield piece or BEAT

    async def _prices(self, reader: Reader, epoch: int) -> bytes:
        book = await self._services.shelf.at(epoch)
        summary = await self._summaries.of(
            reader.user_id, reader.mode, book, reader.display_currency
        )
        figures = summary.figures
        amounts = {
            "btc_amount": figures.btc.amount,
            "usd_amount": figures.usd.amount,
            "display_amount": figures.display.amount,
        }
        told = {
            "epoch": epoch,
            "at": None if book is None else iso(book.at),
            **{name: None if one is None else plain(one) for name, one in amounts.items()},
            "display_currency": reader.display_currency,
            "accounts": len(summary.views),
            "incomplete": sum(not view.quality.is_complete for view in summary.views),
        }
        return _piece("prices", told)


def _opening(reader: Reader, after: int) -> bytes:
    head = b"retry: %d\nid: %d\n" % (RETRY_MILLIS, after)
    return head + _piece("open", {"mode": reader.mode, "after": after})


def _piece(name: str, told: Mapping[str, object]) -> bytes:
    return named_piece(name, msgspec.json.encode(told))


def _last(text: bytes) -> int:
    """Return the number that a client had last.

    Raises:
        InvalidRecord: for what no stream told as an id.
    """
    if not (text.isdigit() and len(text) <= len(str(MOST_NUMBER)) and int(text) <= MOST_NUMBER):
        raise InvalidRecord({"last_event_id": ["is invalid"]})
    return int(text)
