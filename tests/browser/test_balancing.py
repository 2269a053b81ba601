"""A plan of auto-balance is looked at, and a run begun, on paper."""

from collections.abc import Callable

import pytest

from browsing import DESKTOP, PHONE, Visitor

Visit = Callable[..., Visitor]


@pytest.mark.parametrize(
    ("size", "colours", "script"),
    [(DESKTOP, "light", True), (PHONE, "dark", True), (PHONE, "light", False)],
)
def test_a_plan_is_looked_at_and_carried_out(
    visit: Visit, size: tuple[int, int], colours: str, *, script: bool
) -> None:
    visitor = visit(size, colours, script=script)
    page, name = visitor.page, f"Halves {size[0]} {script}"
    visitor.goes("/portfolios/new")
    page.get_by_label("Name").fill(name)
    for row, asset in ((1, "BTC"), (2, "USDT")):
        page.locator(f"[name=code_{row}]").fill(asset)
        page.locator(f"[name=amount_{row}]").fill("50")
    page.get_by_role("button", name="Save").last.click()
    visitor.goes("/connect/paper_trading")
    page.get_by_label("Name").fill(name)
    page.locator("form[action='/connect/paper_trading'] button:not(.hidden):not(.quiet)").click()
    page.get_by_role("link", name="Settings").last.click()
    page.get_by_label("Portfolio").select_option(label=name)
    page.get_by_role("button", name="Save").last.click()
    page.locator("#period").fill("36")
    page.get_by_role("button", name="Show what a run would do").click()
    page.get_by_role("heading", name="Orders").wait_for()
    page.get_by_role("link", name="To its settings").click()
    page.get_by_text("is not saved yet").wait_for()
    assert page.locator("#period").input_value() == "36"
    assert visitor.cut() == []
    page.get_by_role("button", name="Show what a run would do").click()
    page.get_by_role("heading", name="Orders").wait_for()
    assert visitor.cut() == []
    if script:
        visitor.check()
    page.get_by_label("Place the orders now").check()
    page.get_by_role("button", name="Run now").click()
    page.get_by_text("Done: the orders were placed.").wait_for()
    if script:
        visitor.check()
