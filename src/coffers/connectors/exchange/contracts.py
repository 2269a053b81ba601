"""The open derivative positions of an account, and whether it may hold both sides of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal

from coffers import money
from coffers.connectors.exchange.amounts import amount_of, positive_of
from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.rules import ContractRows, Wallet
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.symbols import bundle_of
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import InvalidAmount
from coffers.valuation.contract import Contract
from coffers.valuation.model import Position

Listed = Mapping[str, Any]
"""One position as ccxt tells it."""


@dataclass(frozen=True, slots=True)
class Contracts:
    """The open positions of one list; `hedged` is None where none of them tells the mode.

    `profits` are what they win or lose, where no wallet tells that.
    """

    contracts: tuple[Contract, ...]
    hedged: bool | None
    profits: tuple[Position, ...] = ()


async def read_contracts(session: VenueSession, plan: Wallet, rule: ContractRows) -> Contracts:
    """Return the open positions of one list.

    Raises:
        ConnectorFailure: when the venue gave no list, or one that makes no sense.
    """
    # ccxt would work a size, a price or a leverage that is not told out from others.
    session.exchange.safe_position = _as_told
    listed = await session.ask(plan.method, None, dict(plan.params))
    paths = (rule.path,) if rule.unified is None else (rule.path, rule.unified)
    is_told = any(_is_list(session.heard.answer, path) for path in paths)
    if not is_told or not isinstance(listed, list):
        raise unexpected(session.venue, "it is no list of positions", "wrong_shape")
    rows = [{**row, **dict.fromkeys(rule.invented)} for row in listed]
    read = [_contract(session, plan.wallet, rule, row) for row in rows]
    found = tuple(contract for contract in read if contract is not None)
    told = {row.get("hedged") for row in listed} - {None}
    hedged = None if not told else True in told
    return Contracts(
        found, hedged, _profits(session, plan.wallet, found) if rule.adds_profit else ()
    )


def _profits(session: VenueSession, wallet: str, found: Sequence[Contract]) -> tuple[Position, ...]:
    """Return what positions win or lose, by the asset that they are settled in.

    Raises:
        ConnectorFailure: when that is not told of one of them, so that the whole is unknown.
    """
    sums: dict[str, Decimal] = {}
    for contract in found:
        if contract.unrealised is None or contract.settled_in is None:
            reason = f"it does not tell the profit of {contract.symbol[:40]}"
            raise unexpected(session.venue, reason, "no_profit")
        asset = contract.settled_in
        sums[asset] = money.add(sums.get(asset, money.ZERO), contract.unrealised)
    return tuple(
        Position(wallet, asset, asset, money.ZERO, unrealised=profit)
        for asset, profit in sums.items()
        if profit
    )


async def read_hedge_mode(session: VenueSession) -> bool | None:
    """Return whether both sides of a position may be held, None where the venue does not tell.

    Raises:
        ConnectorFailure: when the venue asks to be called less often.
    """
    if not session.can("fetchPositionMode"):
        return None
    try:
        told = await session.ask("fetch_position_mode")
    except ConnectorFailure as failure:
        if failure.kind is FailureKind.RATE_LIMITED:
            raise
        return None
    hedged = told.get("hedged") if isinstance(told, Mapping) else None
    return hedged if isinstance(hedged, bool) else None


def _as_told(position: Listed) -> Listed:
    return position


def _is_list(answer: object, path: str) -> bool:
    for step in filter(None, path.split(".")):
        answer = answer.get(step) if isinstance(answer, Mapping) else None
    return isinstance(answer, list)


def _contract(
    session: VenueSession, wallet: str, rule: ContractRows, row: Listed
) -> Contract | None:
    try:
        return _parsed(session, wallet, rule, row)
    except (InvalidAmount, TypeError, ValueError) as error:
        reason = f"its position in {str(row.get('symbol'))[:40]} makes no sense"
        raise unexpected(session.venue, reason, "bad_position") from error


def _parsed(session: VenueSession, wallet: str, rule: ContractRows, row: Listed) -> Contract | None:
    symbol = row.get("symbol")
    count = amount_of(row.get("contracts"))
    if not isinstance(symbol, str) or count is None:
        raise ValueError("a position without its contract or its size")
    market: Listed = session.exchange.markets.get(symbol) or {}
    if not count or (market and not market.get("contract")):
        return None
    unit, bundle = _unit(session, market)
    return Contract(
        wallet=wallet,
        symbol=symbol,
        venue_code=str(market.get("id") or symbol),
        side=_side(row, count),
        size=_size(abs(count), rule, row, market, bundle),
        unit=unit,
        settled_in=session.asset(market["settle"]) if market.get("settle") else None,
        leverage=_leverage(row, rule),
        entry_price=_price(row.get("entryPrice"), bundle),
        mark_price=_price(row.get("markPrice"), bundle),
        unrealised=_unrealised(row, rule),
        margin_mode=_margin_mode(row.get("marginMode")),
    )


def _unit(session: VenueSession, market: Listed) -> tuple[str | None, int]:
    """Return what sizes count, and how many of it make one unit of the venue's."""
    base, quote = market.get("base"), market.get("quote")
    if not isinstance(base, str) or not isinstance(quote, str):
        return None, 1
    if market.get("inverse") and not market.get("option"):
        return session.asset(quote), 1
    bare, bundle = bundle_of(session.venue.family, base)
    return session.asset(bare), bundle


def _size(count: Decimal, rule: ContractRows, row: Listed, market: Listed, bundle: int) -> Decimal:
    each = positive_of(row.get("contractSize")) or positive_of(market.get("contractSize"))
    units = count if rule.is_in_units or each is None else money.multiply(count, each)
    return money.multiply(units, Decimal(bundle))


def _price(value: object, bundle: int) -> Decimal | None:
    price = positive_of(value)
    return price if price is None or bundle == 1 else money.divide(price, Decimal(bundle))


def _side(row: Listed, count: Decimal) -> Literal["long", "short"]:
    match row.get("side"):
        case "long":
            return "long"
        case "short":
            return "short"
        case None:
            return "long" if count > 0 else "short"
    raise ValueError("a position that is neither long nor short")


def _margin_mode(told: object) -> Literal["cross", "isolated"] | None:
    match told:
        case "cross":
            return "cross"
        case "isolated":
            return "isolated"
    return None


def _unrealised(row: Listed, rule: ContractRows) -> Decimal | None:
    own = amount_of(_raw(row).get(rule.unrealised)) if rule.unrealised else None
    return amount_of(row.get("unrealizedPnl")) if own is None else own


def _leverage(row: Listed, rule: ContractRows) -> Decimal | None:
    own = positive_of(_raw(row).get(rule.leverage)) if rule.leverage else None
    told = own or positive_of(row.get("leverage"))
    return told if told or not rule.margin else _margin_leverage(row, _raw(row).get(rule.margin))


def _raw(row: Listed) -> Listed:
    raw = row.get("info")
    return raw if isinstance(raw, Mapping) else {}


def _margin_leverage(row: Listed, margin: object) -> Decimal | None:
    """Work the leverage out from the initial margin: value / leverage, and leverage is whole."""
    initial, value = positive_of(margin), amount_of(row.get("notional"))
    if initial is None or not value:
        return None
    return money.divide(abs(value), initial).quantize(Decimal(1), ROUND_HALF_EVEN)


def told_hedge_mode(answer: object, path: str) -> bool | None:
    """Return the position mode that a balance answer tells at the way."""
    found = answer.get(path) if isinstance(answer, Mapping) else None
    return found if isinstance(found, bool) else None


def settled(modes: Sequence[bool | None]) -> bool | None:
    """Return the one mode of an account, of what its parts tell: hedged where any of them is."""
    told = [mode for mode in modes if mode is not None]
    return any(told) if told else None
