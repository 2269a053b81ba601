"""Every page: for every size and in both colours, by the keyboard alone, and light to load."""

from collections.abc import Callable

import pytest

from browsing import DESKTOP, PASSWORD, PHONE, Program, Visitor

Visit = Callable[..., Visitor]
PATHS = (
    "/",
    "/explain",
    "/accounts/1",
    "/accounts/1/explain",
    "/password",
    "/connect",
    "/connect/binance",
    "/connect/bitcoin_wallet",
    "/connect/manual",
    "/connect/paper_trading",
    "/accounts/1/settings",
    "/portfolios",
    "/portfolios/new",
    "/tokens",
    "/tokens/new",
    "/playground",
    "/settings",
    "/security",
    "/security/trail",
    "/security/totp",
)
_LONG_NAMES = """(names) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const name of names) {
      const text = texts.currentNode;
      text.data = text.data.replace(new RegExp(`\\\\b${name}$`), "W".repeat(99));
    }
  }
}"""
_LONG_NUMBERS = """(places) => {
  for (const each of places) each.textContent = "184000000.123456789012345678 USD";
}"""
LIGHT_ENOUGH = 150_000
"""Bytes that the first page may weigh, with all that it loads, as they are sent."""


# Sizes move things and colours paint them: each is looked at once, which takes half a minute.
@pytest.mark.parametrize(("size", "colours"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_every_page_is_well_made(visit: Visit, size: tuple[int, int], colours: str) -> None:
    visitor = visit(size, colours)
    for path in PATHS:
        visitor.goes(path)
        visitor.page.locator("main").wait_for()
        visitor.check()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_long_names_push_nothing_out_of_sight(visit: Visit, size: tuple[int, int]) -> None:
    visitor = visit(size)
    for path in ("/", "/accounts/1", "/accounts/1/settings"):
        visitor.goes(path)
        visitor.page.evaluate(_LONG_NAMES, ["Main", "ann"])
        wide = "[document.scrollingElement, ...document.querySelectorAll('.accounts')]"
        for within, shown in visitor.page.evaluate(
            f"{wide}.map((each) => [each.scrollWidth, innerWidth])"
        ):
            assert within <= shown, path


def test_a_phone_shows_long_numbers_with_all_their_digits(visit: Visit) -> None:
    # A live page would put its own numbers back.
    visitor = visit(PHONE, script=False)
    page = visitor.page
    page.locator(".hero .figure, .accounts .figure").evaluate_all(_LONG_NUMBERS)
    assert visitor.cut() == []
    visitor.goes("/accounts/1")
    page.locator(".held :is(.c-amount, .c-price span)").evaluate_all(_LONG_NUMBERS)
    assert visitor.cut() == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_long_number_stays_in_its_card(visit: Visit, size: tuple[int, int]) -> None:
    page = visit(size, script=False).page
    # Marked as the server does it.
    page.locator(".parts td:last-child").evaluate_all("""(all) => {
      for (const each of all) {
        each.textContent = `${"9,".repeat(20)}.90 USD`;
        each.classList.add("long");
      }
    }""")
    over = """(tables) => tables.map((each) =>
      each.getBoundingClientRect().right - each.parentElement.getBoundingClientRect().right)"""
    found = page.locator("table.parts").evaluate_all(over)
    assert len(found) == 2
    assert max(found) < 0


def test_the_keyboard_alone_does(visit: Visit, settled: Program) -> None:
    visitor = visit()
    keys = visitor.page.keyboard
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.wait_for_url("**/sign-in")
    _tab_to(visitor, "name")
    keys.type("ann")
    _tab_to(visitor, "password")
    keys.type(PASSWORD)
    keys.press("Enter")
    visitor.page.wait_for_url(f"{settled.url}/")
    keys.press("Tab")
    keys.press("Enter")
    assert visitor.page.url.endswith("#main")
    _tab_to(visitor, "Main")
    keys.press("Enter")
    visitor.page.wait_for_url("**/accounts/1")


def _tab_to(visitor: Visitor, wanted: str) -> None:
    """Press the tabulator until something of this name or with this text has the focus."""
    for _ in range(60):
        visitor.page.keyboard.press("Tab")
        name, text, ring = visitor.page.evaluate(
            """[document.activeElement.name, document.activeElement.innerText,
                getComputedStyle(document.activeElement).outlineStyle]"""
        )
        assert ring != "none", f"nothing shows that {name or text!r} has the focus"
        if wanted in {name, text}:
            return
    raise AssertionError(f"the tabulator does not come to {wanted}")


def test_the_first_page_is_light(visit: Visit) -> None:
    visitor = visit()
    sizes: list[int] = []
    visitor.page.on(
        "requestfinished",
        lambda request: sizes.append(
            request.sizes()["responseBodySize"] + request.sizes()["responseHeadersSize"]
        ),
    )
    visitor.page.reload()
    visitor.page.wait_for_load_state("load")
    assert sum(sizes) <= LIGHT_ENOUGH
