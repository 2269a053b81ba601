"""One node of a chain: where it is asked, with which key, and how it fares."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from coffers.clock import Millis
from coffers.markets.chains import Chain, Family
from coffers.secret import Secret

MAX_CONCURRENT = 4
"""Calls under way at one node; public ones refuse more."""

KEY_HEADERS: Mapping[Family, str] = {"tron": "TRON-PRO-API-KEY", "ton": "X-API-Key"}
"""The header in which services of a family want their key; an address has it as
`https://:KEY@host`, with nothing before the colon."""


@dataclass(slots=True)
class Node:
    """A node and how it fares.

    `url` is its address as the operator gave it; calls go to `base` with `headers`, which hold the
    key where the family wants it there. The node is asked last until `rests_until`, and at
    `admitted_at` it last proved to belong to the chain.
    """

    url: Secret
    base: str
    calls: asyncio.Semaphore
    rests_until: Millis
    headers: Mapping[str, str] = field(default_factory=dict)
    admitted_at: Millis = field(default=Millis(0))

    @property
    def host(self) -> str:
        """What messages may show of the address."""
        return urlsplit(self.url.reveal()).hostname or ""


def node_at(url: Secret, gateway: str | None, chain: Chain) -> Node:
    """Return the node of a chain at an address; with a gateway, calls go through that instead."""
    base, headers = _keyed(url.reveal(), chain.family)
    calls = asyncio.Semaphore(MAX_CONCURRENT)
    return Node(url, _routed(base, gateway, chain.id), calls, Millis(0), headers)


def _keyed(url: str, family: Family) -> tuple[str, Mapping[str, str]]:
    """Return an address without the key in it, and the header that the key goes into."""
    parts = urlsplit(url)
    name = KEY_HEADERS.get(family)
    if name is None or parts.username or not parts.password:
        return url, {}
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return bare, {name: unquote(parts.password)}


def _routed(url: str, gateway: str | None, chain: str) -> str:
    return url if gateway is None else f"{gateway}/{chain}/{url.partition('://')[2]}"
