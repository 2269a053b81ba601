"""Icons of markets and assets: neutral, made here, so that no page loads things from elsewhere."""

import functools
import hashlib
import importlib.resources
import re
from xml.sax.saxutils import escape

from coffers.errors import NotFound
from coffers.markets.assets import LONGEST_CODE
from coffers.markets.catalogue import Catalogue, Market, load_catalogue

SUMMARY = "summary"
"""The code under which the summary of all accounts has an icon; no market has it."""

_COLOURS = (
    "#1f4e79", "#2b5d34", "#5b3a86", "#7a3b1d", "#0f5c5c", "#8a2846", "#3d4f8f", "#5a5316",
    "#6b2f6b", "#22577a", "#4a4a4a", "#8b3a3a", "#2f5233", "#494ca2", "#6a4c2b", "#006064",
)  # fmt: skip
"""Dark enough for white letters (contrast above 4.5 : 1), of about the same weight."""

_DRAWING = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64" role="img">\
<title>{title}</title><rect width="64" height="64" rx="14" fill="{colour}"/>\
<text x="32" y="43" fill="#ffffff" font-family="sans-serif" font-size="{size}" font-weight="700" \
text-anchor="middle">{letters}</text></svg>
"""


_SIZES = (40, 40, 32, 24)
"""The size of the letters, by how many there are."""


@functools.cache
def icon(code: str, catalogue: Catalogue | None = None) -> bytes:
    """Return the market's icon: an SVG document that reads well from 16 to 64 pixels.

    `catalogue` is the one that has the wallets of chains too; by default the one that ships.

    A file `data/icons/{code}.svg` takes precedence; without one it is drawn: the letters of the
    name on a colour that always is the same for a code.

    Raises:
        NotFound: the catalogue has no market of this code.
    """
    if code == SUMMARY:
        return _drawing(code, "Summary", "Σ")
    # Only codes of the catalogue become part of a path: a client's text never does.
    market = (catalogue or load_catalogue()).get(code)
    if market is None:
        raise NotFound(f"There is no market with the code {code!r}.")
    own = importlib.resources.files("coffers.markets").joinpath(f"data/icons/{market.code}.svg")
    return own.read_bytes() if own.is_file() else _drawn(market)


def asset_icon(code: str) -> bytes:
    """Return the icon of an asset, drawn in the same way: the first letters of its code.

    Raises:
        NotFound: no asset has such a code.
    """
    if not code.isprintable() or not 1 <= len(code) <= LONGEST_CODE:
        raise NotFound("There is no asset with that code.")
    return _drawing(code, code, "".join(re.findall(r"[^\W_]", code))[:3])


def _drawn(market: Market) -> bytes:
    name = market.name.removesuffix(" Wallet") if market.chain else market.name
    return _drawing(market.code, market.name, _letters(name))


def _drawing(code: str, title: str, letters: str) -> bytes:
    drawing = _DRAWING.format(
        title=escape(title),
        colour=_COLOURS[hashlib.sha256(code.encode()).digest()[0] % len(_COLOURS)],
        size=_SIZES[len(letters)],
        letters=escape(letters),
    )
    return drawing.encode()


def _letters(name: str) -> str:
    """Return the initials of the first two words, or the first two letters of the only one."""
    words = re.findall(r"[^\W_]+", name)
    if len(words) > 1:
        return "".join(word[0] for word in words[:2]).upper()
    return "".join(words)[:2].capitalize()
