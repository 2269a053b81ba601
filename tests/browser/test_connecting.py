"""What scripts add to connecting and to an account's page; all of it works without them."""

import re
from collections.abc import Callable

import pytest

from browsing import DESKTOP, PHONE, Visitor

Visit = Callable[..., Visitor]
BITCOIN = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"


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
