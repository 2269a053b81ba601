"""The program in a real browser: how it is started, who visits it, and what they check."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

CHROMIUM = "/usr/bin/chromium"
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
GONE_WITHIN = 30
PATIENCE = 30_000
"""Milliseconds that anything on a page may take to appear: the machine may be busy."""

DESKTOP, PHONE = (1280, 900), (390, 844)
Size = tuple[int, int]
Colours = Literal["light", "dark"]
PASSWORD = "a long password 1"


_CUT = """() => {
  const rect = (each) => each.getBoundingClientRect();
  const texts = (row) => [...row.cells].filter((cell) => cell.innerText.trim()).map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return range.getBoundingClientRect();
  });
  const meet = (one, two) =>
    one.left < two.right && two.left < one.right && one.top < two.bottom && two.top < one.bottom;
  const wide = [...document.querySelectorAll("html, .wide, textarea[readonly]")]
    .filter((each) => each.scrollWidth > each.clientWidth
      || (each.matches("textarea") && each.scrollHeight > each.clientHeight))
    .map((each) => each.outerHTML.slice(0, 100));
  const over = [...document.querySelectorAll("tbody tr")].filter((row) => {
    const all = texts(row);
    return all.some((one, n) => all.slice(n + 1).some((two) => meet(one, two)));
  });
  return [...wide, ...over.map((row) => row.innerText)];
}"""


@dataclass(frozen=True, slots=True)
class Program:
    """A server that runs, the code for its first user, and the exchange that it reads."""

    url: str
    code: str
    exchange: str

    def script(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Tell the simulated exchange what to do."""
        answer = httpx.request(method, f"{self.exchange}/_sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def running(
    home: Path, name: str, said: str, *arguments: str, **settings: str
) -> Iterator[re.Match[str]]:
    """Run a command until the test is over; yields what it said of itself."""
    env = {name: text for name, text in os.environ.items() if not name.startswith("COFFERS_")}
    log = home / f"{name}.log"
    with log.open("w") as file:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-u", "-m", "coffers", *arguments],
            stdout=file,
            stderr=file,
            env={**env, "COFFERS_DATA_DIR": str(home), "COFFERS_LOG_LEVEL": "warning", **settings},
        )
    try:
        yield _said(process, log, said)
    finally:
        process.terminate()
        process.wait(GONE_WITHIN)


def _said(process: subprocess.Popen[bytes], log: Path, said: str) -> re.Match[str]:
    while process.poll() is None:
        if (found := re.search(said, log.read_text(), re.DOTALL)) is not None:
            return found
    raise AssertionError(log.read_text())


@dataclass
class Visitor:
    """Somebody at a browser, and what went wrong there."""

    program: Program
    page: Page
    faults: list[str]

    def goes(self, path: str) -> None:
        """Open a page."""
        self.page.goto(f"{self.program.url}{path}")

    def begins(self, name: str = "ann") -> None:
        """Make the first user."""
        self.goes("/welcome")
        for label, text in (
            ("Code", self.program.code),
            ("Name", name),
            ("Password", PASSWORD),
            ("Password again", PASSWORD),
        ):
            self.page.get_by_label(label, exact=True).fill(text)
        self.page.get_by_role("button", name="Begin").click()
        self.page.wait_for_url(f"{self.program.url}/")

    def signs_in(self, name: str = "ann") -> None:
        """Sign in."""
        self.goes("/sign-in")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url(f"{self.program.url}/")

    def connects(self, name: str, key: str, secret: str) -> None:
        """Connect an account at the simulated exchange."""
        self.goes("/connect/binance")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_label("Secret").fill(secret)
        self.page.get_by_role("button", name="Check it").click()
        self.page.get_by_role("button", name="Connect", exact=True).click()
        self.page.wait_for_url(re.compile(r"/accounts/\d+"))

    def cut(self) -> list[str]:
        """Return what of tables and of fields to read is out of sight or written over."""
        found: list[str] = self.page.evaluate(_CUT)
        return found

    def check(self) -> None:
        """Require that the page is well made for everybody, and asked for nothing elsewhere."""
        wide = self.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], f"{self.page.url} is {wide[0]} wide in {wide[1]}"
        found = Axe().run(self.page).response["violations"]
        serious = [each for each in found if each["impact"] in {"serious", "critical"}]
        told = [(each["id"], [n["html"][:200] for n in each["nodes"][:3]]) for each in serious]
        assert told == [], f"{self.page.url}: {told}"
        assert self.faults == []


@contextmanager
def visiting(
    chromium: Browser,
    program: Program,
    size: Size = DESKTOP,
    colours: Colours = "light",
    *,
    script: bool = True,
) -> Iterator[Visitor]:
    """Open a browser of its own, of a size and with colours."""
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=colours,
        java_script_enabled=script,
        has_touch=size == PHONE,
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    visitor = Visitor(program, page, [])
    page.on("console", lambda message: visitor.faults.extend(_fault(message)))
    page.on("pageerror", lambda error: visitor.faults.append(str(error)))
    page.on("request", lambda request: visitor.faults.extend(_stray(program, request)))
    try:
        yield visitor
    finally:
        context.close()


def _fault(message: ConsoleMessage) -> list[str]:
    return [message.text] if message.type == "error" else []


def _stray(program: Program, request: Request) -> list[str]:
    """Return the address of a request that leads elsewhere."""
    return [] if request.url.startswith((program.url, "data:", "blob:")) else [request.url]
