"""What is known of single venues, kept as data beside the code: one file a subject.

Rules are found by a venue's family: the ccxt id first, then those of the classes that it derives
from (`myokx` is an `okx`), then `*` for all.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TypeVar

import msgspec

Rule = TypeVar("Rule")

EVERY_VENUE = "*"


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer whose meaning ccxt's exception class alone gets wrong.

    All that is given must fit: the venue's `code`, a `text` in the answer (lower case), the HTTP
    `status`, and `only` the exceptions of this ccxt class. `says` replaces the kind's sentence.
    """

    kind: str
    code: str | None = None
    text: str | None = None
    status: int | None = None
    only: str | None = None
    says: str | None = None


class FlowRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a venue's deposit and withdrawal history is paged.

    `window_days` is the longest span of one call, `page` the most rows that it returns, `until`
    the parameter that ends the span (None where there is none), `elsewhere` the values of raw
    fields that mark a row of a wallet outside of what is read.
    """

    window_days: int
    page: int
    until: str | None = None
    elsewhere: dict[str, list[str]] = {}


class SymbolRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a venue dresses an asset's name; `term_digits` are those of a bonded term, DOT28.S."""

    suffixes: list[str] = []
    prefixes: list[str] = []
    term_digits: int = 0
    aliases: dict[str, str] = {}


class Wallet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One balance call of a venue: our name of the wallet and ccxt's parameters for it.

    Where deposits arrive in a wallet of their own (Bybit, KuCoin, OKX), that is read with spot:
    else a deposit would be a flow without a rise in value.
    """

    wallet: str
    params: dict[str, str] = {}


@cache
def refusals() -> dict[str, list[Refusal]]:
    """Return the refusals that need a second look, by venue."""
    return msgspec.json.decode(_data("refusals"), type=dict[str, list[Refusal]])


@cache
def flow_rules() -> dict[str, FlowRule]:
    """Return how flows are paged, by venue."""
    return msgspec.json.decode(_data("flows"), type=dict[str, FlowRule])


@cache
def symbol_rules() -> dict[str, SymbolRule]:
    """Return how assets are named, by venue."""
    return msgspec.json.decode(_data("symbols"), type=dict[str, SymbolRule])


@cache
def wallets() -> dict[str, dict[str, list[Wallet]]]:
    """Return the wallets of each kind of market, by venue and kind."""
    return msgspec.json.decode(_data("wallets"), type=dict[str, dict[str, list[Wallet]]])


@cache
def shapes() -> dict[str, dict[str, list[str]]]:
    """Return where a balance answer holds its amounts, as `path:type`, by venue and wallet."""
    return msgspec.json.decode(_data("shapes"), type=dict[str, dict[str, list[str]]])


def first(rules: Mapping[str, Rule], family: Sequence[str]) -> Rule | None:
    """Return the rule of the nearest member of a family, None where only all venues' is left."""
    return next((rules[name] for name in family if name in rules), None)


def _data(subject: str) -> bytes:
    return (files(__package__) / "data" / f"{subject}.json").read_bytes()
