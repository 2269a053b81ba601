"""What ccxt gives as an amount -> an exact decimal, or a refusal of what cannot be one."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from coffers import money


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a wallet has of one currency; where a venue does not part them, borrowed + interest."""

    free: Decimal
    in_orders: Decimal
    borrowed: Decimal
    interest: Decimal = money.ZERO
    unrealised: Decimal = money.ZERO

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to hold, to win or to owe."""
        return not any((self.free, self.in_orders, self.borrowed, self.interest, self.unrealised))

    def plus(self, other: "Amounts") -> "Amounts":
        """Return the exact sum, of entries that tell of one currency in several places."""
        return Amounts(
            money.add(self.free, other.free),
            money.add(self.in_orders, other.in_orders),
            money.add(self.borrowed, other.borrowed),
            money.add(self.interest, other.interest),
            money.add(self.unrealised, other.unrealised),
        )


EMPTY = Amounts(money.ZERO, money.ZERO, money.ZERO)
"""What `amounts_of` returns where there is nothing."""

_ZEROS = ("0", "0.0", "0.00000000")
_NOTHING = {(free, used, total, None) for free in _ZEROS for used in _ZEROS for total in _ZEROS}
"""How most entries of a balance tell that there is nothing: these need no closer look."""


def amount_of(value: object) -> Decimal | None:
    """Return the amount that a venue wrote, None where it wrote none.

    Raises:
        InvalidAmount: for NaN, infinities and whatever is no number.
        TypeError: for a float, whose digits are already lost, and for other types.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError(f"{type(value).__name__} is no amount")
    return money.parse(value)


def positive_of(value: object) -> Decimal | None:
    """Return a price or volume, None where there is none: a venue writes 0 for no bid at all.

    Raises:
        InvalidAmount: as `amount_of`.
    """
    amount = amount_of(value)
    return amount if amount is not None and amount > 0 else None


def amounts_of(entry: Mapping[str, object]) -> Amounts:
    """Return the amounts of one currency in ccxt's balance structure.

    `free` and `used` are kept where they add up to `total` (or to it less the debt, where a venue
    tells the net); else `total` is believed, and what is not free of it counts as in orders. So
    nothing is counted twice, and free + in orders is always what the venue calls the whole.

    Raises:
        InvalidAmount: for what is no number.
        ValueError: for no amount at all, or a negative one.
    """
    told = entry.get("free"), entry.get("used"), entry.get("total"), entry.get("debt")
    if told in _NOTHING or (any(told) and all(_is_nothing(amount) for amount in told)):
        return EMPTY
    free, used, total, debt = (amount_of(amount) for amount in told)
    borrowed = debt or money.ZERO
    free, used = _split(free, used, total, borrowed)
    if min(free, used, borrowed) < 0:
        raise ValueError("a negative amount")
    return Amounts(free, used, borrowed)


def _is_nothing(amount: object) -> bool:
    """Whether an amount is none or zero: most entries of a balance, which need no arithmetic."""
    return amount is None or (isinstance(amount, str) and not amount.strip("0."))


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
