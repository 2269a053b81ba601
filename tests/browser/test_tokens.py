"""A token made at the pages, and what it signs."""

from collections.abc import Callable

import httpx

from browsing import Program, Visitor
from coffers.client import SignedAuth

LIST = "/public/api/ver1/accounts"


def test_a_token_made_at_the_pages_signs_requests(
    visit: Callable[..., Visitor], settled: Program
) -> None:
    visitor = visit()
    visitor.goes("/tokens")
    visitor.page.locator("a[href='/tokens/new']").first.click()
    visitor.page.get_by_label("Name").fill("My bot")
    visitor.page.get_by_role("button", name="Make it").click()
    visitor.page.get_by_role("heading", name="The token is made").wait_for()
    visitor.check()
    key, secret = (visitor.page.locator(place).input_value() for place in ("#api_key", "#secret"))
    with httpx.Client(base_url=settled.url, auth=SignedAuth(key, secret)) as client:
        (account,) = client.get(LIST).json()
    assert account["name"] == "Main"
    visitor.goes("/tokens")
    assert secret not in visitor.page.content()
    assert "My bot" in visitor.page.locator("main").inner_text()
