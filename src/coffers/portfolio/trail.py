"""The audit trail, page by page: what users and the operator did, and what was refused of them."""

from dataclasses import dataclass

from coffers.clock import iso
from coffers.errors import NotFound
from coffers.store.audit import KeptEvent, TrailFilter
from coffers.store.engine import Store, Transaction

MOST_AT_ONCE = 500
MOST_NUMBER = 2**31 - 1
"""The highest number that an event can have."""


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Some events from the newest on. `older` is the number to go on before, None at the end.

    `unknown` are kinds that were asked for and that no event has; `kinds` are those that there are
    then.
    """

    events: list[KeptEvent]
    older: int | None
    unknown: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class Trail:
    """Shows the trail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self, wanted: TrailFilter, *, limit: int = 50, before: int | None = None
    ) -> TrailPage:
        """Return a page of events, of all users where none is asked for.

        Raises:
            NotFound: where the event to go on before is none, or none of this user.
        """
        async with self._store.reading() as tx:
            last = None if before is None else await _known(tx, wanted.user_id, before)
            found = await tx.audit.page(wanted, limit + 1, last)
            kinds = await tx.audit.kinds() if wanted.kinds else []
        events = found[:limit]
        older = events[-1].number if len(found) > limit else None
        unknown = tuple(kind for kind in wanted.kinds if kind not in kinds)
        return TrailPage(events, older, unknown, tuple(kinds) if unknown else ())


def as_plain(kept: KeptEvent) -> dict[str, object]:
    """Return the form that programs read; `docs/cli.md` tells its fields."""
    event = kept.event
    return {
        "id": kept.number,
        "at": iso(event.at),
        "user": kept.user_name,
        "kind": event.kind,
        "subject": event.subject,
        "details": event.details,
    }


async def _known(tx: Transaction, user_id: int | None, number: int) -> KeptEvent:
    found = await tx.audit.get(number) if 0 <= number <= MOST_NUMBER else None
    if found is None or user_id not in {None, found.event.user_id}:
        raise NotFound(f"there is no event {number} in this trail")
    return found
