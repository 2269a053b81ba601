"""What places orders and moves money at a venue, and what it tells of them."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from coffers.clock import Millis
from coffers.connectors.reading import Credentials
from coffers.errors import CoffersError
from coffers.markets.catalogue import Market
from coffers.valuation.orders import PlannedOrder, Side
from coffers.valuation.selling import Quoted

Fate = Literal["filled", "partly", "refused", "open", "unknown"]
"""What became of an order: all of it was filled, some of it, nothing; it waits; nobody knows."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What a venue tells of an order.

    `filled` is in units of the base, `cost` in units of the quote, `fee` in units of `fee_asset`,
    which is the venue's code; None where it is not told. `why` is for people.
    """

    fate: Fate
    filled: Decimal | None = None
    cost: Decimal | None = None
    fee: Decimal | None = None
    fee_asset: str | None = None
    venue_id: str | None = None
    why: str | None = None


class NotDone(CoffersError):
    """A venue refused what was asked of it: nothing was done."""


@dataclass(frozen=True, slots=True)
class Converted:
    """Small amounts that a venue turned into its own coin: in all, and asset by asset."""

    received: Decimal
    fee: Decimal
    parts: Sequence[Mapping[str, str | int]]


@dataclass(frozen=True, slots=True)
class Move:
    """Money between two wallets of one key, which are called as the exchange library does."""

    code: str
    amount: Decimal
    source: str
    target: str


Free = Callable[[], Awaitable[Mapping[str, Decimal]]]
"""Asks a venue what is free, by its codes."""


class TradingDesk(Protocol):
    """A talk with a venue on behalf of one account. All codes are the venue's own."""

    def code_of(self, asset: str) -> str:
        """Return the venue's code of an asset."""
        ...

    def asset_of(self, code: str) -> str:
        """Return our name of an asset by the venue's code."""
        ...

    async def free(self) -> Mapping[str, Decimal]:
        """Return what is free to be sold, by code."""
        ...

    async def quoted(self) -> Sequence[Quoted]:
        """Return the active pairs with their limits and what is bid and asked now.

        Where a venue tells that in no list, the last price stands for both.
        """
        ...

    async def worth(self, order: PlannedOrder) -> Decimal | None:
        """Return the average price that an order would have now; None where nobody would fill it.

        In units of quote per unit of base.
        """
        ...

    def untaken(self, side: Side) -> str | None:
        """Return why the venue is given no market orders of a side, None where it is."""
        ...

    async def place(self, order: PlannedOrder, client_id: str) -> Placed:
        """Place a market order and return what became of it.

        Raises:
            NotDone: when the venue takes nothing at present: it was not placed, and no other
                should follow.
            ConnectorFailure: when it is not known whether it was placed, or the venue is away.
        """
        ...

    async def find(
        self, order: PlannedOrder, client_id: str, sent_at: Millis | None
    ) -> Placed | None:
        """Return what became of an order that may have been placed; None where it never was.

        `sent_at` is when it was sent, if it was; None where nobody knows.

        Raises:
            ConnectorFailure: when the venue does not tell.
        """
        ...

    async def convert(self, codes: Sequence[str] | None) -> Converted:
        """Turn small amounts into the venue's own coin; all that it takes where none are named.

        Raises:
            NotDone: when the venue does not do it.
            ConnectorFailure: when it is not known whether it did.
        """
        ...

    def movable(self, move: Move) -> Move:
        """Return a move as the venue takes it: the amount cut down to its steps, never up.

        The amount is zero where it is less than the smallest step.
        """
        ...

    async def move(self, move: Move) -> str | None:
        """Move money between the wallets of one key; return the venue's id of it, if it has one.

        What is moved is what `movable` returns.

        Raises:
            NotDone: when the venue does not do it.
            ConnectorFailure: when it is not known whether it did.
        """
        ...

    async def find_move(self, move: Move, since: Millis, others: Collection[str]) -> Placed | None:
        """Return what became of a move that may have been done since a moment; None where none was.

        `others` are the venue's ids of moves that are known already.

        Raises:
            ConnectorFailure: when the venue does not tell.
        """
        ...


class Trading(Protocol):
    """Opens desks."""

    def desk(
        self, market: Market, credentials: Credentials, apart: Collection[str] = ()
    ) -> AbstractAsyncContextManager[TradingDesk]:
        """Open a desk at a market's venue.

        `apart` are the symbols by which the venue means other assets than others do.
        """
        ...
