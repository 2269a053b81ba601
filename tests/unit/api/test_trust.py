"""What figures do not tell is said in headers."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from coffers.api.trust import NAMED, doubts, trust_headers
from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.portfolio.view import AccountView, Quality
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.history import History
from coffers.valuation.model import PriceBook, Snapshot, Value
from factories import NOW, account, figures_of

USD = DisplayCurrency("USD", lambda _at: Decimal(1))
WHOLE = Quality(
    as_of=NOW, read_at=Millis(NOW - MINUTE), unpriced=(), missing_wallets=(), flows_known=True
)


def view(display: DisplayCurrency = USD, **changes: Any) -> AccountView:
    figures = figures_of(NOW, Value(Decimal(1), Decimal(1)), None, display)
    return AccountView(account(), figures, msgspec.structs.replace(WHOLE, **changes))


def told_of(shown: AccountView) -> str:
    lacks_rate = shown.figures.lacks_rate
    return doubts(shown.account.id, shown.quality, NOW, Millis(30 * MINUTE), lacks_rate=lacks_rate)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"read_at": None}, "7;unread"),
        ({"unpriced": ("DOGE", "SHIB")}, "7;unpriced=2"),
        ({"missing_wallets": ("earn",)}, "7;missing_wallets=1"),
        ({"read_at": Millis(NOW - HOUR)}, "7;stale"),
        ({"is_ahead": True}, "7;stale"),
        ({"is_ahead": True, "read_at": None}, "7;unread"),
        ({"flows_known": False}, "7;flows_unknown"),
        (
            {"unpriced": ("DOGE",), "read_at": Millis(NOW - HOUR), "flows_known": False},
            "7;unpriced=1;stale;flows_unknown",
        ),
    ],
)
def test_each_doubt_is_named(changes: dict[str, Any], told: str) -> None:
    assert told_of(view(**changes)) == told


def test_a_display_currency_without_a_rate_is_told() -> None:
    unknown = DisplayCurrency("EUR", lambda _at: None)
    assert told_of(view(unknown)) == "7;no_rate"


def test_a_display_currency_without_a_rate_of_the_past_is_told() -> None:
    rates = {NOW: Decimal("0.8")}
    history = History(Snapshot(Millis(NOW - 2 * DAY), Value(Decimal(1), Decimal(1))), ())
    euro = DisplayCurrency("EUR", rates.get)
    figures = figures_of(NOW, Value(Decimal(1), Decimal(1)), history, euro)
    shown = AccountView(account(), figures, WHOLE)
    assert figures.display.amount is not None
    assert told_of(shown) == "7;no_rate"


def test_a_whole_page_says_so_and_of_which_moment() -> None:
    assert trust_headers(PriceBook(3, NOW, {}), []) == [
        (b"x-accounts-incomplete", b"0"),
        (b"x-prices-at", b"2025-10-09T08:53:20.000Z"),
    ]


def test_before_the_first_prices_there_is_no_moment() -> None:
    assert b"x-prices-at" not in dict(trust_headers(None, []))


def test_the_count_is_whole_and_the_names_are_bounded() -> None:
    headers = dict(trust_headers(None, [f"{number};stale" for number in range(NAMED + 5)]))
    assert headers[b"x-accounts-incomplete"] == b"45"
    assert headers[b"x-accounts-incomplete-why"].count(b"stale") == NAMED
