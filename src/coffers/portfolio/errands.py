"""Work that needs an exchange, handed from an API process to a worker and awaited.

An API process never loads the exchange library. It seals what is asked, adds it to the errands in
the database, and waits; a worker takes it, does it and writes what came of it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from coffers.clock import HOUR, Clock, Millis
from coffers.errors import CoffersError, NotFound
from coffers.portfolio.errand_outcomes import LASTS, Outcome, TookTooLong, context, told_by
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.errands import Errand
from coffers.store.notices import Notice, Topic, joined
from coffers.vault.keyring import WrongMasterKey
from coffers.vault.vault import Vault

KEPT = Millis(HOUR)
"""How long after its time what came of an errand can be asked for."""

TAKEN_WITHIN = 5.0
"""Seconds within which a worker takes an errand, if one is at work at all."""

LOOKS = (0.02, 0.05, 0.1)
"""Seconds between the looks for an outcome, the last one again and again."""

LOOKS_TOLD = (0.2, 1.0)
"""The same while notices tell of outcomes: so late, should one be missed."""

MOST_OPEN = 8
"""What a user may have asked for that is not done yet: more would only wait, before others."""


class NoWorker(CoffersError):
    """No worker took what was asked."""

    def __init__(self) -> None:
        super().__init__("no worker is at work that could ask the exchange; nothing was changed")


class NoErrand(NotFound):
    """There is no errand of this number, or not any more."""


class TooManyOpen(CoffersError):
    """A user has asked for so much that is not done yet."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_OPEN} things that you asked for are not done yet; wait for one of them"
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something has come that was begun, and how long ago; `told` once it is done."""

    state: Literal["waiting", "at_work", "done"]
    waited: Millis
    told: bytes | None = None


class Errands:
    """Where an API process asks for work."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def ask(self, user_id: int, kind: str, asked: object) -> bytes:
        """Have something done by a worker and return what it tells, as JSON.

        Raises:
            InvalidRecord, AlreadyConnected, NotFound, ConnectorFailure, CoffersError: as the work
                itself does.
            TooManyOpen: when too much of this user's is not done yet.
            NoWorker, TookTooLong: when nobody took it, or did not end in time.
        """
        errand_id = await self._add(user_id, kind, msgspec.json.encode(asked))
        return told_by(await self._outcome(user_id, errand_id))

    async def begin(self, user_id: int, kind: str, asked: object) -> int:
        """Ask for something and do not wait for it; return the number that `look` takes.

        Raises:
            TooManyOpen: when too much of this user's is not done yet.
        """
        return await self._add(user_id, kind, msgspec.json.encode(asked))

    async def begin_once(self, user_id: int, kind: str, asked: object) -> int:
        """Do as `begin`; where the same was asked for and is not done yet, return its number.

        Raises:
            TooManyOpen: when too much of this user's is not done yet.
        """
        return await self._add(user_id, kind, msgspec.json.encode(asked), is_once=True)

    async def look(self, user_id: int, errand_id: int) -> Progress:
        """Return how far something has come that was begun.

        Raises:
            NotFound: when this user has nothing of this number, or not any more.
            NoWorker: when nobody has taken it in time; it is taken back then.
            TookTooLong: when a worker took it, and has not ended in time.
            InvalidRecord, AlreadyConnected, ConnectorFailure, CoffersError: as the work itself.
        """
        async with self._store.reading() as tx:
            found = await tx.errands.standing(user_id, errand_id)
        if found is None:
            raise NoErrand(f"there is no errand {errand_id}")
        waited = Millis(max(0, self._clock.now() - found.created_at))
        if found.outcome is not None:
            told = told_by(msgspec.json.decode(found.outcome, type=Outcome))
            return Progress("done", waited, told)
        if found.is_taken:
            if waited > LASTS:
                raise TookTooLong
            return Progress("at_work", waited)
        if waited > TAKEN_WITHIN * 1000 and await self._withdrawn(user_id, errand_id):
            raise NoWorker
        return Progress("waiting", waited)

    async def _add(self, user_id: int, kind: str, body: bytes, *, is_once: bool = False) -> int:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            # The counter of ids is locked from here on: of two that are added one sees the other.
            errand_id = await tx.errands.new_id()
            if is_once:
                for each in await tx.errands.open_of(user_id, kind, now):
                    if self._asks(each) == body:
                        return each.id
            if await tx.errands.count_open(user_id, now) >= MOST_OPEN:
                raise TooManyOpen
            sealed = self._vault.seal(Secret(body.decode()), context(user_id, errand_id))
            errand = Errand(user_id, errand_id, kind, sealed)
            await tx.errands.add(errand, now, Millis(now + LASTS))
            await tx.errands.forget(Millis(now - KEPT))
        return errand_id

    def _asks(self, errand: Errand) -> bytes | None:
        """Return what an errand asks, None where its key was exchanged since it was sealed."""
        try:
            opened = self._vault.open(errand.sealed, context(errand.user_id, errand.id))
        except WrongMasterKey:
            return None
        return opened.reveal().encode()

    async def _outcome(self, user_id: int, errand_id: int) -> Outcome:
        loop = asyncio.get_running_loop()
        ended = Notice(Topic.OUTCOMES, joined(user_id, errand_id))
        ear = self._store.notices.ear(ended.__eq__)
        began, looks = loop.time(), 0
        while (waited := loop.time() - began) < LASTS / 1000:
            await ear.wait(_pause(LOOKS, looks), _pause(LOOKS_TOLD, looks))
            looks += 1
            async with self._store.reading() as tx:
                text = await tx.errands.outcome(user_id, errand_id)
            if text is not None:
                return msgspec.json.decode(text, type=Outcome)
            if waited > TAKEN_WITHIN and await self._withdrawn(user_id, errand_id):
                raise NoWorker
        raise TookTooLong

    async def _withdrawn(self, user_id: int, errand_id: int) -> bool:
        async with self._store.reading() as tx:
            if await tx.errands.is_taken(user_id, errand_id):
                return False
        async with self._store.transaction() as tx:
            return await tx.errands.withdraw(user_id, errand_id)


def _pause(pauses: Sequence[float], looks: int) -> float:
    return pauses[min(looks, len(pauses) - 1)]
