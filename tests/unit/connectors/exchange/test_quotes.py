from decimal import Decimal
from typing import Any

import pytest

from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.quotes import read_quotes
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.quote import Quote
from factories import NOW
from unit.connectors.exchange.fakes import FakeExchange, session

TICKER = {
    "symbol": "BTC/USDT",
    "timestamp": NOW - 5,
    "bid": "73267.15000000",
    "ask": "73345.89000000",
    "last": "73346.14000000",
    "baseVolume": "129.21293000",
    "quoteVolume": "9254480.36011840",
}


async def quoted(*tickers: dict[str, Any], **markets: Any) -> list[Quote]:
    exchange = FakeExchange(fetch_tickers=[{str(n): t for n, t in enumerate(tickers)}])
    exchange.markets = {
        "BTC/USDT": {"spot": True, "base": "BTC", "quote": "USDT"},
        "BTC/USDT:USDT": {"spot": False, "base": "BTC", "quote": "USDT"},
        **markets,
    }
    return await read_quotes(session(exchange, Venue("binance", "Binance", ("binance",))))


async def test_a_ticker_is_quoted_digit_for_digit() -> None:
    assert await quoted(TICKER) == [
        Quote(
            "binance",
            "BTC",
            "USDT",
            Decimal("73267.15000000"),
            Decimal("73345.89000000"),
            Decimal("73346.14000000"),
            Decimal("9254480.36011840"),
            NOW - 5,
        )
    ]


async def test_what_is_missing_is_unknown_and_never_zero() -> None:
    (quote,) = await quoted(
        {**TICKER, "bid": None, "ask": "0.00000000", "quoteVolume": None, "timestamp": None}
    )
    assert (quote.bid, quote.ask, quote.at) == (None, None, NOW)
    assert quote.volume == Decimal("129.21293000") * Decimal("73346.14000000")


async def test_without_a_last_price_the_base_volume_says_nothing() -> None:
    (quote,) = await quoted({**TICKER, "last": None, "quoteVolume": None})
    assert quote.volume is None


async def test_a_ticker_from_the_future_is_of_now() -> None:
    (quote,) = await quoted({**TICKER, "timestamp": NOW + 60_000})
    assert quote.at == NOW


async def test_only_spot_pairs_that_are_listed_are_quoted() -> None:
    swap, unlisted = {**TICKER, "symbol": "BTC/USDT:USDT"}, {**TICKER, "symbol": "NEW/USDT"}
    assert len(await quoted(TICKER, swap, unlisted)) == 1


async def test_a_broken_ticker_spoils_only_itself() -> None:
    assert len(await quoted(TICKER, {**TICKER, "last": "NaN"}, {**TICKER, "bid": 0.5})) == 1


async def test_the_assets_have_our_names() -> None:
    odd = {"OLD/USDT": {"spot": True, "base": "XBT", "quote": "USDT"}}
    (quote,) = await quoted({**TICKER, "symbol": "OLD/USDT"}, **odd)
    assert quote.base == "BTC"


@pytest.mark.parametrize("tickers", [[], [{**TICKER, "symbol": "BTC/USDT:USDT"}]])
async def test_no_spot_pair_at_all_is_no_answer(tickers: list[dict[str, Any]]) -> None:
    with pytest.raises(ConnectorFailure, match="quotes no spot pair"):
        await quoted(*tickers)
