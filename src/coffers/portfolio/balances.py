"""What accounts hold asset by asset, and which part of their worth each asset is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.clock import Millis
from coffers.store.engine import Store
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import Position, Price, PriceBook, Value


@dataclass(frozen=True, slots=True)
class AssetBalance:
    """One asset over all wallets, in units of it. `price` is None where there is none.

    `owned` is what counts for the value: free + in orders + open profit - debts.
    """

    asset: str
    free: Decimal
    in_orders: Decimal
    borrowed: Decimal
    interest: Decimal
    owned: Decimal
    price: Price | None

    @property
    def held(self) -> Decimal:
        """Units that lie there, borrowed or not."""
        return money.add(self.free, self.in_orders)

    @property
    def value(self) -> Value | None:
        """What the owned units are worth, None without a price; of a debt it is negative."""
        price = self.price
        if price is None:
            return None
        return Value(money.multiply(self.owned, price.btc), money.multiply(self.owned, price.usd))


class Balances:
    """Reads what accounts hold."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(
        self, user_id: int, ids: Sequence[int], book: PriceBook | None
    ) -> list[AssetBalance]:
        """Return what the accounts of a user hold together, most worth first."""
        async with self._store.reading() as tx:
            held = await tx.holdings.of_accounts(user_id, ids)
        return balances_of((each for positions in held.values() for each in positions), book)


def balances_of(positions: Iterable[Position], book: PriceBook | None) -> list[AssetBalance]:
    """Return positions summed by asset, most worth first; those without a price are last.

    An asset of which nothing is held, owed or owned is left out.
    """
    by_asset: dict[str, list[Position]] = {}
    for position in positions:
        by_asset.setdefault(position.asset, []).append(position)
    prices = {} if book is None else book.prices
    balances = [_summed(asset, found, prices.get(asset)) for asset, found in by_asset.items()]
    return sorted(filter(_is_something, balances), key=_rank)


def parts_of(balances: Iterable[AssetBalance]) -> dict[str, Decimal]:
    """Return which part of all that is worth something each asset is, in percent by USD.

    The parts of what is worth more than nothing come to 100; a debt's part is negative. An asset
    without a price has no known part, and is left out.
    """
    worths = {each.asset: value.usd for each in balances if (value := each.value) is not None}
    whole = money.total(worth for worth in worths.values() if worth > 0)
    return {asset: money.percentage(worth, whole) for asset, worth in worths.items()}


def shown_in(display: DisplayCurrency, value: Value, at: Millis) -> Decimal | None:
    """Return a value in a display currency at a moment's rate, None where that is not known."""
    match display.code:
        case "USD":
            return value.usd
        case "BTC":
            return value.btc
        case _:
            rate = display.rate_at(at)
            return None if rate is None else money.multiply(value.usd, rate)


def _summed(asset: str, found: Sequence[Position], price: Price | None) -> AssetBalance:
    return AssetBalance(
        asset=asset,
        free=money.total(each.free for each in found),
        in_orders=money.total(each.in_orders for each in found),
        borrowed=money.total(each.borrowed for each in found),
        interest=money.total(each.interest for each in found),
        owned=money.total(each.owned for each in found),
        price=price,
    )


def _is_something(balance: AssetBalance) -> bool:
    return bool(balance.held or balance.borrowed or balance.interest or balance.owned)


def _rank(balance: AssetBalance) -> tuple[bool, Decimal, str]:
    value = balance.value
    return (value is None, money.ZERO if value is None else -value.usd, balance.asset)
