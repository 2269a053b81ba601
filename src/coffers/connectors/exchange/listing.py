"""ccxt's table of a venue's markets -> pairs with their rules; its tickers -> rates.

ccxt gives steps in one of three ways: as the step itself, as a number of decimal places, or as a
number of significant digits. Of the last kind it has two venues, Bitfinex and Bithumb; there only
prices are counted so, and amounts in decimal places (their `amount_to_precision` says so).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from coffers import money
from coffers.clock import Millis
from coffers.connectors.exchange.library import ccxt
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import InvalidAmount
from coffers.markets.pairs import Kind, Rate, VenuePair

MOST_PLACES = 60
"""Decimal places beyond which a number of them is no such number."""

MANY = 4
"""Pairs from which one call for all of them is cheaper than one for each."""

_Row = Mapping[str, Any]


def pairs_of(exchange: Any) -> list[VenuePair]:  # noqa: ANN401  # ccxt has no types
    """Return the active pairs of an exchange whose markets are loaded, by their names.

    Options, and whatever else is neither spot nor a contract, are left out, and so is a pair that
    ccxt could not make sense of. Of two with the same name the first one counts.
    """
    found: dict[tuple[Kind, str], VenuePair] = {}
    for market in exchange.markets.values():
        pair = _pair(market, exchange.precisionMode)
        if pair is not None:
            found.setdefault((pair.kind, pair.name), pair)
    return sorted(found.values(), key=lambda pair: (pair.kind, pair.name))


async def read_rates(session: VenueSession, symbols: Sequence[str]) -> dict[str, Rate]:
    """Return what pairs are traded at, by symbol; one that the venue does not tell is left out.

    Raises:
        ConnectorFailure: when the venue gave no usable answer.
    """
    rates: dict[str, Rate | None] = {}
    for same in _by_type(session, symbols):
        now = session.now()
        if len(same) >= MANY and session.can("fetchTickers"):
            tickers = await session.ask("fetch_tickers", same)
        else:
            tickers = {symbol: await _ticker(session, symbol) for symbol in same}
        rates.update((symbol, _rate(tickers.get(symbol), now)) for symbol in same)
    return {symbol: rate for symbol, rate in rates.items() if rate is not None}


def _by_type(session: VenueSession, symbols: Sequence[str]) -> Iterable[list[str]]:
    """Part symbols by their type: no venue is asked for spot pairs and contracts at once."""
    types: dict[str, list[str]] = {}
    for symbol in symbols:
        market = session.exchange.markets.get(symbol) or {}
        types.setdefault(str(market.get("type")), []).append(symbol)
    return types.values()


async def _ticker(session: VenueSession, symbol: str) -> _Row:
    if session.can("fetchTicker"):
        ticker: _Row = await session.ask("fetch_ticker", symbol)
        return ticker
    if session.can("fetchTickers"):
        tickers = await session.ask("fetch_tickers", [symbol])
        return dict(tickers.get(symbol) or {})
    message = f"{session.venue.name} does not tell what its pairs are traded at."
    raise ConnectorFailure(FailureKind.UNSUPPORTED, message, code="no_tickers")


def _rate(ticker: _Row | None, now: Millis) -> Rate | None:
    last, bid, ask = (positive_number((ticker or {}).get(name)) for name in ("last", "bid", "ask"))
    return Rate(last, bid, ask, now) if last or bid or ask else None


def _pair(market: _Row, mode: int) -> VenuePair | None:
    kind = _kind(market)
    codes = [market.get(name) for name in ("base", "quote", "symbol", "id")]
    if kind is None or market.get("active") is False or not all(codes):
        return None
    base, quote, symbol, own = (str(code) for code in codes)
    limits, precision = market.get("limits") or {}, market.get("precision") or {}
    size = _size(market, kind)
    price_digits, price_step = _price_steps(precision.get("price"), mode)
    modes = market.get("marginModes") or {}
    return VenuePair(
        symbol=symbol,
        kind=kind,
        base=base,
        quote=quote,
        settle=None if kind == "spot" else str(market.get("settle") or quote),
        base_code=str(market.get("baseId") or base),
        quote_code=str(market.get("quoteId") or quote),
        venue_code=own,
        min_price=_bound(limits, "price", "min"),
        max_price=_bound(limits, "price", "max"),
        price_step=price_step,
        price_digits=price_digits,
        min_amount=_sized(_bound(limits, "amount", "min"), size),
        max_amount=_sized(_bound(limits, "amount", "max"), size),
        amount_step=_sized(_amount_step(precision.get("amount"), mode), size),
        min_market_amount=_sized(_bound(limits, "market", "min"), size),
        max_market_amount=_sized(_bound(limits, "market", "max"), size),
        min_cost=_bound(limits, "cost", "min"),
        max_cost=_bound(limits, "cost", "max"),
        taker=number_of(market.get("taker")),
        min_leverage=_bound(limits, "leverage", "min"),
        max_leverage=_bound(limits, "leverage", "max"),
        on_margin=flag_of(market.get("margin")),
        cross=flag_of(modes.get("cross")),
        isolated=flag_of(modes.get("isolated")),
    )


def _kind(market: _Row) -> Kind | None:
    if market.get("spot"):
        return "spot"
    if market.get("option") or not (market.get("swap") or market.get("future")):
        return None
    return "inverse_futures" if market.get("inverse") else "linear_futures"


def _size(market: _Row, kind: Kind) -> Decimal | None:
    """Return what amounts are multiplied with to be in units of base, None to leave them."""
    return positive_number(market.get("contractSize")) if kind == "linear_futures" else None


def _sized(amount: Decimal | None, size: Decimal | None) -> Decimal | None:
    return amount if amount is None or size is None else money.multiply(amount, size)


def _price_steps(told: object, mode: int) -> tuple[int | None, Decimal | None]:
    if mode == ccxt.SIGNIFICANT_DIGITS:
        return _count(told), None
    return None, _step(told, mode)


def _amount_step(told: object, mode: int) -> Decimal | None:
    return _step(told, ccxt.DECIMAL_PLACES if mode == ccxt.SIGNIFICANT_DIGITS else mode)


def _step(told: object, mode: int) -> Decimal | None:
    if mode != ccxt.DECIMAL_PLACES:
        return positive_number(told)
    places = _count(told)
    return None if places is None else Decimal(1).scaleb(-places)


def _count(told: object) -> int | None:
    number = number_of(told)
    if number is None or number != number.to_integral_value() or abs(number) > MOST_PLACES:
        return None
    return int(number)


def _bound(limits: _Row, subject: str, end: str) -> Decimal | None:
    """Return a limit; a venue, and ccxt too, writes 0 where there is none."""
    return positive_number((limits.get(subject) or {}).get(end))


def positive_number(told: object) -> Decimal | None:
    """Return a number above zero, None for anything else."""
    number = number_of(told)
    return number if number is not None and number > 0 else None


def number_of(told: object) -> Decimal | None:
    """Return a number of ccxt's, None for what is none.

    Floats are here only those that stand in ccxt's source ("amount": 0.001): their shortest text is
    what was written there.
    """
    if told is None or isinstance(told, bool):
        return None
    try:
        return money.parse(repr(told) if isinstance(told, float) else str(told))
    except InvalidAmount:
        return None


def flag_of(told: object) -> bool | None:
    """Return what is said to be so or not, None where neither is said."""
    return told if isinstance(told, bool) else None
