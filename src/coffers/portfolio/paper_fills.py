"""What an order on paper brings: filled at once, at a price, for a share of what comes in.

All amounts have at most `PLACES` decimal places. What does not come out even is rounded against the
owner, by less than one unit of the last place, so that no order makes money out of nothing.
"""

from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.store.paper import Side

PLACES = 12
"""Decimal places of amounts: of a bitcoin, a millionth of a cent."""

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Fill:
    """What is paid, and what comes in after the fee, which is in units of what comes in."""

    spent: Decimal
    received: Decimal
    fee: Decimal


def fill(
    side: Side,
    base_usd: Decimal,
    quote_usd: Decimal,
    fee: Decimal,
    *,
    amount: Decimal | None = None,
    quote_amount: Decimal | None = None,
) -> Fill:
    """Return what an order for so much of the base, or for so much of the quote, brings.

    `base_usd` and `quote_usd` are what a unit of each is worth; `fee` is the share of what comes
    in before it is taken. One of the amounts is given: it is met exactly on its side, before the
    fee.
    """
    is_base = amount is not None
    given = amount if amount is not None else quote_amount
    if given is None:
        raise ValueError("an order without an amount")
    worth, other = (base_usd, quote_usd) if is_base else (quote_usd, base_usd)
    value = money.multiply(given, worth)
    if (side == "sell") == is_base:
        return _filled(given, money.quotient_down(value, other, PLACES), fee)
    return _filled(money.quotient_up(value, other, PLACES), given, fee)


def _filled(spent: Decimal, gross: Decimal, share: Decimal) -> Fill:
    fee = money.quotient_up(money.multiply(gross, share), _ONE, PLACES)
    return Fill(spent, money.subtract(gross, fee), fee)
