"""The tokens of chains other than EVM ones that are known beforehand, by their contract.

Whoever makes a token chooses its symbol, so nothing but the contract tells which one it is.
"""

import functools
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token of a list.

    `contract` is written as its chain does. `asset` is the code of what exchanges trade where the
    token is the same, else None.
    """

    contract: str
    symbol: str
    decimals: int
    asset: str | None


class _File(msgspec.Struct):
    tokens: list[tuple[str, str, int, str | None]]


@functools.cache
def listed_on(chain: str) -> Mapping[str, ListedToken]:
    """Return the known tokens of a list ("solana", "cosmos") by contract, read once per process."""
    data = importlib.resources.files("coffers.connectors.chain")
    stored = data.joinpath(f"data/{chain}_tokens.json").read_bytes()
    rows = msgspec.json.decode(stored, type=_File).tokens
    return {row[0]: ListedToken(*row) for row in rows}
