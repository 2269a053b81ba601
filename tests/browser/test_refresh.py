"""An account that is read at once: how far it has come, and what is told when it is refused."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from browsing import Visitor

Visit = Callable[..., Visitor]
REFUSED = "8 things that you began are not done yet; wait for one of them."
NO_ANSWER = "The server did not answer; try again."


def reads_now(page: Page, told: str | re.Pattern[str]) -> None:
    """Have the account read, and wait for what is told of it."""
    button = page.get_by_role("button", name="Refresh now")
    button.click()
    expect(page.locator("#refreshed")).to_have_text(told, timeout=20_000)
    expect(button).to_be_enabled()


def test_an_account_is_read_at_once(visit: Visit) -> None:
    visitor = visit()
    visitor.goes("/accounts/1")
    reads_now(visitor.page, re.compile(r"^(Read, all of it\.|It is being read already\.)$"))
    visitor.check()
    assert visitor.faults == []


def answered(page: Page, status: int, **how: Any) -> None:
    """Answer in the place of the server when a reading is asked for."""
    page.unroute("**/accounts/1/refresh")
    page.route("**/accounts/1/refresh", lambda route: route.fulfill(status=status, **how))


def test_a_refusal_is_told_as_it_is_and_no_answer_as_none(visit: Visit) -> None:
    visitor = visit()
    visitor.goes("/accounts/1")
    answered(visitor.page, 429, json={"is_over": True, "is_good": False, "told": REFUSED})
    reads_now(visitor.page, REFUSED)
    # As a proxy in front says that the server is away, with the one or the other kind of page.
    answered(visitor.page, 502, body="<h1>Bad gateway</h1>", content_type="text/html")
    reads_now(visitor.page, NO_ANSWER)
    answered(visitor.page, 429, json={"is_over": True, "is_good": False, "told": REFUSED})
    reads_now(visitor.page, REFUSED)
    answered(visitor.page, 502, json={"error": "bad gateway"})
    reads_now(visitor.page, NO_ANSWER)


CHANGED = """
async () => {
  const { become } = await import(document.querySelector("script[src*='refresh.js']").src
    .replace("refresh.js", "morph.js"));
  const main = document.querySelector("main");
  const newer = main.cloneNode(true);
  const mark = newer.querySelector(".mark");
  const other = document.createElement(mark.nodeName === "SPAN" ? "details" : "span");
  other.className = "mark";
  mark.replaceWith(other);
  const noted = main.cloneNode(true);
  noted.querySelector(".hero").before(document.createElement("div"));
  become(main, noted);
  become(main, newer);
}
"""


def test_a_page_that_became_another_tells_still_how_a_reading_goes(visit: Visit) -> None:
    visitor = visit()
    visitor.goes("/accounts/1")
    visitor.page.evaluate(CHANGED)
    answered(visitor.page, 429, json={"is_over": True, "is_good": False, "told": REFUSED})
    reads_now(visitor.page, REFUSED)
