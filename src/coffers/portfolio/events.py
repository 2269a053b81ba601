"""The events of a user, page by page, in the form that every reader of them gets."""

from dataclasses import dataclass
from typing import Final

import msgspec

from coffers.clock import DAY, Millis, iso
from coffers.errors import InvalidRecord
from coffers.store.engine import Store
from coffers.store.events import EVENT_KINDS, Event, EventFilter, EventKind

MOST_AT_ONCE: Final = 500

KEPT: Final = Millis(30 * DAY)
"""How long events are kept: as long as a reader may stay away without missing any."""

FORGOTTEN_AT_ONCE: Final = 5_000
"""Events that one transaction forgets."""


class EventForm(msgspec.Struct):
    """An event as readers get it: in pages, in the stream and at webhooks."""

    id: int | None
    kind: str
    account_id: int | None
    mode: str | None
    at: str
    data: msgspec.Raw


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events in their order.

    `next_after` is what the next page comes after. `is_complete` is False where events between
    what was asked for and this page are forgotten already.
    """

    events: tuple[Event, ...]
    next_after: int
    has_more: bool
    is_complete: bool


class EventLog:
    """Shows the events of users, and forgets those that are old."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, user_id: int, after: int, limit: int, wanted: EventFilter) -> EventPage:
        """Return events above a number."""
        async with self._store.reading() as tx:
            span = await tx.events.span(user_id)
            found = await tx.events.after(user_id, after, limit + 1, wanted)
        shown, has_more = tuple(found[:limit]), len(found) > limit
        # At the end a reader goes on from all that was looked at, not from what it asked for.
        next_after = shown[-1].number if has_more else span.last
        return EventPage(shown, next_after, has_more, not span.misses(after))

    async def forget_old(self, now: Millis) -> int:
        """Forget some events that are older than `KEPT`, and return how many."""
        async with self._store.transaction() as tx:
            return await tx.events.forget(Millis(now - KEPT), now, FORGOTTEN_AT_ONCE)


def kinds_of(name: str, texts: list[str]) -> tuple[EventKind, ...]:
    """Return kinds of events by their names, each once.

    Raises:
        InvalidRecord: naming the field, for a name that no kind has.
    """
    known: dict[str, EventKind] = {kind: kind for kind in EVENT_KINDS}
    if unknown := sorted(set(texts).difference(known)):
        told = ", ".join(text[:40] for text in unknown[:5])
        raise InvalidRecord({name: [f"does not have a valid value: {told}"]})
    return tuple(dict.fromkeys(known[text] for text in texts))


def form_of(event: Event) -> EventForm:
    """Return the form that readers get."""
    return EventForm(
        event.number,
        event.kind,
        event.account_id,
        event.mode,
        iso(event.at),
        msgspec.Raw(event.body.encode()),
    )


def encoded(event: Event) -> bytes:
    """Return an event as JSON in one line."""
    return msgspec.json.encode(form_of(event))


def as_plain(page: EventPage) -> dict[str, object]:
    """Return a page in the form that programs read; `docs/events.md` tells its fields."""
    return {
        "events": [form_of(event) for event in page.events],
        "next_after": page.next_after,
        "has_more": page.has_more,
        "is_complete": page.is_complete,
    }
