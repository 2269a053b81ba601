"""`coffers price`: what an asset is worth, and how that is known."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from coffers.clock import MINUTE, Millis
from coffers.store.engine import Store
from coffers.valuation.model import HeldBack, Price
from factories import NOW
from program import Run

PRECISE = "0.2100001" + "3" * 50
ALGO = Price(
    Decimal("0.0000021"),
    Decimal(PRECISE),
    ("ALGO/USDT", "USDT/USD"),
    ("binance", "okx"),
    NOW,
)


@pytest.fixture
def book(coffers: Run, tmp_path: Path) -> None:
    assert coffers("migrate").returncode == 0
    asyncio.run(_save(f"sqlite:///{tmp_path}/data/coffers.db"))


async def _save(url: str) -> None:
    store = Store(url)
    leapt = HeldBack(replace(ALGO, usd=Decimal(21)), ALGO, Millis(NOW + MINUTE))
    async with store.transaction() as tx:
        await tx.prices.save_book({"ALGO": ALGO}, NOW, {"FOO": leapt})
    await store.close()


@pytest.mark.usefixtures("book")
def test_a_price_is_shown_with_how_it_is_known(coffers: Run) -> None:
    shown = coffers("price", "algo")
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[:3] == [
        "ALGO  0.21 USD  0.0000021 BTC",
        "route    ALGO/USDT USDT/USD",
        "sources  binance, okx",
    ]
    told = json.loads(coffers("price", "ALGO", "--json").stdout)
    assert (told["usd"], told["route"], told["epoch"]) == (
        PRECISE,
        ["ALGO/USDT", "USDT/USD"],
        1,
    )


@pytest.mark.usefixtures("book")
def test_a_price_that_is_held_back_is_shown_as_such(coffers: Run) -> None:
    shown = coffers("price", "FOO").stdout
    assert shown.startswith("FOO  - USD  - BTC\nheld back: 21.0 USD; ")
    assert "believed is 0.21" in shown


@pytest.mark.usefixtures("book")
def test_the_operator_accepts_a_price_for_everybody(coffers: Run) -> None:
    said = "FOO at 21.0 USD is believed from the next price book on.\n"
    done = coffers("price", "foo", "--accept")
    assert (done.stdout, done.stderr) == (said, "")
    told = coffers("price", "FOO", "--accept", "--json").stdout
    assert json.loads(told) == {"accepted": "FOO", "usd": "21.0"}
    failed = coffers("price", "ALGO", "--accept")
    assert (failed.returncode, "no price that is held back" in failed.stderr) == (1, True)


@pytest.mark.usefixtures("book")
def test_an_asset_without_a_price_is_one_sentence_and_an_exit_code(coffers: Run) -> None:
    failed = coffers("price", "ODD")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "unpriced, which is not zero" in failed.stderr
