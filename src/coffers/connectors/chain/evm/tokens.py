"""The tokens that are known beforehand, by chain and contract; see `scripts/make_tokens.py`."""

import functools
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Listed:
    """A token of the list.

    `contract` is in lower case. `decimals` is None where the list does not tell the places, `asset`
    the code of what exchanges trade where the token is the same, `coingecko` its id there.
    """

    contract: str
    symbol: str
    decimals: int | None
    asset: str | None
    coingecko: str | None


class _File(msgspec.Struct):
    chains: dict[int, list[tuple[str, str, int | None, str | None, str | None]]]


@functools.cache
def listed_tokens(chain_id: int) -> Mapping[str, Listed]:
    """Return the known tokens of an EVM chain by contract; none for a chain without a list."""
    return {row[0]: Listed(*row) for row in _file().chains.get(chain_id, [])}


def mirrors(chain_id: int) -> Mapping[str, str]:
    """Return the contracts of an EVM chain that only show another one's balances, and that one.

    An issuer may keep its old contract as a second door to the new one. What moves through the old
    one is logged by both, so the new one alone tells all. Source: Monerium's
    https://monerium.dev/docs/contracts-v2
    """
    return _mirrors().get(chain_id, {})


@functools.cache
def _file() -> _File:
    return msgspec.json.decode(_data("tokens.json"), type=_File)


@functools.cache
def _mirrors() -> dict[int, dict[str, str]]:
    return msgspec.json.decode(_data("mirrored_tokens.json"), type=dict[int, dict[str, str]])


def _data(name: str) -> bytes:
    data = importlib.resources.files("coffers.connectors.chain").joinpath("data")
    return data.joinpath(name).read_bytes()
