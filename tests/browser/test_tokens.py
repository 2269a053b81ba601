"""A token made at the pages, and what it signs."""

from collections.abc import Callable

import httpx
import pytest

from browsing import DESKTOP, PHONE, Program, Visitor
from coffers.client import SignedAuth

LIST = "/public/api/ver1/accounts"


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_token_made_at_the_pages_signs_requests(
    visit: Callable[..., Visitor], settled: Program, size: tuple[int, int]
) -> None:
    visitor = visit(size)
    visitor.goes("/tokens")
    visitor.page.locator("a[href='/tokens/new']").first.click()
    visitor.page.get_by_label("Name").fill("My bot")
    # The second press must not take the secret away, which is shown by the answer to the first.
    visitor.page.get_by_role("button", name="Make it").dblclick()
    visitor.page.get_by_role("heading", name="The token is made").wait_for()
    visitor.check()
    assert visitor.cut() == []
    key, secret = (visitor.page.locator(place).input_value() for place in ("#api_key", "#secret"))
    with httpx.Client(base_url=settled.url, auth=SignedAuth(key, secret)) as client:
        (account,) = client.get(LIST).json()
    assert account["name"] == "Main"
    visitor.goes("/tokens")
    assert visitor.cut() == []
    assert secret not in visitor.page.content()
    assert "My bot" in visitor.page.locator("main").inner_text()


def test_a_form_is_sent_once_with_what_its_button_says_and_again_after_going_back(
    visit: Callable[..., Visitor],
) -> None:
    visitor = visit()
    page = visitor.page
    visitor.goes("/connect/manual")
    sent: list[str] = []
    page.on("request", lambda asked: sent.extend([asked.url] if asked.method == "POST" else []))
    rows = page.get_by_label("Asset ")
    before, more = rows.count(), page.get_by_role("button", name="More rows")
    page.locator("[name=code_1]").fill("BTC")
    more.dblclick()
    page.locator(f"[name=code_{before + 1}]").wait_for()
    assert len(sent) == 1
    page.go_back()
    assert rows.count() == before
    assert page.locator("form[aria-busy], button:disabled").count() == 0
    page.locator("[name=code_1]").fill("BTC")
    more.click()
    page.locator(f"[name=code_{before + 1}]").wait_for()
    assert len(sent) == 2


def test_the_playground_signs_in_the_browser_and_the_secret_stays_there(
    visit: Callable[..., Visitor],
) -> None:
    visitor = visit()
    visitor.goes("/tokens/new")
    visitor.page.get_by_label("Name").fill("Playing")
    visitor.page.get_by_role("button", name="Make it").click()
    secret = visitor.page.locator("#secret").input_value()
    sent: list[str] = []
    visitor.page.on(
        "request",
        lambda asked: sent.append(f"{asked.url} {asked.headers} {asked.post_data}"),
    )
    visitor.page.get_by_text("Try it in the playground").click()
    visitor.page.locator("#secret").fill(secret)
    visitor.page.locator("#send:not([disabled])").click()
    visitor.page.locator("#status.up").wait_for()
    assert "200" in visitor.page.locator("#status").inner_text()
    assert '"name": "Main"' in visitor.page.locator("#answer-body").inner_text()
    visitor.check()
    assert any(LIST in each for each in sent)
    assert not any(secret in each for each in sent)
