"""Doing operations: orders one after the other, each written down before it is placed.

A process that is killed anywhere on the way leaves steps that are "sent" at most. Whoever takes the
operation over asks the venue about those by the client's id, places what was planned if it was
planned lately, and ends it. Nothing is ever sent twice.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from coffers import metrics
from coffers.clock import Clock, Millis
from coffers.connectors.trading import Free, Trading, TradingDesk
from coffers.errors import CoffersError, NotFound
from coffers.logs import logger
from coffers.markets.catalogue import PAPER, Catalogue, Market
from coffers.portfolio.balance_codes import Tradable
from coffers.portfolio.claimed import CLAIM, claimed
from coffers.portfolio.doing import GIVES_UP, Doing, Later, Rounds, given_up
from coffers.portfolio.ledger import (
    KINDS,
    SELL_TO_BTC,
    SELL_TO_USD,
    Ledger,
    NotAllowed,
    NotForAccount,
    Wanted,
)
from coffers.portfolio.operation_notes import Notes, TakenOver
from coffers.portfolio.paper import PaperAccounts
from coffers.portfolio.paper_desk import PaperDesk
from coffers.portfolio.paper_orders import PaperOrders
from coffers.portfolio.steps import state_of
from coffers.store.claims import OPERATION
from coffers.store.engine import Store, Transaction
from coffers.store.newest import NewestBook
from coffers.store.operations import Operation
from coffers.store.records import Account
from coffers.sync.credentials import open_credentials
from coffers.sync.syncer import Syncer
from coffers.valuation.model import PriceBook
from coffers.valuation.orders import PairLimits, Round, Side
from coffers.valuation.selling import plan_sale
from coffers.vault.vault import Vault

DOLLARS = ("USD", "USDT", "USDC", "FDUSD", "TUSD", "USDP", "DAI", "BUSD")
"""What counts as dollars, the most wanted first."""

BRIDGES = ("BTC", "USDT", "USDC", "ETH", "BNB", "EUR", "TRY", "BRL")
"""What is sold for where no pair leads to what is wanted."""

_log = logger("coffers.operations")

Plan = Callable[[Free], Awaitable[Round]]


@dataclass(frozen=True, slots=True)
class Venues:
    """Where operations are done: who trades, and who reads afterwards."""

    trading: Trading
    syncer: Syncer


class Operations:
    """Does operations in a worker.

    Args:
        store: where they are written down.
        vault: opens the keys.
        catalogue: what kinds of accounts there are.
        venues: where they are done.
        ledger: where they are begun.
        notes: where their steps are written down.
        clock: the time.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        catalogue: Catalogue,
        venues: Venues,
        ledger: Ledger,
        notes: Notes,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._catalogue = catalogue
        self._venues = venues
        self._ledger = ledger
        self._clock = clock
        self._notes = notes
        self._newest = NewestBook()
        self._papers = PaperAccounts(store, clock)
        self._paper_orders = PaperOrders(store, clock)
        self._running: dict[tuple[int, int], asyncio.Task[Operation]] = {}
        metrics.from_nothing(metrics.operations, KINDS, ["done", "partly", "failed"])
        self._taken_on: dict[tuple[int, int], Millis] = {}

    async def limits(self, user_id: int, account_id: int) -> Sequence[PairLimits]:
        """Return the pairs that an account can trade in now, with what orders have to keep to.

        Raises:
            NotFound: when this user has no such account.
            NotAllowed: when nothing can be traded in it.
            ConnectorFailure: when the venue does not tell.
        """
        account = await self._account(user_id, account_id)
        async with self._desk(account) as (desk, _):
            return [pair.limits for pair in await desk.quoted()]

    async def tradable(self, user_id: int, account_id: int) -> Tradable:
        """Return what an account can trade in now, and our names of the venue's codes.

        Raises:
            NotFound, NotAllowed, ConnectorFailure: as `limits`.
        """
        account = await self._account(user_id, account_id)
        async with self._desk(account) as (desk, _):
            pairs = [pair.limits for pair in await desk.quoted()]
            codes = {code for pair in pairs for code in (pair.base, pair.quote)}
            assets = {code: desk.asset_of(code) for code in codes}
            sides: tuple[Side, ...] = ("sell", "buy")
            untaken = {side: why for side in sides if (why := desk.untaken(side)) is not None}
            return Tradable(pairs, assets, self._venue(account), untaken)

    async def run(
        self, user_id: int, account_id: int, kind: str, key: str | None, plan: Plan
    ) -> Operation:
        """Begin an operation and do it to its end; one of the same key is taken up instead.

        `plan` is asked once, when the account is claimed, and may ask what is free there by then;
        what it raises ends the operation.

        Raises:
            NotFound, NotAllowed, KeyReused, InvalidRecord: as `Ledger.begin`.
        """
        operation = await self._ledger.begin(user_id, Wanted(account_id, kind, key))
        asked = False

        async def rounds(desk: TradingDesk) -> Round:
            nonlocal asked
            planned = Round(()) if asked else await plan(desk.free)
            asked = True
            return planned

        return await self._only_once(operation, rounds)

    async def perform(self, user_id: int, operation_id: int) -> Operation:
        """Do an operation that was begun, or go on with it, to its end; an ended one is returned.

        Raises:
            NotFound: when this user has none of this id.
        """
        operation = await self._ledger.get(user_id, operation_id)
        return await self._only_once(operation, _ROUNDS.get(operation.kind))

    async def resume(self) -> int:
        """Go on with operations that nobody works at any more; return how many there were."""
        since = Millis(self._clock.now() - CLAIM)
        async with self._store.reading() as tx:
            found = await tx.operations.forsaken(since, 20)
        for user_id, operation_id in found:
            ended = await self.perform(user_id, operation_id)
            _log.warning("operation resumed", operation=operation_id, state=ended.state)
        return len(found)

    async def _only_once(self, operation: Operation, rounds: Rounds | None) -> Operation:
        """Do an operation in a task of its own, which goes on when the caller has given up."""
        if operation.state != "running":
            return operation
        own = operation.user_id, operation.id
        task = self._running.get(own)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._to_its_end(operation, rounds))
            self._running[own] = task
            task.add_done_callback(lambda _: self._running.pop(own, None))
        return await asyncio.shield(task)

    async def _to_its_end(self, operation: Operation, rounds: Rounds | None) -> Operation:
        own = operation.user_id, operation.id
        account = await self._account(operation.user_id, operation.account_id)
        try:
            ended = await self._ended(operation, account, rounds)
        except Later:
            await self._notes.touch(operation)
            return await self._ledger.get(*own)
        except TakenOver:
            ended = None
        self._taken_on.pop(own, None)
        if ended is None:
            return await self._ledger.get(*own)
        metrics.operations.labels(ended.kind, ended.state).inc()
        if account.market_code != PAPER and ended.steps:
            await self._venues.syncer.sync(account.user_id, account.id)
        return ended

    async def _ended(
        self, operation: Operation, account: Account, rounds: Rounds | None
    ) -> Operation | None:
        """Return an operation that was ended here, None where another process has ended it.

        Raises:
            Later: while something was sent, and nobody could tell yet what became of it.
            TakenOver: when another process works at it by now.
        """
        own = operation.user_id, operation.id
        now = self._clock.now()
        # Not later than now, also where the clock was set back since.
        since = self._taken_on[own] = min(self._taken_on.get(own, now), now)
        try:
            return await self._at_the_desk(operation, account, rounds, since)
        except (Later, TakenOver):
            raise
        except CoffersError as fault:
            why = str(fault)
        except Exception as fault:  # noqa: BLE001 - the job boundary: counted and logged
            metrics.worker_failures.labels(type(fault).__name__).inc()
            _log.exception("operation failed", operation=operation.id)
            why = "something went wrong here; the server's log says more"
        return await self._given_up(operation, since, why)

    async def _given_up(self, operation: Operation, since: Millis, why: str) -> Operation | None:
        operation = await self._ledger.get(operation.user_id, operation.id)
        if operation.state != "running":
            return None
        now = self._clock.now()
        async with self._store.reading() as tx:
            holder = await tx.accounts.held_by(operation.user_id, operation.account_id, now)
        if holder is not None and holder.startswith(_purpose(operation)):
            raise TakenOver
        if any(step.state == "sent" for step in operation.steps) and now - since < GIVES_UP:
            raise Later(why)
        operation = await given_up(self._notes, operation, why)
        operation = replace(operation, state=state_of(operation))
        return operation if await self._notes.end(operation) else None

    async def _at_the_desk(
        self, operation: Operation, account: Account, rounds: Rounds | None, since: Millis
    ) -> Operation | None:
        forbidden = None
        try:
            self._ledger.check(account, operation.kind)
        except NotAllowed as fault:
            if not operation.steps:
                raise
            # Something may have been sent when it was still allowed.
            forbidden = str(fault)
        async with self._desk(account, operation) as (desk, holder):
            # Looked up again, now that it is ours: another process may have ended it.
            operation = await self._ledger.get(operation.user_id, operation.id)
            if operation.state != "running":
                return None
            venue = self._venue(account)
            doing = Doing(self._notes, operation, desk, venue, holder, since)
            operation = await doing.done(rounds, forbidden)
            operation = replace(operation, state=state_of(operation))
            return operation if await self._notes.end(operation, holder) else None

    @asynccontextmanager
    async def _desk(
        self, account: Account, operation: Operation | None = None
    ) -> AsyncIterator[tuple[TradingDesk, str | None]]:
        """Open a desk, with the account claimed, so that nobody reads it meanwhile.

        The name of its holder comes with it; paper needs none.
        """
        async with self._store.reading() as tx:
            sealed = await tx.secrets.get(account.user_id, account.id)
            book = await self._newest.read(tx)
        if account.market_code == PAPER:
            own = account.user_id, account.id
            yield PaperDesk(self._store, self._paper_orders, self._papers, own, self._newest), None
            return
        market = self._market(account)
        if sealed is None:
            raise NotAllowed("the account has no key to trade with")
        credentials = open_credentials(self._vault, account, sealed)

        async def show_life(tx: Transaction) -> None:
            if operation is not None:
                await tx.operations.note(operation, self._clock.now())

        purpose = "" if operation is None else _purpose(operation)
        own = account.user_id, account.id
        async with (
            claimed(self._store, self._clock, own, purpose, show_life) as holder,
            self._venues.trading.desk(market, credentials, _apart(market, book)) as desk,
        ):
            yield desk, holder

    async def _account(self, user_id: int, account_id: int) -> Account:
        async with self._store.reading() as tx:
            account = await tx.accounts.get(user_id, account_id)
        if account is None:
            raise NotFound(f"there is no account {account_id}")
        return account

    def _venue(self, account: Account) -> str | None:
        market = self._catalogue.get(account.market_code)
        return None if market is None else market.venue

    def _market(self, account: Account) -> Market:
        market = self._catalogue.get(account.market_code)
        if market is None or market.venue is None:
            raise NotForAccount("nothing can be traded in this account: it is at no exchange")
        return market


def _apart(market: Market, book: PriceBook | None) -> Collection[str]:
    """Return the symbols by which a market's venue means other assets than others do."""
    return () if book is None or market.venue is None else book.apart.get(market.venue, ())


def _purpose(operation: Operation) -> str:
    """Return how the names of those begin who hold the account for an operation."""
    return f"{OPERATION}{operation.user_id} {operation.id} "


def _selling(targets: Sequence[str]) -> Rounds:
    async def rounds(desk: TradingDesk) -> Round:
        free, pairs = await desk.free(), await desk.quoted()
        wanted = [desk.code_of(asset) for asset in targets]
        bridges = [desk.code_of(asset) for asset in BRIDGES if asset not in targets]
        return plan_sale(free, pairs, wanted, bridges)

    return rounds


_ROUNDS: dict[str, Rounds] = {SELL_TO_USD: _selling(DOLLARS), SELL_TO_BTC: _selling(("BTC",))}
