"""What several venues together say: the median, and who agrees with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.pricing.pairs import HALF

AGREEMENT = Decimal("1.1")
"""Two prices agree when the higher is at most this many times the lower."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One venue's price of an asset in the currency aimed at, and the depth of its way there."""

    venue: str
    price: Decimal
    depth: Decimal


@dataclass(frozen=True, slots=True)
class Verdict:
    """The price that holds, and who said so.

    `spoken` are the one or two voices that it was made of, the deeper one first; `agreeing` all
    that agree with it, in order of their venues.
    """

    price: Decimal
    spoken: tuple[Voice, ...]
    agreeing: tuple[Voice, ...]


def median(numbers: Iterable[Decimal]) -> Decimal:
    """Return the middle number, or exactly halfway between the two middle ones."""
    ordered = sorted(numbers)
    lower, upper = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return lower if lower is upper else _halfway(lower, upper)


def verdict_of(voices: Sequence[Voice]) -> Verdict:
    """Return the median of the voices (at least one).

    Where two are in the middle and do not agree (`AGREEMENT`), halfway between them would be a
    price that nobody pays: the deeper one holds alone. That is so for two venues that contradict
    each other, and the other one is then missing from `agreeing`.
    """
    if len(voices) == 1:
        return Verdict(voices[0].price, tuple(voices), tuple(voices))
    ordered = sorted(voices, key=lambda voice: (voice.price, voice.depth, voice.venue))
    lower, upper = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    middle = sorted({lower, upper}, key=lambda voice: (-voice.depth, voice.venue))
    if not agree(lower.price, upper.price):
        middle = middle[:1]
    price = middle[0].price if len(middle) == 1 else _halfway(lower.price, upper.price)
    agreeing = sorted(
        (voice for voice in ordered if agree(voice.price, price)), key=lambda voice: voice.venue
    )
    return Verdict(price, tuple(middle), tuple(agreeing))


def agree(one: Decimal, other: Decimal) -> bool:
    """Tell whether two prices agree (`AGREEMENT`)."""
    return max(one, other) <= money.multiply(min(one, other), AGREEMENT)


def _halfway(lower: Decimal, upper: Decimal) -> Decimal:
    return money.multiply(money.add(lower, upper), HALF)
