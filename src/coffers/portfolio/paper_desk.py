"""A paper account as a desk: orders are filled at the prices of the newest book.

That is the book as it counts for the owner, looked up anew each time: prices may be made while the
desk is open, and all judge an order by the same ones.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from coffers import money
from coffers.clock import Millis
from coffers.connectors.trading import Converted, Move, NotDone, Placed
from coffers.errors import CoffersError
from coffers.markets.assets import is_of_one_venue
from coffers.money import plain
from coffers.portfolio.paper import PaperAccounts
from coffers.portfolio.paper_fills import PLACES
from coffers.portfolio.paper_orders import OrderWanted, PaperOrders
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from coffers.store.newest import NewestBook
from coffers.store.paper import PaperOrder
from coffers.valuation.model import PriceBook
from coffers.valuation.orders import PairLimits, PlannedOrder, Side
from coffers.valuation.selling import Quoted

QUOTES = ("USD", "USDT", "USDC", "BTC")
"""What everything can be paid in on paper."""

_STEP = Decimal(1).scaleb(-PLACES)


class PaperDesk:
    """Trades in one paper account; see `TradingDesk`. Codes are our names of assets."""

    def __init__(
        self,
        store: Store,
        orders: PaperOrders,
        accounts: PaperAccounts,
        owner: tuple[int, int],
        newest: NewestBook,
    ) -> None:
        self._store = store
        self._orders = orders
        self._accounts = accounts
        self._user_id, self._account_id = owner
        self._newest = newest

    def code_of(self, asset: str) -> str:
        """Return the asset: paper has no names of its own."""
        return asset

    def asset_of(self, code: str) -> str:
        """Return the code, which is the asset."""
        return code

    async def free(self) -> Mapping[str, Decimal]:
        """Return what the account holds."""
        found = await self._accounts.get(self._user_id, self._account_id)
        return {asset: amount for asset, amount in found.amounts.items() if amount > 0}

    async def quoted(self) -> Sequence[Quoted]:
        """Return every priced asset in each of `QUOTES`."""
        book = await self._book()
        if book is None:
            return []
        fee = (await self._accounts.get(self._user_id, self._account_id)).terms.fee
        prices = {
            asset: price.usd
            for asset, price in book.prices.items()
            if price.usd and not is_of_one_venue(asset)
        }
        return [
            Quoted(PairLimits(base, quote, _STEP, None, None, None, None, fee), ratio, ratio)
            for quote in QUOTES
            if quote in prices
            for base, usd in prices.items()
            if base != quote and (ratio := money.divide(usd, prices[quote])) > 0
        ]

    def untaken(self, side: Side) -> None:
        """Return None: paper takes market orders of either side."""

    async def worth(self, order: PlannedOrder) -> Decimal | None:
        """Return the ratio of the book's prices."""
        book = await self._book()
        prices = {} if book is None else book.prices
        base, quote = prices.get(order.base), prices.get(order.quote)
        return None if base is None or quote is None else money.divide(base.usd, quote.usd)

    async def place(self, order: PlannedOrder, client_id: str) -> Placed:
        """Fill an order; under the same client's id it is filled once."""
        wanted = OrderWanted(
            order.side, order.base, order.quote, plain(order.amount), key=client_id
        )
        try:
            filled = await self._orders.place(self._user_id, self._account_id, wanted)
        except StoreUnavailable:
            # It may be written all the same.
            raise
        except CoffersError as error:
            return Placed("refused", why=str(error))
        return _placed(filled)

    async def find(
        self, _order: PlannedOrder, client_id: str, _sent_at: Millis | None
    ) -> Placed | None:
        """Return what became of an order."""
        async with self._store.reading() as tx:
            found = await tx.paper.named(self._user_id, self._account_id, client_id)
        return None if found is None else _placed(found[0])

    async def _book(self) -> PriceBook | None:
        async with self._store.reading() as tx:
            book = await self._newest.read(tx)
            return None if book is None else (await tx.choices.of(self._user_id)).book(book)

    async def convert(self, codes: Sequence[str] | None) -> Converted:
        """Refuse: paper has no small amounts.

        Raises:
            NotDone: always.
        """
        raise NotDone(f"{codes or 'nothing'} is converted on paper")

    def movable(self, move: Move) -> Move:
        """Return a move as it is: paper has no steps."""
        return move

    async def move(self, move: Move) -> str | None:
        """Refuse: paper has one wallet.

        Raises:
            NotDone: always.
        """
        raise NotDone(f"{move.code} cannot go from {move.source} to {move.target} on paper")

    async def find_move(self, _move: Move, _since: Millis, _others: Collection[str]) -> None:
        """Return that none was done: paper has one wallet."""


def _placed(order: PaperOrder) -> Placed:
    is_sale = order.side == "sell"
    received = money.add(order.received, order.fee)
    filled, cost = (order.spent, received) if is_sale else (received, order.spent)
    return Placed("filled", filled, cost, order.fee, order.received_asset, str(order.id))
