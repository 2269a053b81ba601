"""The whole way in: simulated exchange, real client over HTTP, readings, database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from coffers.clock import MINUTE, Millis, SystemClock
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.connecting import Connecting, Connection
from coffers.portfolio.listing import Listing
from coffers.portfolio.view import AccountView
from coffers.pricing.keeper import PriceKeeper
from coffers.pricing.past import CandlePrices
from coffers.sandbox import Exchange, NewKey, SandboxControl, machine_time, running
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.prices import PriceRounds
from coffers.sync.syncer import Result, Syncer
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault

KEY, POORER = "fake-key-rich".ljust(64, "x"), "fake-key-poor".ljust(64, "x")
RICHER = "fake-key-richest".ljust(64, "x")
HELD = {"BTC": Decimal("0.5"), "ETH": Decimal(4), "USDT": Decimal("2500.5")}
CALL_TIMEOUT = 2.0


class MovedClock(SystemClock):
    """The machine's clock, moved ahead by tests instead of waiting."""

    ahead = 0

    def now(self) -> Millis:
        return Millis(super().now() + self.ahead)


@dataclass
class World:
    """A house with one account that was read once at a venue that can be made to fail."""

    control: SandboxControl
    store: Store
    keeper: PriceKeeper
    syncer: Syncer
    account: Account
    clock: MovedClock

    async def read(self) -> Result:
        """Read the account now, however soon after the last time."""
        return await self.syncer.sync(self.account.user_id, self.account.id)

    async def refresh_prices(self) -> None:
        """Write a price book of this moment."""
        await PriceRounds(self.store, load_catalogue(), self.keeper, ()).refresh()

    async def view(self) -> AccountView:
        """Return the account as a list shows it."""
        async with self.store.reading() as tx:
            account = await tx.accounts.get(self.account.user_id, self.account.id)
            book = await tx.prices.newest()
        assert account is not None
        (shown,) = await Listing(self.store, self.clock).views(
            account.user_id, [account], book, "USD"
        )
        return shown


@pytest.fixture
async def world(sqlite_store: Store) -> AsyncIterator[World]:
    clock, key, catalogue = MovedClock(), new_key(), load_catalogue()
    vault = Vault(lambda: KeyRing([key]))
    async with running(Exchange(7, machine_time)) as url, SandboxControl(url) as control:
        poor, rich = {"USDT": Decimal(10)}, {"BTC": Decimal(2)}
        for name, balances in ((KEY, HELD), (POORER, poor), (RICHER, rich)):
            await control.create_key(
                NewKey(venue="binance", key=name, secret="fake-secret", balances=balances)
            )
        venues = Venues(url, CALL_TIMEOUT, clock, is_paced=False)
        connector = ExchangeConnector(venues, clock)
        keeper = PriceKeeper(sqlite_store, venues, clock, Decimal(10_000))
        valuer = FlowValuer(sqlite_store, CandlePrices(venues))
        pace = Pace(Millis(5 * MINUTE), lambda: 0.5)
        syncer = Syncer(sqlite_store, vault, catalogue, connector, valuer, clock, pace)
        async with sqlite_store.transaction() as tx:
            user = await tx.users.add("ann", clock.now())
        connecting = Connecting(sqlite_store, vault, catalogue, connector, clock, "refuse_withdraw")
        account = await connecting.connect(
            Connection(user.id, "binance", "Main", Credentials(KEY, Secret("fake-secret")))
        )
        made = World(control, sqlite_store, keeper, syncer, account, clock)
        await made.refresh_prices()
        assert (await made.read()).failure is None
        yield made
        await connector.close()
        await venues.close()
