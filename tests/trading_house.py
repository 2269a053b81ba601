"""The API and a worker that trades at the simulated exchange, all in one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import httpx

from coffers.clock import MINUTE, Millis, SystemClock
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.trading import ExchangeTrading
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.connecting import Connecting, Connection
from coffers.portfolio.errand_desk import ErrandDesk
from coffers.portfolio.ledger import Ledger
from coffers.portfolio.operation_notes import Notes
from coffers.portfolio.operation_work import OperationWork
from coffers.portfolio.operations import Operations
from coffers.portfolio.operations import Venues as Places
from coffers.pricing.keeper import PriceKeeper
from coffers.pricing.past import CandlePrices
from coffers.sandbox import Exchange, NewKey, SandboxControl, machine_time, running
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.prices import PriceRounds
from coffers.sync.syncer import Syncer
from served import LIST, Caller, Served, serving

WRITER = ("accounts_read", "accounts_write")
KEY = "fake-key".ljust(64, "x")


@dataclass
class TradingHouse:
    """Everything, and one account at the exchange."""

    api: Served
    caller: Caller
    control: SandboxControl
    operations: Operations
    ledger: Ledger
    syncer: Syncer
    account: Account
    another: "Another"

    async def post(self, what: str, body: str = "", **headers: str) -> httpx.Response:
        """Ask for something to be done with the account."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        target = f"{LIST}/{self.account.id}/{what}"
        return await self.api.post(self.caller, target, body, named)

    async def shown(self, operation_id: str | int) -> dict[str, Any]:
        """Return an operation as the API shows it."""
        target = f"/public/api/v1/operations/{operation_id}"
        found: dict[str, Any] = (await self.api.get(self.caller, target)).json()
        return found

    async def positions(self) -> dict[str, Decimal]:
        """Return what the account holds as last read."""
        async with self.api.services.store.reading() as tx:
            held = await tx.holdings.of_account(self.account.user_id, self.account.id)
        return {each.asset: each.owned for each in held}


class Another(Protocol):
    """Opens the operations of a worker that has just begun: it knows no exchange yet."""

    def __call__(self, *, is_on: bool = True) -> AbstractAsyncContextManager[Operations]:
        """Open them; `is_on` tells whether orders are allowed on it."""
        ...


@asynccontextmanager
async def trading(
    store: Store,
    balances: dict[str, str],
    *,
    is_on: bool = True,
    trade: bool = True,
    slippage: str = "0.05",
) -> AsyncIterator[TradingHouse]:
    """Open the house on a store; the account is connected and read."""
    catalogue = load_catalogue()
    async with (
        running(Exchange(7, machine_time)) as url,
        SandboxControl(url) as control,
        serving(store, trading=is_on) as api,
    ):
        api.clock.set(SystemClock().now())
        caller = await api.caller(permissions=WRITER)
        amounts = {code: Decimal(amount) for code, amount in balances.items()}
        await control.create_key(
            NewKey(venue="binance", key=KEY, secret="fake-secret", balances=amounts, trade=trade)
        )
        venues, vault = Venues(url, 10, api.clock, is_paced=False), api.services.vault
        connector = ExchangeConnector(venues, api.clock)
        keeper = PriceKeeper(store, venues, api.clock, Decimal(10_000))
        prices = PriceRounds(store, catalogue, keeper, ("binance",))
        valuer = FlowValuer(store, CandlePrices(venues))
        pace = Pace(Millis(5 * MINUTE), lambda: 0.5)
        syncer = Syncer(store, vault, catalogue, connector, valuer, api.clock, pace)
        connecting = Connecting(store, vault, catalogue, connector, api.clock, "refuse_withdraw")
        account = await connecting.connect(
            Connection(caller.user.id, "binance", "Main", Credentials(KEY, Secret("fake-secret")))
        )
        await prices.refresh()
        await syncer.sync(account.user_id, account.id)
        ledger = Ledger(store, catalogue, api.clock, is_trading_on=is_on)
        notes = Notes(store, prices, api.clock, Decimal(slippage))

        def made(at: Venues, *, is_on: bool) -> Operations:
            begins = Ledger(store, catalogue, api.clock, is_trading_on=is_on)
            places = Places(ExchangeTrading(at), syncer)
            return Operations(store, vault, catalogue, places, begins, notes, api.clock)

        @asynccontextmanager
        async def another(*, is_on: bool = True) -> AsyncIterator[Operations]:
            fresh = Venues(url, 10, api.clock, is_paced=False)
            try:
                yield made(fresh, is_on=is_on)
            finally:
                await fresh.close()

        operations = made(venues, is_on=is_on)
        desk = ErrandDesk(store, vault, api.clock, OperationWork(operations).handlers())
        task = asyncio.create_task(desk.run())
        try:
            yield TradingHouse(api, caller, control, operations, ledger, syncer, account, another)
        finally:
            desk.stop()
            await task
            await connector.close()
            await venues.close()
