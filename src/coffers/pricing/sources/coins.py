"""Which coin a symbol means, by CoinGecko's ids.

A symbol is no name: many coins share one. The table holds the most traded coins, each under the
symbol that it goes by at nearly every exchange. Left out is what exchanges use for different coins
(HOT, BEAM, NEIRO) and what is also a state's money (RON). Source: the ids of CoinGecko's
`/coins/list`, which are those of the coins' pages there.
"""

import importlib.resources
from collections.abc import Mapping
from functools import cache

import msgspec


@cache
def coin_ids() -> Mapping[str, str]:
    """Return CoinGecko's id of each symbol."""
    data = importlib.resources.files("coffers.pricing.sources").joinpath("data/coingecko.json")
    return msgspec.json.decode(data.read_bytes(), type=dict[str, str])
