"""What assets are called: names of well-known coins and of states' money, and keys of tokens.

An asset is keyed by its symbol ("BTC"), or as a token without a symbol that can be trusted by its
chain and contract ("ethereum:0xdac1..."). Where a venue trades something else under a symbol than
other venues do, by the symbol and the venue ("NEIRO@gate"). Source of the names of states' money:
ISO 4217.
"""

import importlib.resources
import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import msgspec

AssetKind = Literal["crypto", "stablecoin", "fiat", "token"]

LONGEST_CODE: Final = 150
"""Characters of the longest code: a chain's name before the 128 of a Cosmos denomination."""

_TOKEN: Final = re.compile(r"([a-z][a-z0-9_-]{1,30}):([A-Za-z0-9._-]{3,100})")


@dataclass(frozen=True, slots=True)
class NamesFile:
    """Names by symbol."""

    fiat: dict[str, str]
    crypto: dict[str, str]


@cache
def known_names() -> NamesFile:
    """Return the names that ship with this version, read once per process."""
    data = importlib.resources.files("coffers.markets").joinpath("data/assets.json")
    return msgspec.json.decode(data.read_bytes(), type=NamesFile)


def name_of(code: str) -> str | None:
    """Return the name that ships of an asset, None where none does."""
    names = known_names()
    return names.crypto.get(code) or names.fiat.get(code)


def token_of(asset: str) -> tuple[str, str] | None:
    """Return the chain and the contract of a token's key, None for an asset with a symbol."""
    found = _TOKEN.fullmatch(asset)
    return None if found is None else (found[1], found[2])


def at_venue(symbol: str, venue: str) -> str:
    """Return the key of what a venue, and no other one, trades under a symbol."""
    return f"{symbol}@{venue}"


def symbol_at(asset: str, venue: str) -> str:
    """Return the symbol under which a venue trades an asset."""
    return asset.removesuffix(f"@{venue}")


def symbol_of(asset: str) -> str:
    """Return the symbol of an asset that one venue alone means by it; any other asset as it is."""
    return asset.partition("@")[0]


def spellings(text: str) -> tuple[str, ...]:
    """Return the keys that a text may mean, as it was written first.

    "btc" may mean BTC, and "neiro@gate" NEIRO@gate. An address that begins with 0x has no other
    meaning in capitals, which are a check sum.
    """
    token = token_of(text)
    if token is not None:
        chain, contract = token
        key = f"{chain}:{contract.lower()}" if contract.lower().startswith("0x") else text
    elif is_of_one_venue(text):
        symbol, _, venue = text.partition("@")
        key = at_venue(symbol.upper(), venue.lower())
    else:
        key = text.upper()
    return tuple(dict.fromkeys((text, key)))


def is_of_one_venue(asset: str) -> bool:
    """Return whether one venue alone means an asset by its symbol. No other key has the sign."""
    return "@" in asset
