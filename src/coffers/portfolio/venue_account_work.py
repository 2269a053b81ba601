"""What workers ask venues for, with an account's key: the other end of `venue_account`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec

from coffers.clock import Clock
from coffers.connectors.listings import Listings
from coffers.connectors.reading import Credentials
from coffers.errors import NotFound
from coffers.markets.catalogue import Catalogue
from coffers.markets.pairs import DepositAddress
from coffers.portfolio.claimed import claimed
from coffers.portfolio.errand_desk import Handler
from coffers.portfolio.venue_account import (
    DEPOSIT_ADDRESS,
    LEVERAGE,
    NETWORKS,
    AddressAsked,
    LeverageAsked,
    NetworksAsked,
)
from coffers.store.engine import Store
from coffers.store.venue_tasks import CURRENCIES, Task
from coffers.sync.credentials import open_credentials
from coffers.vault.vault import Vault


class VenueAccountWork:
    """Does errands about accounts at venues; a key is never used twice at once."""

    def __init__(
        self, store: Store, vault: Vault, catalogue: Catalogue, listings: Listings, clock: Clock
    ) -> None:
        self._store = store
        self._vault = vault
        self._catalogue = catalogue
        self._listings = listings
        self._clock = clock

    def handlers(self) -> Mapping[str, Handler]:
        """Return who does what."""
        return {
            NETWORKS: self._networks,
            DEPOSIT_ADDRESS: self._deposit_address,
            LEVERAGE: self._leverage,
        }

    async def _networks(self, user_id: int, body: bytes) -> None:
        asked = msgspec.json.decode(body, type=NetworksAsked)
        async with self._opened(user_id, asked.account_id) as (venue, credentials):
            currencies = await self._listings.currencies(venue, credentials)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            await tx.venue_markets.keep_currencies(venue, currencies)
            await tx.venue_tasks.found(Task(venue, CURRENCIES), now)

    async def _deposit_address(self, user_id: int, body: bytes) -> DepositAddress:
        asked = msgspec.json.decode(body, type=AddressAsked)
        async with self._opened(user_id, asked.account_id) as (venue, credentials):
            return await self._listings.deposit_address(
                venue, credentials, asked.currency, asked.network
            )

    async def _leverage(self, user_id: int, body: bytes) -> Decimal | None:
        asked = msgspec.json.decode(body, type=LeverageAsked)
        async with self._opened(user_id, asked.account_id) as (venue, credentials):
            return await self._listings.max_leverage(venue, credentials, asked.symbol)

    @asynccontextmanager
    async def _opened(
        self, user_id: int, account_id: int
    ) -> AsyncIterator[tuple[str, Credentials]]:
        """Open an account's key, with the account claimed meanwhile.

        Raises:
            NotFound: when the user has no such account, or no exchange holds it.
            ConnectorFailure: when somebody else reads it for longer than is waited for.
        """
        async with claimed(self._store, self._clock, (user_id, account_id)):
            async with self._store.reading() as tx:
                account = await tx.accounts.get(user_id, account_id)
                sealed = await tx.secrets.get(user_id, account_id)
            market = None if account is None else self._catalogue.get(account.market_code)
            if account is None or sealed is None or market is None or market.venue is None:
                raise NotFound(f"there is no account {account_id}")
            yield market.venue, open_credentials(self._vault, account, sealed)
