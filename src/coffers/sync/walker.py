"""What the walks through an account's past have in common: one step at a time, within bounds."""

import asyncio
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, TypeVar

from coffers import metrics
from coffers.clock import MINUTE, SECOND, Clock, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.logs import logger
from coffers.markets.catalogue import Catalogue, Market
from coffers.store.engine import Store, Transaction
from coffers.store.records import Account
from coffers.store.trades import TradeWalk
from coffers.store.walking import Place, Walkable
from coffers.store.walks import Walk
from coffers.sync.flows import FlowValuer
from coffers.sync.gathering import took_too_long
from coffers.sync.policy import BACK_OFFS
from coffers.sync.turns import Turns
from coffers.vault.sealed import Sealed
from coffers.vault.vault import Vault

CLAIM = Millis(2 * MINUTE)
"""How long an account stays claimed by a step whose process died."""

LONGEST_STEP = Millis(60 * SECOND)
"""When a step is given up: a reading that has become due has to wait for it."""

_log = logger("coffers.sync")
AnyWalk = TypeVar("AnyWalk", Walk, TradeWalk)
Taken = TypeVar("Taken")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Claimed(Generic[AnyWalk]):
    """An account that a step has claimed, and where its walk stands as the step begins."""

    account: Account
    market: Market
    sealed: Sealed
    walk: AnyWalk


class Walker(ABC, Generic[Taken, AnyWalk]):
    """Walks one step of one account at a time; a subclass says what it walks through.

    `failed_event` is what the log calls a step that the venue did not answer.
    """

    failed_event: ClassVar[str]

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

    @abstractmethod
    async def _keep(self, tx: Transaction, account: Account, walk: AnyWalk) -> None:
        """Write where an account's walk stands."""

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

    async def _failed(
        self, taken: Claimed[AnyWalk], holder: str, failure: ConnectorFailure
    ) -> None:
        """Put the next try off, further with each failure in a row; what was found is kept."""
        account, failures = taken.account, taken.walk.failures + 1
        wait = max(BACK_OFFS[failure.kind].after(failures), failure.retry_after or 0, self._pause)
        walk = replace(
            taken.walk,
            failures=failures,
            failure_message=str(failure),
            next_at=Millis(self._clock.now() + wait),
        )
        async with self._turns.ending(account, taken.sealed, holder) as tx:
            if tx is not None:
                await self._keep(tx, account, walk)
        self._count(taken.market, failure.kind.value)
        # Once for all tries that fail alike.
        log = _log.debug if str(failure) == taken.walk.failure_message else _log.warning
        log(self.failed_event, account=account.id, kind=failure.kind.value, reason=str(failure))

    def _count(self, market: Market, outcome: str) -> None:
        metrics.history_steps.labels(market.code, outcome).inc()
