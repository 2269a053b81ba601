"""Which markets an account can be connected to here, and which of them one exchange key opens."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from coffers.errors import InvalidRecord
from coffers.markets.catalogue import Catalogue, Market
from coffers.portfolio.connecting import STORED_FIELDS
from coffers.store.records import Account

_ONE_KEY: Final = {"binanceusdm": "binance", "binancecoinm": "binance"}
"""Venues of the exchange library that take the keys of another one."""

_UNIFIED: Final = frozenset({"bybit"})
"""Venues whose markets may share one balance, the exchange's unified trading account."""


@dataclass(frozen=True, slots=True)
class ConnectType:
    """A market that one exchange key opens: is it connected, can it be, has it a unified balance.

    `is_connected` tells of the key that was asked for, or without one of any key.
    """

    code: str
    is_connected: bool
    is_available: bool
    is_unified: bool


def can_connect(market: Market) -> bool:
    """Return whether accounts of this market can be connected here."""
    return market.connectable and STORED_FIELDS.issuperset(market.required_fields)


def connectable(catalogue: Catalogue) -> list[Market]:
    """Return the markets that accounts can be connected to here, in the catalogue's order."""
    return [market for market in catalogue if can_connect(market)]


def types_to_connect(
    catalogue: Catalogue, code: str, accounts: Iterable[Account], api_key: str | None
) -> list[ConnectType]:
    """Return the markets that a key of this market opens, the market itself first.

    Raises:
        InvalidRecord: for a code that the catalogue does not have.
    """
    asked = catalogue.get(code)
    if asked is None:
        raise InvalidRecord({"type": ["does not have a valid value"]})
    taken = {each.market_code for each in accounts if api_key in {None, "", each.api_key}}
    family = opened_by_same_key(catalogue, asked)
    family.sort(key=lambda market: market.code != code)
    return [
        ConnectType(
            code=market.code,
            is_connected=market.code in taken,
            is_available=can_connect(market),
            is_unified=market.venue in _UNIFIED,
        )
        for market in family
    ]


def opened_by_same_key(catalogue: Catalogue, asked: Market) -> list[Market]:
    """Return the markets that a key of a market opens, that market among them."""
    return [market for market in catalogue if _opens(asked) == _opens(market)]


def _opens(market: Market) -> str:
    venue = market.venue or market.code
    return _ONE_KEY.get(venue, venue)
