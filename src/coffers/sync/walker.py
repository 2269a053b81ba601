"""What the walks through an account's past have in common: one step at a time, within bounds."""

import asyncio
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Generic, TypeVar

from coffers import metrics
from coffers.clock import MINUTE, SECOND, Clock, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.logs import logger
from coffers.markets.catalogue import Catalogue, Market
from coffers.store.engine import Store, Transaction
from coffers.store.records import Account
from coffers.store.walking import Place, Walkable
from coffers.sync.flows import FlowValuer
from coffers.sync.gathering import took_too_long
from coffers.sync.policy import BACK_OFFS
from coffers.sync.turns import Turns
from coffers.vault.vault import Vault

CLAIM = Millis(2 * MINUTE)
"""How long an account stays claimed by a step whose process died."""

LONGEST_STEP = Millis(60 * SECOND)
"""When a step is given up: a reading that has become due has to wait for it."""

_log = logger("coffers.sync")
Taken = TypeVar("Taken")
Found = TypeVar("Found")


class Walker(ABC, Generic[Taken]):
    """Walks one step of one account at a time; a subclass says what it walks through."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        catalogue: Catalogue,
        valuer: FlowValuer,
        clock: Clock,
        pause: Millis,
    ) -> None:
        self._store = store
        self._vault = vault
        self._catalogue = catalogue
        self._valuer = valuer
        self._clock = clock
        self._pause = pause
        self._turns = Turns(store, clock)

    async def step(self, user_id: int, account_id: int) -> None:
        """Do a step if one is due; after a fault of our own the next one is put off."""
        holder = uuid.uuid4().hex
        try:
            taken = await self._take(user_id, account_id, holder)
            if taken is not None:
                await self._do(taken, holder)
        except BaseException:
            later = Millis(self._clock.now() + BACK_OFFS[FailureKind.UNEXPECTED_ANSWER].longest)

            async def ending(tx: Transaction) -> None:
                await self._put_off(tx, user_id, account_id, later)
                await tx.accounts.release(user_id, account_id, holder)

            await self._turns.broken_off(ending)
            raise

    @abstractmethod
    async def due(
        self, tx: Transaction, now: Millis, limit: int, after: Place | None = None
    ) -> Walkable:
        """Return accounts whose walks may go on now, of those that stand behind a place."""

    @abstractmethod
    async def _take(self, user_id: int, account_id: int, holder: str) -> Taken | None:
        """Claim an account and return what is known of it, None where no step is to be done."""

    @abstractmethod
    async def _do(self, taken: Taken, holder: str) -> None:
        """Do the step and write down what came of it."""

    @abstractmethod
    async def _put_off(self, tx: Transaction, user_id: int, account_id: int, until: Millis) -> None:
        """Put the next step off until a moment."""

    async def _in_time(self, market: Market, asking: Awaitable[Found]) -> Found:
        """Return what a venue tells.

        Raises:
            ConnectorFailure: when it does not, or takes longer than a step may.
        """
        try:
            async with asyncio.timeout(LONGEST_STEP / 1000):
                return await asking
        except TimeoutError:
            raise took_too_long(market) from None

    def _after_failure(self, failures: int, failure: ConnectorFailure) -> Millis:
        """Return when to try again after so many failures in a row."""
        wait = max(BACK_OFFS[failure.kind].after(failures), failure.retry_after or 0, self._pause)
        return Millis(self._clock.now() + wait)

    def _count(self, market: Market, outcome: str) -> None:
        metrics.history_steps.labels(market.code, outcome).inc()

    def _say(
        self, event: str, account: Account, failure: ConnectorFailure, before: str | None
    ) -> None:
        """Log why a step failed, once for all tries that fail alike: `before` is what was noted."""
        (_log.debug if str(failure) == before else _log.warning)(
            event, account=account.id, kind=failure.kind.value, reason=str(failure)
        )
