"""Pages that follow what changes: quietly, with what is open left open, and honest when cut off."""

import re
import statistics
from collections.abc import Callable
from typing import Final

from playwright.sync_api import Page

from browsing import Program, Visitor

Visit = Callable[..., Visitor]
READY_WITHIN: Final = 1_000
"""Milliseconds from the click to the page with all that it loads."""

_WATCH: Final = """
window.shifted = 0;
let shown = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: false });
document.addEventListener("coffers:shown", () => {
  document.documentElement.setAttribute(`data-shown-${(shown += 1)}`, "");
});
"""


def _shown_again(page: Page, times: int) -> None:
    """Wait until the page has brought itself up to date so many times."""
    page.locator(f"html[data-shown-{times}]").wait_for()


def test_a_page_follows_prices_and_nothing_jumps(visit: Visit) -> None:
    page = visit().page
    page.get_by_text("Live.").wait_for()
    # On the way to a chart there is something that can be opened and something with the focus.
    page.goto(f"{page.url}accounts/1")
    page.get_by_text("Live.").wait_for()
    page.locator(".over").focus()
    page.evaluate(_WATCH)
    before = page.locator("body").get_attribute("data-live")
    _shown_again(page, 2)
    assert page.locator("body").get_attribute("data-live") != before
    assert page.evaluate("document.activeElement.className").startswith("over")
    assert page.evaluate("window.shifted") < 0.01


def test_what_was_done_is_told_once_and_for_long_enough_to_be_read(
    visit: Visit, settled: Program
) -> None:
    visitor = visit()
    visitor.goes("/?range=1w&done=changed#accounts")
    page, notice = visitor.page, visitor.page.locator("#notice")
    page.wait_for_url(f"{settled.url}/?range=1w#accounts")
    page.evaluate(_WATCH)
    _shown_again(page, 1)
    assert notice.text_content() == "Changed."
    assert notice.is_visible()
    page.evaluate("performance.now = () => 60_000")
    notice.wait_for(state="hidden")
    page.reload()
    page.get_by_text("Live.").wait_for()
    assert not notice.is_visible()


def test_a_page_that_is_cut_off_says_since_when_and_comes_back(visit: Visit) -> None:
    page = visit().page
    page.get_by_text("Live.").wait_for()
    page.context.set_offline(True)
    lost = page.locator("#live-state")
    lost.get_by_text("Not live (cut off").wait_for()
    # An age, and no time of the browser's beside the page's, which may be of another zone.
    assert re.fullmatch(r"Not live \(cut off \d+ s ago\); trying again\.", lost.inner_text())
    page.context.set_offline(False)
    page.get_by_text("Live.").wait_for()


def test_signing_out_in_another_tab_leads_to_the_sign_in(visit: Visit, settled: Program) -> None:
    page = visit().page
    page.get_by_text("Live.").wait_for()
    other = page.context.new_page()
    other.goto(settled.url)
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/sign-in")
    page.bring_to_front()
    page.wait_for_url("**/sign-in")


def test_a_chart_is_read_with_the_keys_and_with_the_pointer(visit: Visit) -> None:
    visitor = visit()
    visitor.goes("/?range=1d")
    page = visitor.page
    chart, line = page.get_by_role("slider"), page.locator("[data-spot]")
    last = line.text_content()
    chart.focus()
    page.keyboard.press("Home")
    first = line.text_content()
    assert first != last
    assert chart.get_attribute("aria-valuetext") == first
    page.keyboard.press("End")
    assert line.text_content() == last
    page.keyboard.press("Escape")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 10, box["y"] + 50)
    assert line.text_content() == first


def test_the_first_page_is_ready_at_once(visit: Visit) -> None:
    page = visit().page
    took: list[float] = []
    for _ in range(3):
        page.reload()
        page.wait_for_load_state("load")
        took.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
    assert statistics.median(took) <= READY_WITHIN
