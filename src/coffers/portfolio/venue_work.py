"""What workers do for API processes: connect accounts and read them now.

Each errand is a struct that both ends know; the worker's end is `VenueWork`.
"""

from collections.abc import Mapping

import msgspec

from coffers.clock import Clock
from coffers.errors import NotFound
from coffers.portfolio.checking import Checking
from coffers.portfolio.connecting import Connecting
from coffers.portfolio.errand_desk import Handler
from coffers.portfolio.errand_forms import (
    CHECK,
    CONNECT,
    CONNECT_WALLET,
    RECONNECT,
    REFRESH,
    ConnectAsked,
    Connected,
    ReconnectAsked,
    RefreshAsked,
    Refreshed,
    WalletAsked,
)
from coffers.portfolio.reading_now import ReadingNow
from coffers.portfolio.reconnecting import Reconnecting
from coffers.portfolio.wallets import ConnectingWallets, Wallet
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.sync.prices import PriceRounds
from coffers.sync.syncer import Outcome, Syncer


class VenueWork:
    """Does errands where exchanges and chains can be asked."""

    def __init__(
        self,
        store: Store,
        connecting: Connecting,
        wallets: ConnectingWallets,
        reconnecting: Reconnecting,
        prices: PriceRounds,
        syncer: Syncer,
        clock: Clock,
    ) -> None:
        self._connecting = connecting
        self._wallets = wallets
        self._reconnecting = reconnecting
        self._checking = Checking(connecting, wallets, reconnecting)
        self._prices = prices
        self._reading = ReadingNow(store, syncer, clock)

    def handlers(self) -> Mapping[str, Handler]:
        """Return who does what."""
        return {
            CHECK: self._checking.check,
            CONNECT: self._connect,
            CONNECT_WALLET: self._connect_wallet,
            RECONNECT: self._reconnect,
            REFRESH: self._refresh,
        }

    async def _connect(self, user_id: int, body: bytes) -> Connected:
        asked = msgspec.json.decode(body, type=ConnectAsked)
        return await self._first_readings(
            await self._connecting.connect_all(asked.connections(user_id))
        )

    async def _connect_wallet(self, user_id: int, body: bytes) -> Connected:
        asked = msgspec.json.decode(body, type=WalletAsked)
        wallet = Wallet(
            user_id, asked.market_code, asked.name, asked.address, asked.include_in_summary
        )
        return await self._first_readings([await self._wallets.connect(wallet)])

    async def _reconnect(self, user_id: int, body: bytes) -> Connected:
        asked = msgspec.json.decode(body, type=ReconnectAsked)
        account = await self._reconnecting.reconnect(user_id, asked.account_id, asked.given)
        return await self._first_readings([account])

    async def _first_readings(self, accounts: list[Account]) -> Connected:
        """Read accounts with new keys once; what fails is tried again later."""
        await self._prices.refresh()
        for account in accounts:
            await self._reading.read(account.user_id, account.id)
        return Connected(tuple(account.id for account in accounts))

    async def _refresh(self, user_id: int, body: bytes) -> Refreshed:
        asked = msgspec.json.decode(body, type=RefreshAsked)
        result = await self._reading.read(user_id, asked.account_id)
        if result.outcome is Outcome.GONE:
            raise NotFound(f"there is no account {asked.account_id}")
        failure = result.failure
        if failure is None:
            return Refreshed(result.outcome.value)
        return Refreshed(result.outcome.value, failure.kind.value, str(failure))
