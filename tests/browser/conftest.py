"""One server, one exchange and one browser for all of these tests, as starting them takes long."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from browsing import CHROMIUM, OPTIONS, Program, Visitor, running, visiting

Visit = Callable[..., Visitor]
KEY, SECRET = "demo-binance-key-1", "demo-binance-secret-1"


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Coffers beside a simulated exchange, both as a command starts them; it reads often."""
    home = tmp_path_factory.mktemp("program")
    with ExitStack() as stack:
        at = r"runs on (http://[\d.:]+)"
        exchange = stack.enter_context(running(home, "exchange", at, "sandbox", "--port", "0"))[1]
        settings = {
            "COFFERS_EXCHANGE_GATEWAY": exchange,
            "COFFERS_PRICE_INTERVAL": "2",
            "COFFERS_SYNC_INTERVAL": "3",
            "COFFERS_STALE_AFTER": "8",
        }
        at = r"serves (http://[\d.:]+).*the code is ([\w-]+)"
        command = ("serve", "--port", "0")
        told = stack.enter_context(running(home, "server", at, *command, **settings))
        yield Program(told[1], told[2], exchange)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, a new one for each context."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def settled(program: Program, chromium: Browser) -> Program:
    """The program with a first user and an account, both made at the pages."""
    with visiting(chromium, program) as visitor:
        visitor.begins()
        visitor.page.get_by_text("No accounts yet").wait_for()
        visitor.check()
        visitor.connects("Main", KEY, SECRET)
        visitor.check()
    return program


@pytest.fixture
def visit(chromium: Browser, settled: Program) -> Iterator[Visit]:
    """Open a browser in which the user has signed in; takes its size and colours."""
    with ExitStack() as stack:

        def opened(*how: object, **more: object) -> Visitor:
            visitor = stack.enter_context(visiting(chromium, settled, *how, **more))
            visitor.signs_in()
            return visitor

        yield opened
