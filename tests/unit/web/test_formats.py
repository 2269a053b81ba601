"""Numbers and moments as people read them: every digit, by their locale and in their zone."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.clock import DAY, Millis
from coffers.portfolio.manners import WRITTEN, time_zones
from coffers.store.records import User
from coffers.web.formats import PLAIN, Formats, formats_of
from factories import NOW

MOMENT = Millis(round(datetime(2026, 10, 3, 16, 5, tzinfo=UTC).timestamp() * 1000))


def reader(written_as: str = "", time_zone: str = "UTC") -> Formats:
    user = User(1, "ann", "real", "USD", 1, NOW, written_as=written_as, time_zone=time_zone)
    return formats_of(user)


def spaced(text: str) -> str:
    return text.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.5", "USD", "1,234.50 USD"),
        ("-1234567.891", "EUR", "\N{MINUS SIGN}1,234,567.89 EUR"),
        ("0", "USD", "0.00 USD"),
        ("0.5", "BTC", "0.50000000 BTC"),
        ("1234.4", "JPY", "1,234 JPY"),
        ("0.00012345", "USD", "0.0001234 USD"),
        ("-0.000000000012", "BTC", "\N{MINUS SIGN}0.000000000012 BTC"),
    ],
)
def test_an_amount_is_shown_with_its_currency(amount: str, currency: str, shown: str) -> None:
    assert PLAIN.money(Decimal(amount), currency) == shown


def test_what_is_unknown_is_said() -> None:
    assert PLAIN.money(None, "USD") == "unknown"
    assert PLAIN.units(None) == "unknown"
    assert PLAIN.percent(None) == "unknown"


def test_a_gain_has_a_sign_and_nothing_has_none() -> None:
    assert PLAIN.money(Decimal(3), "USD", signed=True) == "+3.00 USD"
    assert PLAIN.money(Decimal(0), "USD", signed=True) == "0.00 USD"
    assert PLAIN.percent(Decimal("-1.235"), signed=True) == "\N{MINUS SIGN}1.24 %"


@pytest.mark.parametrize("time_zone", ["UTC", "Asia/Tokyo", "Pacific/Kiritimati"])
def test_the_last_moment_of_all_is_shown_also_where_it_is_past(time_zone: str) -> None:
    last = Millis(253_402_300_799_000)
    assert reader("", time_zone).moment(last) == "9999-12-31 23:59"
    assert spaced(reader("en_US", time_zone).moment(last)) == "Dec 31, 9999 11:59 PM"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("12.50000", "12.5"), ("100", "100"), ("0", "0"), ("0.000000001", "0.000000001")],
)
def test_units_have_no_needless_zeros(amount: str, shown: str) -> None:
    assert PLAIN.units(Decimal(amount)) == shown


def test_a_scale_has_no_more_places_than_it_needs() -> None:
    assert PLAIN.rough(Decimal("150000.0"), "USD") == "150,000 USD"
    assert PLAIN.rough(Decimal("0.25"), "BTC") == "0.25 BTC"


@pytest.mark.parametrize("code", WRITTEN)
def test_each_locale_writes_what_the_choice_says(code: str) -> None:
    formats, (_, number, moment) = reader(code), WRITTEN[code]
    assert spaced(formats.money(Decimal("1234567.5"), "USD")) == f"{number} USD"
    assert spaced(formats.moment(MOMENT)) == moment
    assert formats.dated(DAY)(MOMENT)
    assert formats.dated(30 * DAY)(MOMENT) != formats.dated(900 * DAY)(MOMENT)


@given(
    st.decimals(min_value=-(10**25), max_value=10**25, places=8),
    st.sampled_from(sorted(WRITTEN)),
)
def test_no_locale_loses_or_makes_a_digit(amount: Decimal, code: str) -> None:
    formats = reader(code)
    whole, _, places = f"{amount.copy_abs():f}".partition(".")
    text = formats.units(amount)
    assert text.startswith("\N{MINUS SIGN}") == (amount < 0)
    digits = "".join(sign for sign in text if sign.isdigit())
    assert digits == (whole + places.rstrip("0"))
    read = text.replace(formats.signs.group, "").replace(formats.signs.decimal, ".")
    assert Decimal(read.replace("\N{MINUS SIGN}", "-")) == amount


def test_what_is_tiny_keeps_its_places_in_every_locale() -> None:
    assert reader("de_DE").money(Decimal("0.00012345"), "USD") == "0,0001234 USD"
    assert reader("en_IN").units(Decimal(123456789)) == "12,34,56,789"


def test_percentages_are_written_as_the_locale_has_them() -> None:
    assert reader("de_CH").percent(Decimal("-1.235"), signed=True) == "\N{MINUS SIGN}1.24%"
    assert spaced(reader("fr_FR").percent(Decimal("1234.5"), 1)) == "1 234,5 %"
    assert reader("tr_TR").percent(Decimal(5), signed=True) == "+%5,00"
    assert reader().percent(Decimal("-0.004"), signed=True) == "0.00 %"


def test_moments_are_told_in_the_zone_of_the_user() -> None:
    berlin = reader(time_zone="Europe/Berlin")
    assert berlin.moment(MOMENT) == "2026-10-03 18:05"
    assert berlin.moment(Millis(MOMENT + 60 * DAY)) == "2026-12-02 17:05"
    assert berlin.dated(DAY)(MOMENT) == "18:05"
    assert berlin.zone_name == "Europe/Berlin"
    assert reader("en_US", "Asia/Tokyo").moment(MOMENT).startswith("Oct 4, 2026")


@pytest.mark.parametrize("name", ["Mars/Phobos", "../etc/passwd", ""])
def test_a_zone_that_is_not_known_any_more_is_told_as_utc(name: str) -> None:
    assert reader(time_zone=name).zone_name == "UTC"
    assert reader(time_zone=name).moment(MOMENT) == "2026-10-03 16:05"


def test_every_zone_to_choose_is_there() -> None:
    assert {"UTC", "Europe/Berlin", "America/New_York"} <= {*time_zones()}
    for name in time_zones():
        assert reader(time_zone=name).zone_name == name


def test_the_plain_form_does_without_the_library_of_locales() -> None:
    told = (
        "import sys, coffers.web.site; from coffers.web.formats import PLAIN; "
        f"PLAIN.moment({MOMENT}); PLAIN.dated(5)({MOMENT}); print('babel' in sys.modules)"
    )
    command = [sys.executable, "-c", told]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "False\n"
