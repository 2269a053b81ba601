"""Take the pictures of docs/images from the demo's pages, in Debian's Chromium.

Run as `.venv/bin/python scripts/make_screenshots.py` after `make test-browser` has installed what
drives a browser. The demo's values wander, so the pictures are never the same twice.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
IMAGES = Path(__file__).parent.parent / "docs" / "images"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as it is pictured; the height is what is shown of it."""

    name: str
    path: str
    size: tuple[int, int] = (1280, 960)
    colours: Literal["light", "dark"] = "light"


PICTURES = (
    Picture("overview", "/"),
    Picture("account", "/accounts/1", colours="dark"),
    Picture("phone", "/", (390, 844), "dark"),
    Picture("connect", "/connect"),
)


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with _demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        for each in PICTURES:
            width, height = each.size
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=each.colours
            )
            page = context.new_page()
            page.goto(f"{url}{each.path}")
            page.wait_for_load_state("networkidle" if each.path == "/connect" else "load")
            page.screenshot(path=IMAGES / f"{each.name}.png")
            context.close()
        browser.close()


@contextmanager
def _demo() -> Iterator[str]:
    command = [sys.executable, "-m", "coffers", "demo", "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    try:
        if process.stdout is None or not (line := process.stdout.readline()):
            raise SystemExit("the demo did not start")
        yield json.loads(line)["pages_url"].rstrip("/")
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
