"""The balances of an account, wallet by wallet -> positions."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.connectors.exchange.amounts import amount_of
from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.rules import EVERY_VENUE, Wallet, first, wallets
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.shapes import check_shape
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import InvalidAmount
from coffers.markets.catalogue import Market
from coffers.valuation.model import Position

_NO_CURRENCIES = {"info", "timestamp", "datetime", "free", "used", "total", "debt"}


@dataclass(frozen=True, slots=True)
class Holdings:
    """What was read of an account, and what could not be, with the reason."""

    wallets: frozenset[str]
    positions: tuple[Position, ...]
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Amounts:
    """What an account has of one currency; `borrowed` holds accrued interest too, as in ccxt."""

    free: Decimal
    in_orders: Decimal
    borrowed: Decimal

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to hold or to owe."""
        return not (self.free or self.in_orders or self.borrowed)


async def read_holdings(session: VenueSession, market: Market) -> Holdings:
    """Return what all wallets of a market hold; the first wallet must be read, others may fail.

    Raises:
        ConnectorFailure: of the first wallet, of any that met a rate limit, or `UNSUPPORTED` where
            no kind of the market's wallets can be read.
    """
    plans, missing = _plans(session, market)
    positions: list[Position] = []
    read: set[str] = set()
    for plan in plans:
        try:
            positions += await _read_wallet(session, plan)
            read.add(plan.wallet)
        except ConnectorFailure as failure:
            if not read or failure.kind is FailureKind.RATE_LIMITED:
                raise
            missing[plan.wallet] = str(failure)
    return Holdings(frozenset(read), tuple(positions), missing)


def _plans(session: VenueSession, market: Market) -> tuple[list[Wallet], dict[str, str]]:
    by_kind = {**wallets()[EVERY_VENUE], **(first(wallets(), session.venue.family) or {})}
    plans = [plan for kind in market.market_types for plan in by_kind.get(kind, ())]
    missing = {
        kind: f"Coffers does not read {kind} accounts at {session.venue.name} yet."
        for kind in market.market_types
        if kind not in by_kind
    }
    if not plans:
        raise _unsupported(session, market)
    return plans, missing


def _unsupported(session: VenueSession, market: Market) -> ConnectorFailure:
    kinds = " or ".join(market.market_types) or "unnamed"
    message = f"Coffers does not read {kinds} accounts at {session.venue.name} yet."
    return ConnectorFailure(FailureKind.UNSUPPORTED, message, code="market_type")


async def _read_wallet(session: VenueSession, plan: Wallet) -> list[Position]:
    balance = await session.ask("fetch_balance", dict(plan.params))
    codes = [code for code in balance if code not in _NO_CURRENCIES]
    check_shape(session.venue, plan.wallet, session.heard.answer, is_empty=not codes)
    positions = (_position(session, plan.wallet, code, balance[code]) for code in codes)
    return [position for position in positions if position is not None]


def _position(
    session: VenueSession, wallet: str, code: object, entry: Mapping[str, object]
) -> Position | None:
    if not isinstance(code, str):
        raise unexpected(session.venue, "it holds an amount without a currency", "no_currency")
    try:
        amounts = amounts_of(entry)
    except (InvalidAmount, TypeError, ValueError) as error:
        reason = f"its amounts of {code[:20]} make no sense"
        raise unexpected(session.venue, reason, "bad_amount") from error
    if amounts.is_nothing:
        return None
    return Position(
        wallet=wallet,
        asset=session.asset(code),
        venue_code=session.venue_code(code),
        free=amounts.free,
        in_orders=amounts.in_orders,
        borrowed=amounts.borrowed,
    )


def amounts_of(entry: Mapping[str, object]) -> Amounts:
    """Return the amounts of one currency in ccxt's balance structure.

    `free` and `used` are kept where they add up to `total` (or to it less the debt, where a venue
    tells the net); else `total` is believed, and what is not free of it counts as in orders. So
    nothing is counted twice, and free + in orders is always what the venue calls the whole.

    Raises:
        InvalidAmount: for what is no number.
        ValueError: for no amount at all, or a negative one.
    """
    free, used, total, debt = (
        amount_of(entry.get(name)) for name in ("free", "used", "total", "debt")
    )
    borrowed = debt or money.ZERO
    free, used = _split(free, used, total, borrowed)
    if min(free, used, borrowed) < 0:
        raise ValueError("a negative amount")
    return Amounts(free, used, borrowed)


def _split(
    free: Decimal | None, used: Decimal | None, total: Decimal | None, borrowed: Decimal
) -> tuple[Decimal, Decimal]:
    if free is None and used is None and total is None:
        raise ValueError("no amount at all")
    given = money.add(free or money.ZERO, used or money.ZERO)
    whole = given if total is None else total
    if free is None:
        free = money.subtract(whole, used or money.ZERO)
    if used is None or given not in (whole, money.add(whole, borrowed)):
        used = money.subtract(whole, free)
    return free, used
