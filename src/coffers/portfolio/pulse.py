"""What tells a process that something changed, for all who wait there at once."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from coffers.store.engine import Store
from coffers.store.notices import Ear, Notice, Topic

LOOK_EVERY: Final = 0.5
"""Seconds between two looks where nothing tells of changes: how late one may be told."""

LOOK_ANYWAY: Final = 2.0
"""Seconds between two looks where notices do."""

GATHERED: Final = 0.05
"""Seconds between two looks at the least, however much happens."""


ASKED_AT_ONCE: Final = 5_000
"""Ids that one question names: PostgreSQL takes no more than 32,767 values with one."""


@dataclass(frozen=True, slots=True)
class Beat:
    """How things stand: the newest event by number of users, and the newest price epoch.

    Users to whom nothing has happened may be left out.
    """

    heads: Mapping[int, int]
    epoch: int


class Pulse(Protocol):
    """Where a process learns that there may be something new."""

    async def next(self, user_ids: Collection[int]) -> Beat:
        """Wait until something may have changed for these users, and tell how things stand.

        `user_ids` may change meanwhile: who is in there when something happens counts.

        Raises:
            StoreUnavailable: when the database cannot be read.
        """
        ...

    def hurry(self) -> None:
        """Look soon: there are users for whom nothing was looked at yet."""
        ...


class StorePulse:
    """Looks into the database when a notice says so, and now and then: once for all users."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._user_ids: Collection[int] = ()
        self._ear: Ear | None = None
        self._looked_at = 0.0

    async def next(self, user_ids: Collection[int]) -> Beat:
        """Wait until something may have changed, and tell how things stand."""
        self._user_ids = user_ids
        loop = asyncio.get_running_loop()
        if self._ear is None:
            self._ear = self._store.notices.ear(self._concerns)
        heard = await self._ear.wait(LOOK_EVERY, LOOK_ANYWAY)
        await asyncio.sleep(self._looked_at + GATHERED - loop.time())
        self._looked_at = loop.time()
        concerned = sorted(user_ids if heard is None else _users_of(heard))
        async with self._store.reading() as tx:
            heads: dict[int, int] = {}
            for begin in range(0, len(concerned), ASKED_AT_ONCE):
                heads |= await tx.events.heads(concerned[begin : begin + ASKED_AT_ONCE])
            return Beat(heads, await tx.prices.newest_epoch())

    def hurry(self) -> None:
        """Look soon."""
        if self._ear is not None:
            self._ear.ring()

    def _concerns(self, notice: Notice) -> bool:
        match notice.topic:
            case Topic.PRICES:
                return True
            case Topic.EVENTS:
                return notice.about.isdigit() and int(notice.about) in self._user_ids
            case _:
                return False


def _users_of(notices: Collection[Notice]) -> set[int]:
    return {int(notice.about) for notice in notices if notice.topic is Topic.EVENTS}
