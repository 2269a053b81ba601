"""Pages are loaded when somebody opens one, once, and not by what programs ask."""

import asyncio
import subprocess
import sys
import time

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from coffers.cli.site import LatePages

API, PAGES = PlainTextResponse("api"), PlainTextResponse("pages")


async def test_pages_are_loaded_once_by_the_first_who_opens_one() -> None:
    loads = 0

    def load() -> ASGIApp:
        nonlocal loads
        loads += 1
        time.sleep(0.05)
        return PAGES

    transport = httpx.ASGITransport(LatePages(API, load))
    async with httpx.AsyncClient(transport=transport, base_url="http://coffers.test") as http:
        for path in ("/public/api/ver1/ping", "/healthz", "/metrics", "/img/exchanges/binance.svg"):
            assert (await http.get(path)).text == "api"
        assert loads == 0
        answers = await asyncio.gather(*(http.get(path) for path in ("/", "/sign-in", "/other")))
        assert [answer.text for answer in answers] == ["pages"] * 3
        assert loads == 1


@pytest.mark.parametrize("module", ["coffers.web", "jinja2", "webauthn", "babel", "ccxt"])
def test_a_server_begins_without_what_pages_alone_need(module: str) -> None:
    told = f"import sys, coffers.cli.site; print({module!r} in sys.modules)"
    command = [sys.executable, "-c", told]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "False\n"
