"""What processes tell each other when something changed: notices of PostgreSQL, small and unsure.

A notice is sent with the transaction that it is about, and arrives after that is kept or not at
all. It says that a look is worth while, never what is there: who hears it looks into the database.
So a notice that is lost costs time and nothing else, and whoever waits for one looks by itself now
and then; more often while nothing can be heard, as on SQLite.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from weakref import WeakSet

from sqlalchemy import Text, bindparam, func, select

from coffers.store.connection import AsyncConnection
from coffers.store.prepared import Prepared


class Topic(StrEnum):
    """What notices are about, by the names of their channels. What each names stands behind it."""

    ERRANDS = "coffers_errands"  # an errand that waits
    OUTCOMES = "coffers_outcomes"  # an errand that has ended
    DUE = "coffers_due"  # an account that is to be read at once
    PRICES = "coffers_prices"  # the epoch of a new book
    EVENTS = "coffers_events"  # the user that something happened to
    ASKED = "coffers_asked"  # a venue and what of it is to be found out
    FOUND = "coffers_found"  # the same when something came of it


FOR_API = (Topic.OUTCOMES, Topic.PRICES, Topic.EVENTS, Topic.FOUND)
"""What an API process waits for."""

FOR_WORKER = (Topic.ERRANDS, Topic.DUE, Topic.ASKED)
"""What a worker waits for."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: its topic, and the ids of what it is about. It holds no secret."""

    topic: Topic
    about: str


MOST_HEARD = 1_000
"""Notices that are told one by one; of more, only that there were some."""

Wants = Callable[[Notice], bool]
_NOTIFY = Prepared(
    select(func.pg_notify(bindparam("channel", type_=Text), bindparam("about", type_=Text)))
)


async def announce(connection: AsyncConnection, topic: Topic, *about: object) -> None:
    """Tell all who listen, once the transaction is kept; nothing where nobody can."""
    if connection.dialect.name == "postgresql":
        values = {"channel": topic.value, "about": joined(*about)}
        await connection.rows(_NOTIFY, values)


def joined(*about: object) -> str:
    """Return what a notice is about as one text."""
    return ":".join(map(str, about))


class Notices:
    """Where the notices of a process arrive, for all who wait for some.

    Nothing arrives until a listener brings it: `is_up` says whether one does.
    """

    def __init__(self) -> None:
        self.is_up = False
        self._ears: WeakSet[Ear] = WeakSet()

    def ear(self, wants: Wants) -> "Ear":
        """Return an ear for certain notices; it hears from now on, for as long as it is held."""
        ear = Ear(self, wants)
        self._ears.add(ear)
        return ear

    def tell(self, notice: Notice) -> None:
        """Take in a notice that has arrived."""
        for ear in tuple(self._ears):
            ear.tell(notice)

    def turn(self, *, is_up: bool) -> None:
        """Note that notices arrive from now on, or no longer: some may have been missed."""
        self.is_up = is_up
        for ear in tuple(self._ears):
            ear.ring()


class Ear:
    """Hears the notices that one place in the program waits for."""

    def __init__(self, notices: Notices, wants: Wants) -> None:
        self._notices = notices
        self._wants = wants
        self._heard: set[Notice] = set()
        self._is_sure = True
        self._rung = asyncio.Event()

    def tell(self, notice: Notice) -> None:
        """Hear a notice, if it is wanted."""
        if not self._wants(notice):
            return
        if len(self._heard) < MOST_HEARD:
            self._heard.add(notice)
        else:
            self._is_sure = False
        self._rung.set()

    def ring(self) -> None:
        """Let whoever waits look, whatever there is."""
        self._is_sure = False
        self._rung.set()

    async def wait(self, quick: float, slow: float) -> frozenset[Notice] | None:
        """Wait until there is something to look at, for so many seconds at the most.

        What was told since the wait before this one counts. `slow` holds while notices arrive, and
        `quick` while they do not.

        Returns:
            What was told; None where anything may have changed.
        """
        try:
            async with asyncio.timeout(slow if self._notices.is_up else quick):
                await self._rung.wait()
        except TimeoutError:
            self._is_sure = False
        heard = frozenset(self._heard) if self._is_sure else None
        self._heard.clear()
        self._is_sure = True
        self._rung.clear()
        return heard
