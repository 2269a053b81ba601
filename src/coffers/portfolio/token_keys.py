"""How the chains name their tokens: what cannot be one's name has no price for ever."""

import functools
import re
from collections.abc import Collection, Mapping
from typing import Final

from coffers.connectors.chain.evm.tokens import Listed, listed_tokens
from coffers.connectors.chain.listed import ListedToken, listed_on
from coffers.markets.catalogue import Catalogue
from coffers.markets.chains import Family, shipped_chains

_BASE58: Final = "1-9A-HJ-NP-Za-km-z"
_FORMS: Final[Mapping[Family, re.Pattern[str]]] = {
    "evm": re.compile(r"0x[0-9a-f]{40}"),
    "solana": re.compile(rf"[{_BASE58}]{{32,44}}"),
    "tron": re.compile(rf"T[{_BASE58}]{{33}}|[1-9][0-9]{{6,9}}"),
    "xrp": re.compile(rf"r[{_BASE58}]{{24,34}}\.(?:[0-9A-Za-z]{{3}}|[0-9A-F]{{40}})"),
    "ton": re.compile(r"(?:-1|0):[0-9a-f]{64}"),
    "cosmos": re.compile(r"[A-Za-z][A-Za-z0-9/._-]{2,127}"),
    "cardano": re.compile(r"[0-9a-f]{56}(?:\.(?:[0-9a-f]{2}){1,32})?"),
}
"""The tokens' names by family of chains; a family that is not here has no tokens."""

_LISTS: Final = _FORMS.keys() - {"evm"}
"""Families whose known tokens are on a list of their own."""


def known_token(text: str, added: Collection[str] = ()) -> str | None:
    """Return the key of a token of a known chain in its one form, None for anything else.

    `added` are the ids of the operator's own EVM chains.

    "Ethereum:0xDAC1..." is "ethereum:0xdac1...": capitals in such an address are a check sum.
    """
    chain, _, name = text.partition(":")
    family = "evm" if chain.lower() in added else _families().get(chain.lower())
    form = None if family is None else _FORMS.get(family)
    if form is None:
        return None
    named = name.lower() if family in {"evm", "ton", "cardano"} else name
    return f"{chain.lower()}:{named}" if form.fullmatch(named) else None


def is_known_chain(id_: str) -> bool:
    """Return whether it is known how a chain names its tokens, or that it has none."""
    return id_.lower() in _families()


def asset_named(key: str) -> str:
    """Return what a token counts as in a wallet: the asset that exchanges trade, or itself."""
    id_, _, name = key.partition(":")
    chain = next((chain for chain in shipped_chains() if chain.id == id_), None)
    if chain is None:
        return key
    token: Listed | ListedToken | None
    if chain.family == "evm":
        token = listed_tokens(int(chain.parameters["chain_id"])).get(name)
    elif chain.family in _LISTS:
        token = listed_on(chain.family).get(key if chain.family == "cosmos" else name)
    else:
        token = None
    return (token and token.asset) or key


def added_chains(catalogue: Catalogue) -> frozenset[str]:
    """Return the ids of the chains that the operator added: EVM chains, all of them."""
    return frozenset(market.chain for market in catalogue if market.chain) - _families().keys()


@functools.cache
def _families() -> dict[str, Family]:
    return {chain.id: chain.family for chain in shipped_chains()}
