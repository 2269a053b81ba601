"""How many statements a reading costs that finds all as it was, on both databases."""

from typing import Any

from sqlalchemy import event

from coffers.clock import MINUTE
from coffers.store.engine import Store
from coffers.sync.syncer import Outcome
from factories import position
from integration.sync.test_syncer import House, house, reading

__all__ = ["house"]

ENOUGH = 18
"""Eight that bring what is known, nine that write; PostgreSQL has a lock more."""

_AROUND = ("BEGIN", "COMMIT", "PRAGMA", "SAVEPOINT", "RELEASE")


async def test_a_reading_of_what_is_known_takes_few_statements(house: House) -> None:
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(5 * MINUTE)
    await house.book()
    await house.read(reading(position("BTC", "1")))
    house.clock.advance(MINUTE)
    run = await heard(house.store)
    assert (await house.read(reading(position("BTC", "1")))).outcome is Outcome.COMPLETE
    asked = [each for each in run if not each.startswith(_AROUND)]
    assert 0 < len(asked) <= ENOUGH, "\n".join(asked)
    written = [each for each in asked if each.split()[0] in {"INSERT", "UPDATE", "DELETE"}]
    # The claim; the snapshot, how the reading ended, its line in the log, and the user's version.
    assert len(written) == 5, "\n".join(written)


async def heard(store: Store) -> list[str]:
    """Return a list that takes every statement from now on."""
    found: list[str] = []
    engine: Any = store.database.engine  # type: ignore[attr-defined]  # each of the two has one
    # The connections that there are would not tell.
    await store.close()
    if store.database.dialect == "sqlite":
        event.listen(engine, "connect", lambda made, _: made.set_trace_callback(found.append))
    else:
        event.listen(
            engine.sync_engine,
            "before_cursor_execute",
            lambda _connection, _cursor, statement, *_: found.append(statement),
        )
    return found
