"""What can be asked of a venue beside its accounts: pairs, rates, networks, deposit addresses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from coffers.clock import Millis
from coffers.connectors.reading import Credentials
from coffers.markets.pairs import DepositAddress, Rate, VenueCurrency, VenuePair


@dataclass(frozen=True, slots=True)
class Listed:
    """A venue's active pairs at a moment, and its currencies where it tells them to anybody."""

    pairs: Sequence[VenuePair]
    currencies: Sequence[VenueCurrency]
    at: Millis


class Listings(Protocol):
    """One way to ask venues, by the exchange library's ids.

    Every method raises `ConnectorFailure`, and nothing else, when the venue gave no usable answer.
    """

    async def listed(self, venue: str, oldest: Millis) -> Listed:
        """Return what a venue lists, not older than a moment."""
        ...

    async def rates(self, venue: str, symbols: Collection[str]) -> Mapping[str, Rate]:
        """Return what pairs are traded at, by symbol; what the venue does not tell is left out."""
        ...

    async def currencies(self, venue: str, credentials: Credentials) -> Sequence[VenueCurrency]:
        """Return a venue's currencies with their networks, asked with an account's key."""
        ...

    async def max_leverage(
        self, venue: str, credentials: Credentials, symbol: str
    ) -> Decimal | None:
        """Return the most leverage that an account may take in a contract, None where untold."""
        ...

    async def deposit_address(
        self, venue: str, credentials: Credentials, currency: str, network: str | None
    ) -> DepositAddress:
        """Return where an account takes deposits; the names are the exchange library's."""
        ...
