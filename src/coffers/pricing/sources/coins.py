"""Which coin a symbol means, by CoinGecko's ids.

A symbol is no name: many coins share one. The table holds the most traded coins, each under the
symbol that it goes by at nearly every exchange. Left out is what exchanges use for different coins
(HOT, BEAM, NEIRO). A coin that is called like a state's money has a symbol of its own here (RONIN).
Source: the ids of CoinGecko's `/coins/list`, which are those of the coins' pages there.
"""

import importlib.resources
import re
from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec


@cache
def coin_ids() -> Mapping[str, str]:
    """Return CoinGecko's id of each symbol."""
    data = importlib.resources.files("coffers.pricing.sources").joinpath("data/coingecko.json")
    return msgspec.json.decode(data.read_bytes(), type=dict[str, str])


KEY: Final = "coingecko:"
"""Begins the key of an asset that a user names by its id at CoinGecko, as DefiLlama writes it."""

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


def coin_id(asset: str) -> str | None:
    """Return CoinGecko's id of an asset, by its symbol or by its key; None where it has none."""
    return asset.removeprefix(KEY) if is_coin_key(asset) else coin_ids().get(asset)


def is_coin_key(asset: str) -> bool:
    """Return whether an asset is named by an id that can be one at CoinGecko."""
    return asset.startswith(KEY) and _ID.fullmatch(asset, len(KEY)) is not None
