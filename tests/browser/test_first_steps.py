"""What becomes of an account's value: it moves with prices, and an outage is no loss."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from browsing import DESKTOP, PHONE, Program, Visitor

Visit = Callable[..., Visitor]
BITCOIN = {"venue": "binance", "symbol": "BTCUSDT"}


@pytest.fixture(autouse=True)
def _quiet(settled: Program) -> Iterator[None]:
    yield
    settled.script("DELETE", "/prices")
    settled.script("DELETE", "/faults")


def _amount(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.]", "", text.split(" ", maxsplit=1)[0]))


def _worth(visitor: Visitor) -> Decimal:
    return _amount(visitor.page.locator(".hero .worth").inner_text())


@pytest.mark.parametrize(("size", "price"), [(DESKTOP, "150000"), (PHONE, "200000")])
def test_a_price_that_moves_is_seen_without_loading_the_page_again(
    visit: Visit, settled: Program, size: tuple[int, int], price: str
) -> None:
    visitor = visit(size)
    # A line needs two readings.
    visitor.page.locator("svg.chart").wait_for()
    visitor.page.locator(".hero .mark.good").wait_for()
    visitor.page.evaluate("window.isTheSame = true")
    before = _worth(visitor)
    places = _places(visitor)
    settled.script("POST", "/prices", {**BITCOIN, "price": price})
    visitor.page.wait_for_function(
        """least => Number(document.querySelector('.hero .worth').innerText.replace(/[^\\d.]/g, ''))
        > least""",
        arg=float(before * Decimal("1.05")),
    )
    assert visitor.page.evaluate("window.isTheSame") is True
    assert _places(visitor) == places, "something shifted"
    visitor.check()


def _places(visitor: Visitor) -> list[list[float]]:
    """Where the parts of the page begin."""
    found: list[list[float]] = visitor.page.evaluate(
        """[...document.querySelectorAll('main section')].map(each => {
            const box = each.getBoundingClientRect();
            return [Math.round(box.x), Math.round(box.y), Math.round(box.width)];
        })"""
    )
    return found


def test_every_figure_leads_to_what_it_is_made_of(visit: Visit) -> None:
    visitor = visit()
    visitor.page.locator("#accounts-table a.figure, table a.figure").first.click()
    visitor.page.get_by_role("heading", name="amount times price").wait_for()
    visitor.check()


def test_an_outage_is_seen_as_old_and_not_as_zero(visit: Visit, settled: Program) -> None:
    visitor = visit()
    before = _worth(visitor)
    assert before > 0
    settled.script("POST", "/faults", {"kind": "status", "path": "/api/v3/account"})
    visitor.page.locator(".hero .mark.bad").wait_for()
    assert _worth(visitor) > before / 2
    visitor.page.locator(".hero .mark summary").click()
    told = visitor.page.locator(".hero .mark ul").inner_text()
    assert "Main: " in told
    assert "the last reading is old" in told
    visitor.check()
    settled.script("DELETE", "/faults")
    visitor.page.locator(".hero .mark.bad").wait_for(state="detached")


def test_without_a_script_the_pages_show_the_same(visit: Visit) -> None:
    visitor = visit(script=False)
    assert _worth(visitor) > 0
    visitor.page.get_by_role("link", name="Main").first.click()
    visitor.page.get_by_role("heading", name="What lies in it").wait_for()
