"""Very many trades are summed up without loss, and without all of them in memory."""

from decimal import Decimal

import pytest

import stored
from coffers.clock import Millis
from coffers.money import total
from coffers.store import trades
from coffers.store.engine import Store
from coffers.store.trades import Traded, TradeFilter
from coffers.valuation.model import Value
from coffers.valuation.trade import Trade
from factories import NOW


def trade(number: int) -> Trade:
    # Several of one moment, and one in six whose worth is not known.
    at, cost = Millis(NOW - number // 4), Decimal(number) / 7
    value = Value(cost / 3, cost) if number % 6 else None
    symbol = ("BTC/USDT", "ETH/USDT")[number % 2]
    return Trade(
        symbol, f"{number:05}", None, "spot", "BTC", "USDT", "buy", Decimal(1), Decimal(1), cost,
        "USDT", None, None, at, value,
    )  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 3, 5, 50])
async def test_a_sum_in_portions_is_that_of_all(
    store: Store, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    owner = await stored.user(store)
    known, other = [await stored.account(store, owner, name) for name in ("One", "Two")]
    made = [trade(number) for number in range(50)]
    async with store.transaction() as tx:
        await tx.trades.add(owner.id, known.id, made)
        await tx.trades.add(owner.id, other.id, made[:7])
    monkeypatch.setattr(trades, "BATCH_SIZE", at_once)
    for wanted in (
        TradeFilter(None, None, None),
        TradeFilter("ETH/USDT", Millis(NOW - 9), Millis(NOW - 2)),
        TradeFilter(None, Millis(NOW + 1), None),
    ):
        found = [
            each
            for each in made
            if wanted.symbol in {None, each.symbol}
            and (wanted.since is None or each.at >= wanted.since)
            and (wanted.until is None or each.at <= wanted.until)
        ]
        values = [each.value for each in found if each.value is not None]
        worth = Value(total(value.btc for value in values), total(value.usd for value in values))
        async with store.reading() as tx:
            told = await tx.trades.traded(owner.id, known.id, wanted)
        assert told == Traded(len(found), worth, len(found) - len(values))
