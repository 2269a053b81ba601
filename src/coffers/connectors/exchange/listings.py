"""Asks venues what they list, holding no more of them open than it must.

A venue's table takes 5 to 20 MB. Those that accounts are read at are held anyway; of the others,
which anybody may ask about, only the last few are.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from coffers.clock import Millis
from coffers.connectors.exchange.listing import read_rates
from coffers.connectors.exchange.networks import (
    deposit_address,
    max_leverage,
    read_currencies,
)
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.listings import Listed, Listings
from coffers.connectors.reading import Credentials
from coffers.markets.pairs import DepositAddress, Rate, VenueCurrency

MOST_HELD = 6
"""Venues that are held open for being asked about alone."""


class ExchangeListings(Listings):
    """Asks venues that ccxt knows."""

    def __init__(self, venues: Venues) -> None:
        self._venues = venues
        self._held: OrderedDict[str, None] = OrderedDict()

    async def listed(self, venue: str, oldest: Millis) -> Listed:
        """Return what a venue lists; see `Listings.listed`."""
        await self._hold(venue)
        return await self._venues.listed(venue, oldest)

    async def rates(self, venue: str, symbols: Collection[str]) -> Mapping[str, Rate]:
        """Return what pairs are traded at; see `Listings.rates`."""
        await self._hold(venue)
        async with self._venues.session(venue) as session:
            return await read_rates(session, list(symbols))

    async def currencies(self, venue: str, credentials: Credentials) -> Sequence[VenueCurrency]:
        """Return a venue's currencies; see `Listings.currencies`."""
        async with self._venues.session(venue, credentials) as session:
            return await read_currencies(session)

    async def max_leverage(
        self, venue: str, credentials: Credentials, symbol: str
    ) -> Decimal | None:
        """Return the most leverage of a contract; see `Listings.max_leverage`."""
        async with self._venues.session(venue, credentials) as session:
            return await max_leverage(session, symbol)

    async def deposit_address(
        self, venue: str, credentials: Credentials, currency: str, network: str | None
    ) -> DepositAddress:
        """Return where an account takes deposits; see `Listings.deposit_address`."""
        async with self._venues.session(venue, credentials) as session:
            return await deposit_address(session, currency, network)

    async def _hold(self, venue: str) -> None:
        """Count a venue among those held, if nobody else does, and let the oldest of them go."""
        if venue in self._held:
            self._held.move_to_end(venue)
        elif not self._venues.is_open(venue):
            self._held[venue] = None
        while len(self._held) > MOST_HELD:
            oldest, _ = self._held.popitem(last=False)
            await self._venues.let_go(oldest)
