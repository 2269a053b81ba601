"""How numbers and moments are written for somebody: by the user's locale, in the user's zone.

Digits are never touched: an amount is rounded as a decimal, and its text then gets other signs
between its digits. What locales do is asked of Babel, which is loaded with the first locale that
somebody uses beside the plain form: it takes 6 MB, and a locale one more.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coffers.clock import DAY, Millis
from coffers.money import rounded
from coffers.store.records import User
from coffers.web.numbers import UNKNOWN

if TYPE_CHECKING:
    from babel import Locale

_PLACES: Final = {"BTC": 8, "ETH": 6, "JPY": 0, "KRW": 0, "VND": 0, "IDR": 0}
_SIGNIFICANT: Final = 4
"""Digits that are shown of what is smaller than the last place."""

_MINUS: Final = "\N{MINUS SIGN}"
_LONG: Final = Millis(300 * DAY)


@dataclass(frozen=True, slots=True)
class Signs:
    """What stands between digits, how many of them are together, and what tells a percentage.

    `groups` is the last group's length and that of those before it; `percent` stands before and
    behind.
    """

    decimal: str = "."
    group: str = ","
    groups: tuple[int, int] = (3, 3)
    percent: tuple[str, str] = ("", " %")


@dataclass(frozen=True, slots=True)
class Formats:
    """Writes numbers and moments in one way. `locale` is None for the plain form."""

    signs: Signs = Signs()
    locale: "Locale | None" = None
    zone: tzinfo = UTC
    zone_name: str = "UTC"

    def money(self, amount: Decimal | None, currency: str, *, signed: bool = False) -> str:
        """Return an amount of a currency with its code: `1,234.50 USD`."""
        if amount is None:
            return UNKNOWN
        text = self._written(_fitting(amount, _PLACES.get(currency, 2)))
        return f"{_signed(amount, text, signed=signed)} {currency}"

    def rough(self, amount: Decimal, currency: str) -> str:
        """Return a round amount with no more places than it needs, for a scale."""
        text = self._written(_bare(_fitting(amount, 8)))
        return f"{_signed(amount, text, signed=False)} {currency}"

    def units(self, amount: Decimal | None) -> str:
        """Return so many units of an asset, with at the most eight places."""
        if amount is None:
            return UNKNOWN
        return _signed(amount, self._written(_bare(_fitting(amount, 8))), signed=False)

    def percent(self, share: Decimal | None, places: int = 2, *, signed: bool = False) -> str:
        """Return a share that is in percent."""
        if share is None:
            return UNKNOWN
        before, behind = self.signs.percent
        # What rounds to nothing has no sign.
        shown = rounded(share, places)
        text = self._written(f"{shown.copy_abs():f}")
        return _signed(shown, f"{before}{text}{behind}", signed=signed)

    def moment(self, at: Millis) -> str:
        """Return a moment in the user's zone, to the minute."""
        then = self._local(at)
        if self.locale is None:
            return f"{then:%Y-%m-%d %H:%M}"
        # Here, since the plain form does without.
        from babel.dates import format_date, format_time  # noqa: PLC0415

        time = format_time(then, "short", tzinfo=then.tzinfo, locale=self.locale)
        return f"{format_date(then, 'medium', locale=self.locale)} {time}"

    def dated(self, length: int) -> Callable[[Millis], str]:
        """Return what names the moments of a span of such a length, as short as it may be."""
        if self.locale is None:
            form = "%H:%M" if length <= 2 * DAY else "%-d %b" if length < _LONG else "%b %Y"
            return lambda at: self._local(at).strftime(form)
        from babel.dates import format_skeleton, format_time  # noqa: PLC0415

        locale, zone = self.locale, self.zone
        if length <= 2 * DAY:
            return lambda at: format_time(self._local(at), "short", tzinfo=zone, locale=locale)
        skeleton = "MMMd" if length < _LONG else "yMMM"
        return lambda at: format_skeleton(skeleton, self._local(at), locale=locale)

    def _local(self, at: Millis) -> datetime:
        """Return a moment in the user's zone; in UTC where it is past the last year there."""
        try:
            return datetime.fromtimestamp(at / 1000, self.zone)
        except OverflowError:
            # Exchanges tell of a key that never expires that it does at the end of the year 9999.
            return datetime.fromtimestamp(at / 1000, UTC)

    def _written(self, digits: str) -> str:
        """Return a number, given in plain digits, with the signs of the locale."""
        whole, _, places = digits.partition(".")
        text = self.signs.group.join(_grouped(whole, self.signs.groups))
        return f"{text}{self.signs.decimal}{places}" if places else text


PLAIN: Final = Formats()

DRAWN: Final = ContextVar("formats", default=PLAIN)
"""How the page that is being drawn writes numbers and moments; macros of other files see it too."""


def formats_of(user: User) -> Formats:
    """Return how numbers and moments are written for a user."""
    return _formats(user.written_as, user.time_zone)


@lru_cache(maxsize=256)
def _formats(locale: str, time_zone: str) -> Formats:
    zone, zone_name = _zone(time_zone)
    if not locale:
        return Formats(zone=zone, zone_name=zone_name)
    from babel import Locale  # noqa: PLC0415 - 6 MB, for whom it is used alone

    found = Locale.parse(locale)
    symbols = found.number_symbols["latn"]
    last, before = found.decimal_formats[None].grouping
    share = found.percent_formats[None]
    signs = Signs(
        symbols["decimal"], symbols["group"], (last, before), (share.prefix[0], share.suffix[0])
    )
    return Formats(signs, found, zone, zone_name)


def _zone(name: str) -> tuple[tzinfo, str]:
    """Return a zone with its name; UTC where this machine does not know it (any more)."""
    try:
        return (UTC if name == "UTC" else ZoneInfo(name)), name
    except (ZoneInfoNotFoundError, ValueError):
        return UTC, "UTC"


def _fitting(amount: Decimal, places: int) -> str:
    """Return the size of an amount with so many places, or more where it would look like none."""
    size = amount.copy_abs()  # `abs` would round to 28 digits
    if not size:
        return f"{Decimal(0):.{places}f}"
    if size < Decimal(1).scaleb(-places):
        exponent = size.adjusted() - _SIGNIFICANT + 1
        few = size.quantize(Decimal(1).scaleb(exponent), rounding=ROUND_HALF_EVEN)
        return f"{few.normalize():f}"
    return f"{rounded(size, places):.{places}f}"


def _bare(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _grouped(whole: str, lengths: Sequence[int]) -> list[str]:
    """Return whole digits in groups, as long as told from the last one on."""
    last, before = lengths
    groups, rest = [whole[-last:]], whole[:-last]
    while rest:
        groups.insert(0, rest[-before:])
        rest = rest[:-before]
    return groups


def _signed(amount: Decimal, text: str, *, signed: bool) -> str:
    if amount < 0:
        return f"{_MINUS}{text}"
    return f"+{text}" if signed and amount > 0 else text
