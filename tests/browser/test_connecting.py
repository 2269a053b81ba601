"""What scripts add to connecting and to an account's page; all of it works without them."""

import re
from collections.abc import Callable

import pytest

from browsing import DESKTOP, PHONE, Program, Visitor

Visit = Callable[..., Visitor]
BITCOIN = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
OTHER_KEY, OTHER_SECRET = "demo-binance-key-2", "demo-binance-secret-2"


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_typing_narrows_the_list_of_markets(visit: Visit, size: tuple[int, int]) -> None:
    visitor = visit(size)
    visitor.goes("/connect")
    visitor.page.get_by_label("Search for an exchange or a chain").fill("bitcoin")
    visitor.page.get_by_text(re.compile(r"^\d found$")).wait_for()
    assert visitor.page.locator('a[href="/connect/bitcoin_wallet"]').is_visible()
    assert not visitor.page.locator('a[href="/connect/kraken"]').is_visible()
    visitor.page.get_by_label("Search for an exchange or a chain").fill("no such market")
    visitor.page.get_by_text("None of that name").wait_for()
    visitor.check()


def test_an_address_is_looked_at_while_it_is_typed(visit: Visit) -> None:
    visitor = visit()
    visitor.goes("/connect/bitcoin_wallet")
    field = visitor.page.get_by_label("Address")
    field.fill(f"{BITCOIN[:-1]}b")
    visitor.page.get_by_text("checksum is wrong").wait_for()
    assert field.get_attribute("aria-invalid") == "true"
    field.fill(BITCOIN)
    visitor.page.get_by_text("an address of Bitcoin").wait_for()
    assert field.get_attribute("aria-invalid") is None
    visitor.check()


def test_an_account_is_read_now_and_the_page_takes_it_over(visit: Visit) -> None:
    visitor = visit()
    visitor.goes("/accounts/1")
    visitor.page.evaluate("window.isTheSame = true")
    visitor.page.get_by_role("button", name="Refresh now").click()
    visitor.page.get_by_text("Read, all of it.").wait_for()
    assert visitor.page.evaluate("window.isTheSame") is True
    visitor.page.get_by_role("heading", name="Last readings").wait_for()
    visitor.check()


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize(("size", "colours"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_a_check_tells_how_far_it_is_and_then_what_it_found(
    visit: Visit, settled: Program, size: tuple[int, int], colours: str, *, script: bool
) -> None:
    settled.script("POST", "/faults", {"kind": "delay", "seconds": 2, "key": OTHER_KEY, "count": 1})
    visitor = visit(size, colours, script=script)
    visitor.goes("/connect/binance")
    for label, text in (("Name", "Other"), ("API key", OTHER_KEY), ("Secret", OTHER_SECRET)):
        visitor.page.get_by_label(label).fill(text)
    visitor.page.get_by_role("button", name="Check it").click()
    visitor.page.get_by_role("heading", name="It is being checked").wait_for()
    if script:
        visitor.check()
    visitor.page.get_by_role("heading", name="What the key may do").wait_for()
    visitor.page.get_by_role("button", name="Forget it").click()
    visitor.page.get_by_text("Forgotten; nothing was stored.").wait_for()
    settled.script("DELETE", "/faults")
