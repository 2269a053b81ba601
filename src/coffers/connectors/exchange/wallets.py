"""One wallet of an account -> positions, from ccxt's balance or from the venue's own entries."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from coffers.connectors.exchange.amounts import EMPTY, Amounts, amounts_of
from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.rules import Mode, Rows, Wallet
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.shapes import check_shape
from coffers.connectors.exchange.wallet_rows import (
    Row,
    check_mode,
    code_of,
    fitting,
    is_void,
    other_mode,
    row_amounts,
)
from coffers.connectors.reading import ConnectorFailure
from coffers.errors import InvalidAmount
from coffers.valuation.model import Position

MOST_PAGES = 50
"""Pages of one wallet; more of them are no answer that can be used."""

_NO_CURRENCIES = {"info", "timestamp", "datetime", "free", "used", "total", "debt"}


@dataclass(slots=True)
class _Held:
    """What a wallet holds, by the venue's own code: with ccxt's code of it."""

    session: VenueSession
    wallet: str
    amounts: dict[str, tuple[str, Amounts]] = field(default_factory=dict)

    def add(self, venue_code: str, code: str, amounts: Amounts) -> None:
        _, known = self.amounts.get(venue_code, (code, None))
        self.amounts[venue_code] = code, known.plus(amounts) if known else amounts

    def positions(self) -> tuple[Position, ...]:
        return tuple(
            Position(
                wallet=self.wallet,
                asset=self.session.asset(code),
                venue_code=venue_code,
                free=amounts.free,
                in_orders=amounts.in_orders,
                borrowed=amounts.borrowed,
                interest=amounts.interest,
                unrealised=amounts.unrealised,
            )
            for venue_code, (code, amounts) in self.amounts.items()
            if not amounts.is_nothing
        )


async def read_wallet(session: VenueSession, plan: Wallet) -> tuple[Position, ...]:
    """Return what a wallet holds.

    Raises:
        ConnectorFailure: when the venue gave no answer, or one that cannot be this wallet's.
    """
    held = _Held(session, plan.wallet)
    if plan.mode:
        await _check_mode(session, plan.mode)
    await (_take_rows(held, plan) if plan.rows else _take_balance(held, plan))
    return held.positions()


async def _check_mode(session: VenueSession, mode: Mode) -> None:
    address = {mode.address: session.exchange.walletAddress}
    await session.ask(mode.method, {**mode.params, **address})
    told = session.heard.answer
    if not isinstance(told, str):
        raise unexpected(session.venue, "it is no word for an account's mode", "wrong_shape")
    if told in mode.unread:
        raise other_mode(session.venue)


async def _take_balance(held: _Held, plan: Wallet) -> None:
    session = held.session
    balance = await session.ask(plan.method, dict(plan.params))
    codes = [
        code
        for code in balance
        if code not in _NO_CURRENCIES and not (plan.is_sparse and _is_untold(balance[code]))
    ]
    check_shape(session.venue, plan.wallet, session.heard.answer, is_empty=not codes)
    for code in codes:
        if not isinstance(code, str):
            raise _nameless(session)
        amounts = _balance_amounts(session, code, balance[code])
        if amounts is not EMPTY:
            held.add(session.venue_code(code), code, amounts)


def _is_untold(entry: Mapping[str, object]) -> bool:
    return all(entry.get(name) is None for name in ("free", "used", "total"))


def _balance_amounts(session: VenueSession, code: str, entry: Mapping[str, object]) -> Amounts:
    try:
        return amounts_of(entry)
    except (InvalidAmount, TypeError, ValueError) as error:
        raise _senseless(session, code) from error


async def _take_rows(held: _Held, plan: Wallet) -> None:
    """Take the entries of every page; an answer that is not full is the last one."""
    session = held.session
    for page in range(1, MOST_PAGES + 1):
        numbered = {plan.page: page} if plan.page else {}
        await session.ask(plan.method, {**plan.params, **numbered})
        found = fitting(session.venue, plan.rows, session.heard.answer)
        for rule, rows in found:
            for row in rows:
                _take_row(held, row, rule)
        if plan.page is None or len(found[0][1]) < int(plan.params["size"]):
            return
    raise unexpected(session.venue, "it has more pages than can be", "too_many_pages")


def _take_row(held: _Held, row: Row, rule: Rows) -> None:
    session = held.session
    check_mode(session.venue, row, rule)
    if is_void(row, rule):
        return
    venue_code = code_of(row, rule)
    if venue_code is None:
        raise _nameless(session)
    try:
        amounts = row_amounts(row, rule)
    except (InvalidAmount, TypeError, ValueError) as error:
        raise _senseless(session, venue_code) from error
    held.add(venue_code, session.code(venue_code), amounts)


def _nameless(session: VenueSession) -> ConnectorFailure:
    return unexpected(session.venue, "it holds an amount without a currency", "no_currency")


def _senseless(session: VenueSession, code: str) -> ConnectorFailure:
    reason = f"its amounts of {code[:20]} make no sense"
    return unexpected(session.venue, reason, "bad_amount")
