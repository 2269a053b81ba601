"""What a connector brings of an account's own trades, a few calls at a time."""

from dataclasses import dataclass
from typing import Protocol

from coffers.clock import Millis
from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import Market
from coffers.valuation.trade import Trade


@dataclass(frozen=True, slots=True)
class TradesRequest:
    """Where a walk stands, in the connector's own words, None for the first step.

    `assets` are those that are or were in the account, and `symbols` the contracts that it holds:
    some venues tell trades only of a symbol that one asks for.
    """

    cursor: str | None = None
    assets: frozenset[str] = frozenset()
    symbols: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FoundTrades:
    """What one step brought.

    All from `known_since` to `known_until` was asked by now, None before that is so of any moment.
    `is_resting` says that all was asked that can be, up to the moment of this look. `has_gaps`
    says that something may be left out, `is_untold` that the venue tells no trades at all.
    `reaches_first` is False where the venue tells none that are so old as the first may be.
    """

    trades: tuple[Trade, ...]
    cursor: str | None
    known_since: Millis | None = None
    known_until: Millis | None = None
    is_resting: bool = False
    has_gaps: bool = False
    is_untold: bool = False
    reaches_first: bool = True


class TradesConnector(Protocol):
    """One way to read the trades of accounts of some markets."""

    async def trades(
        self, market: Market, credentials: Credentials, request: TradesRequest
    ) -> FoundTrades:
        """Walk one step through the trades: a few calls, never two at once.

        Raises:
            ConnectorFailure: and nothing else, when the venue gave no usable answer.
        """
        ...

    async def open_orders(self, market: Market, credentials: Credentials) -> int | None:
        """Return how many orders wait at the venue, None where it does not tell that.

        Raises:
            ConnectorFailure: and nothing else, when the venue gave no usable answer.
        """
        ...
