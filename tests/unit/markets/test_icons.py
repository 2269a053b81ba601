"""Icons: one for every market, neutral, always the same, and harmless to whoever shows them."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from coffers.errors import NotFound
from coffers.markets import icons
from coffers.markets.catalogue import Market, load_catalogue
from coffers.markets.icons import SUMMARY, asset_icon, icon

SVG = "{http://www.w3.org/2000/svg}"
MARKETS = list(load_catalogue())
BINANCE_US = next(market for market in MARKETS if market.code == "binance_us")


def drawing(data: bytes) -> ET.Element:
    return ET.fromstring(data)  # noqa: S314 - drawn here


def letters(data: bytes) -> str | None:
    return drawing(data).findtext(f"{SVG}text")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.code)
def test_every_market_has_a_well_formed_icon_with_its_name_for_those_who_cannot_see_it(
    market: Market,
) -> None:
    root = drawing(icon(market.code))

    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == market.name
    assert 1 <= len(letters(icon(market.code)) or "") <= 2


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.code)
def test_an_icon_loads_and_runs_nothing(market: Market) -> None:
    root = drawing(icon(market.code))
    names = {element.tag.removeprefix(SVG) for element in root.iter()}
    attributes = {name for element in root.iter() for name in element.attrib}

    assert names == {"svg", "title", "rect", "text"}
    assert not any("href" in name or name.startswith("on") for name in attributes)
    assert icon(market.code).count(b"//") == 1  # the namespace


@pytest.mark.parametrize(
    ("code", "expected"), [("binance_us", "BU"), ("okex", "Ok"), ("kraken", "Kr"), ("cex", "CI")]
)
def test_the_letters_are_initials_or_the_beginning_of_the_only_word(
    code: str, expected: str
) -> None:
    assert letters(icon(code)) == expected


def test_a_name_with_markup_in_it_is_only_text() -> None:
    hostile = replace(BINANCE_US, name="</title><script>&'\"")

    root = drawing(icons._drawn(hostile))

    assert root.findtext(f"{SVG}title") == "</title><script>&'\""
    assert root.find(f".//{SVG}script") is None


def test_a_short_name_gets_one_larger_letter() -> None:
    assert letters(icons._drawn(replace(BINANCE_US, name="x"))) == "X"


def test_another_process_draws_the_same_icon() -> None:
    program = (
        "import sys; from coffers.markets.icons import icon; sys.stdout.buffer.write(icon('okex'))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)  # noqa: S603

    assert done.stdout == icon("okex")


@pytest.mark.parametrize("colour", icons._COLOURS)
def test_white_letters_can_be_read_on_every_colour(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


def test_an_icon_of_ones_own_takes_precedence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "data/icons/kraken.svg"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    monkeypatch.setattr(icons.importlib.resources, "files", lambda _: tmp_path)
    icon.cache_clear()

    try:
        assert icon("kraken") == own.read_bytes()
        assert letters(icon("okex")) == "Ok"
    finally:
        icon.cache_clear()


@pytest.mark.parametrize("code", ["nowhere", "", "../catalogue", "binance.svg"])
def test_only_markets_have_icons(code: str) -> None:
    with pytest.raises(NotFound, match="no market with the code"):
        icon(code)


def test_the_summary_has_an_icon_of_its_own_and_no_market_has_its_code() -> None:
    assert letters(icon(SUMMARY)) == "\u03a3"
    assert SUMMARY not in {market.code for market in MARKETS}


@pytest.mark.parametrize(
    ("code", "shown"),
    [("BTC", "BTC"), ("USDT", "USD"), ("1000SATS", "100"), ("$", None), ("A", "A")],
)
def test_an_asset_has_the_first_letters_of_its_code(code: str, shown: str | None) -> None:
    assert (letters(asset_icon(code)) or None) == shown
    assert drawing(asset_icon(code)).findtext(f"{SVG}title") == code


def test_a_hostile_asset_is_text_and_nothing_else() -> None:
    code = "</text><script>x()</script>"
    assert drawing(asset_icon(code)).findtext(f"{SVG}title") == code
    assert b"<script" not in asset_icon(code)


@pytest.mark.parametrize("code", ["", "A" * 151, "A\0", "A\n"])
def test_what_can_be_no_asset_has_no_icon(code: str) -> None:
    with pytest.raises(NotFound):
        asset_icon(code)
