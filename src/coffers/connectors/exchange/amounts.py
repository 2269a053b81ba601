"""What ccxt gives as an amount -> an exact decimal, or a refusal of what cannot be one."""

from decimal import Decimal

from coffers import money


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
