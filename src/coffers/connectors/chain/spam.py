"""Whether an unlisted token pretends to be another one, or is an advertisement.

One that does counts for nothing, whatever is paid for it. It is shown by its contract and not by
the symbol that it tells, so that nobody takes it for the real one or follows its link.
"""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal

from coffers.valuation.model import UNLISTED, Position

APART = (UNLISTED, "spam")
"""The parts that tokens on no list lie in."""

_TWINS = str.maketrans(
    {
        **dict(zip("абвгдезіїјкмнопрстухѕԁԛԝһґ", "abbrdeeiijkmhonpctyxsdqwhr", strict=True)),
        **dict(zip("αβγεζηικμνορτυχω", "abyeznikmvoptyxw", strict=True)),
        **dict(zip("0135$€₮₿ıłøđ|!", "olessetbilodll", strict=True)),
    }
)
"""Letters and signs that look like a Latin letter, after case and accents are taken away."""

_CAPITALS = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX")  # noqa: RUF001  # Greek on purpose
"""Capitals whose small letters look like another one's."""

_ADVERTISES = re.compile(
    r"https?:|www\.|://|t\.me|\b[\w-]+\.(?:com|org|net|io|xyz|app|fi|gg|me|co|top|site|info|finance|"
    r"live|vip|pro|online|club|link|cc|to|dev|claims?|eth)\b|claim|airdrop|visit|reward|bonus|"
    r"voucher|giveaway|redeem|free mint",
    re.IGNORECASE,
)
_ODD = re.compile(r"[\W_]+")


def pretends(symbol: str | None, name: str | None, known: Iterable[str]) -> bool:
    """Tell whether a token that is not listed looks like a known symbol or advertises something.

    Args:
        symbol: what the token tells as its symbol, None where it tells none.
        name: what it tells as its name.
        known: the symbols of listed tokens and of native coins.
    """
    if _ADVERTISES.search(f"{symbol or ''} {name or ''}"):
        return True
    shapes = {shape(each) for each in known}
    return symbol is not None and shape(symbol) in shapes


def apart(key: str, told: str, short: str, amount: Decimal, known: Iterable[str]) -> Position:
    """Return what is held of a token on no list: as spam if what it calls itself pretends.

    Args:
        key: its chain and contract.
        told: what it calls itself.
        short: what one that pretends is shown as.
        amount: units of it.
        known: as in `pretends`.
    """
    if pretends(told, None, known):
        return Position("spam", key, short, amount)
    return Position(UNLISTED, key, told, amount)


def shape(symbol: str) -> str:
    """Return what a symbol looks like: one text for all that an eye takes for the same."""
    apart = unicodedata.normalize("NFKD", symbol.translate(_CAPITALS).casefold())
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return _ODD.sub("", plain.translate(_TWINS)).replace("i", "l")
