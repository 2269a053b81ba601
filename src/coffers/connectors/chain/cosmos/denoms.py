"""Denominations of Cosmos chains: the chain's own coin, listed tokens, and all others.

A token of another chain is named by the hash of the channels that it came through and its name
there, so that what a node says about its origin can be verified.
"""

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal

from coffers.connectors.chain.answers import units
from coffers.connectors.chain.cosmos.lcd import Lcd
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain

LEARNED_AT_ONCE = 10
"""Tokens whose origin is asked for in one reading."""

MOST = 100
"""Unlisted tokens that are shown."""

_SYMBOL = 32
_IBC = "ibc/"
_ODD = re.compile(r"[^\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Denom:
    """What a denomination is: our name of it, what it is shown as, and its decimals."""

    asset: str
    symbol: str
    decimals: int

    def amount(self, raw: int) -> Decimal:
        """Return an amount in units of the asset."""
        return units(raw, self.decimals)


def known(denom: str, chain: Chain) -> Denom | None:
    """Return the chain's own coin or a listed token, None for any other."""
    if denom == chain.parameters["denom"]:
        return Denom(chain.asset, chain.asset, chain.decimals)
    token = listed_on("cosmos").get(f"{chain.id}:{denom}")
    if token is None:
        return None
    return Denom(token.asset or token.contract, token.symbol, token.decimals)


def known_on(chain: Chain) -> list[str]:
    """Return all denominations of a chain that are known."""
    listed = (contract.partition(":") for contract in listed_on("cosmos"))
    return [str(chain.parameters["denom"]), *(denom for id_, _, denom in listed if id_ == chain.id)]


def unlisted(denom: str, chain: Chain, origins: dict[str, str]) -> Denom:
    """Return any other token, counted in its smallest unit: nothing sure tells another one."""
    return Denom(f"{chain.id}:{denom}", _symbol(denom, origins), 0)


async def learn(denoms: list[str], lcd: Lcd, origins: dict[str, str]) -> None:
    """Ask where some tokens came from that is not known yet; `origins` are changed."""
    for gone in origins.keys() - set(denoms):
        del origins[gone]
    unknown = [each for each in denoms if each.startswith(_IBC) and each not in origins]
    for denom in unknown[:LEARNED_AT_ONCE]:
        try:
            origins[denom] = _origin(denom, await lcd.trace(denom.removeprefix(_IBC)))
        except ConnectorFailure:
            return


def _origin(denom: str, answer: object) -> str:
    """Return the name of a token where it came from, "" where that is told wrongly."""
    told = answer if isinstance(answer, dict) else {}
    path, base = _told_trace(told.get("denom_trace")) or _told_denom(told.get("denom")) or ("", "")
    hashed = hashlib.sha256(f"{path}/{base}".encode()).hexdigest()
    return base if f"{_IBC}{hashed.upper()}" == denom else ""


def _told_trace(trace: object) -> tuple[str, str] | None:
    if not isinstance(trace, dict):
        return None
    return str(trace.get("path")), str(trace.get("base_denom"))


def _told_denom(told: object) -> tuple[str, str] | None:
    if not isinstance(told, dict):
        return None
    hops = told.get("trace")
    if not isinstance(hops, list) or not all(isinstance(hop, dict) for hop in hops):
        return None
    path = "/".join(f"{hop.get('port_id')}/{hop.get('channel_id')}" for hop in hops)
    return path, str(told.get("base"))


def _symbol(denom: str, origins: dict[str, str]) -> str:
    name = origins.get(denom) or denom
    last = _ODD.sub("", name.rpartition("/")[2])
    return last if len(last) <= _SYMBOL else f"{last[:4]}…{last[-4:]}"
