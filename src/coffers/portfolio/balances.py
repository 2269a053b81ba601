"""What accounts hold asset by asset, and which part of their worth each asset is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from coffers import money
from coffers.clock import Millis
from coffers.store.engine import Store
from coffers.store.records import Asset, AssetOverride
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import UNCOUNTED, UNLISTED, Position, Price, PriceBook, Value
from coffers.valuation.value import is_agreed


@dataclass(frozen=True, slots=True)
class AssetBalance:
    """One asset over all wallets, in units of it. `price` is None where there is none.

    `owned` is what counts for the value: free + in orders + open profit - debts. `name` and
    `symbol` are what it is shown as, the asset itself where nothing else is known.
    """

    asset: str
    free: Decimal
    in_orders: Decimal
    borrowed: Decimal
    interest: Decimal
    owned: Decimal
    price: Price | None
    name: str
    symbol: str

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
        """Return what the accounts of a user hold together, most worth first.

        `book` is as it counts for the user. What the user ignores is left out.
        """
        async with self._store.reading() as tx:
            held = await tx.holdings.of_accounts(user_id, ids)
            choices = await tx.choices.of(user_id)
            counted = [
                each
                for account_id, positions in held.items()
                for each in choices.counted(account_id, positions)
            ]
            names = await tx.assets.of({each.asset for each in counted})
            said = await tx.choices.overrides(user_id)
        return [_called(each, names, said) for each in balances_of(counted, book)]


def balances_of(positions: Iterable[Position], book: PriceBook | None) -> list[AssetBalance]:
    """Return positions summed by asset, most worth first; those without a price are last.

    An asset of which nothing is held, owed or owned is left out, and so is what counts for nothing.
    """
    by_asset: dict[str, list[Position]] = {}
    prices = {} if book is None else book.prices
    for position in positions:
        is_apart = position.wallet == UNLISTED and not is_agreed(prices.get(position.asset))
        if position.wallet in UNCOUNTED or is_apart:
            continue
        by_asset.setdefault(position.asset, []).append(position)
    balances = [_summed(asset, found, prices.get(asset)) for asset, found in by_asset.items()]
    return sorted(filter(_is_something, balances), key=_rank)


class Valued(Protocol):
    """Something of one asset that is worth something, or of which that is not known."""

    @property
    def asset(self) -> str:
        """The asset's code."""
        ...

    @property
    def value(self) -> Value | None:
        """What it is worth."""
        ...


def parts_of(balances: Iterable[Valued]) -> dict[str, Decimal]:
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
        name=asset,
        symbol=asset,
    )


def _called(
    balance: AssetBalance, met: Mapping[str, Asset], said: Mapping[str, AssetOverride]
) -> AssetBalance:
    """Return a balance under the names that the user gave, or else those that are known."""
    asset, own = met.get(balance.asset), said.get(balance.asset)
    name = (own and own.name) or (asset and asset.name)
    symbol = own and own.symbol
    return replace(balance, name=name or balance.name, symbol=symbol or balance.symbol)


def _is_something(balance: AssetBalance) -> bool:
    return bool(balance.held or balance.borrowed or balance.interest or balance.owned)


def _rank(balance: AssetBalance) -> tuple[bool, Decimal, str]:
    value = balance.value
    return (value is None, money.ZERO if value is None else -value.usd, balance.asset)
