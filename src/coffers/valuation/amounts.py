"""What an amount comes to in a currency: in BTC, in USD, or in one that a user reads amounts in."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from coffers import money
from coffers.clock import Millis

Amount = Callable[[Millis, Decimal, Decimal], Decimal | None]
"""Picks one currency's amount out of (moment, BTC, USD); None where it is not known then."""

RateAt = Callable[[Millis], Decimal | None]
"""USD -> display currency: units of it per USD at a moment, None where that is not known."""

NEVER: Final = Millis(-1)


def in_btc(_at: Millis, btc: Decimal, _usd: Decimal) -> Decimal:
    """Pick the amount in BTC."""
    return btc


def in_usd(_at: Millis, _btc: Decimal, usd: Decimal) -> Decimal:
    """Pick the amount in USD."""
    return usd


FIXED: Final[frozenset[Amount]] = frozenset({in_btc, in_usd})
"""What picks amounts that never change."""


@dataclass(frozen=True, slots=True)
class InDisplay:
    """Tells amounts in a display currency: USD by the rate of the moment.

    What it tells of moments up to `settled_until` never changes, and is what any other tells of
    them that has rates of the same `generation`.
    """

    rate_at: RateAt
    settled_until: Millis = NEVER
    generation: int = 0

    def __call__(self, at: Millis, _btc: Decimal, usd: Decimal) -> Decimal | None:
        """Return the amount of a moment."""
        rate = self.rate_at(at)
        return None if rate is None else money.multiply(usd, rate)


_UNRATED: Final = -1


def key_of(amount: Amount) -> Amount | int:
    """Return what names a currency, and the rates that it has.

    That of rates is a number: what is kept by it would keep rates alive that nobody needs any more.
    Before the first rate that is kept, there is none of any past moment.
    """
    if not isinstance(amount, InDisplay):
        return amount
    return _UNRATED if amount.settled_until == NEVER else amount.generation
