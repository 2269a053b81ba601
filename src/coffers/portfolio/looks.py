"""What a text is that somebody types in as a wallet: told at once, and nobody is asked for it."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from coffers.clock import Clock
from coffers.errors import InvalidRecord
from coffers.markets.catalogue import Market
from coffers.markets.chains import Chain, load_chains
from coffers.portfolio.wallets import LONGEST_ADDRESS
from coffers.settings import Settings

if TYPE_CHECKING:
    from coffers.connectors.chain.connector import ChainConnector

_NAMED: Final = 1
"""The id of the EVM chain on which names are registered."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a text looks like: what it is, in words; or why it is nothing that can be read.

    `address` is its canonical form, None for a name, which a worker has to look up.
    """

    is_good: bool
    told: str
    address: str | None = None


class Looks:
    """Looks at addresses, extended public keys, descriptors and validators."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._chains = load_chains(settings)
        self._connector: ChainConnector | None = None

    async def at(self, market: Market, text: str) -> Look:
        """Return what a text is at a wallet's market. It is not repeated where it is refused."""
        chain = self._chains.get(market.code)
        if chain is None:
            return Look(is_good=False, told="is no chain's wallet")
        if not text.strip():
            return Look(is_good=False, told="is missing")
        if len(text) > LONGEST_ADDRESS:
            return Look(is_good=False, told="is too long")
        try:
            # Of an extended key, other keys are derived: not on the loop.
            address = await asyncio.to_thread(self._opened().checked, market, text)
        except InvalidRecord as refusal:
            if _is_named(chain, text):
                told = "a name; its address is looked up when you check it"
                return Look(is_good=True, told=told)
            why = refusal.attributes.get("address") or ["is invalid"]
            return Look(is_good=False, told=", ".join(why))
        return Look(is_good=True, told=_kind(chain, address), address=address)

    def _opened(self) -> "ChainConnector":
        if self._connector is None:
            # Loads what talks to nodes, which pages that nobody connects a wallet at do without.
            from coffers.connectors.chain.connector import ChainConnector  # noqa: PLC0415

            timeout = self._settings.venue_timeout
            self._connector = ChainConnector(self._chains, None, timeout, self._clock)
        return self._connector


def _is_named(chain: Chain, text: str) -> bool:
    if chain.family != "evm" or chain.parameters.get("chain_id") != _NAMED:
        return False
    from coffers.connectors.chain.evm.ens import is_name, normalised  # noqa: PLC0415  # as above

    parts = [part.strip() for part in text.split(",")]
    try:
        names = [normalised(part) for part in parts if is_name(part)]
    except InvalidRecord:
        return False
    return bool(names)


def _kind(chain: Chain, address: str) -> str:
    """Return what a canonical text is."""
    if chain.parameters.get("kind") == "validators":
        named = address.count(",") + 1
        return "one validator or owner" if named == 1 else f"{named} validators or owners"
    told = f"of {chain.name}"
    if chain.family == "bitcoin" and "(" in address:
        return f"an output descriptor {told}"
    if chain.family == "bitcoin" and address[1:4] == "pub":
        return f"an extended public key {told}: all addresses of its wallet are read"
    if chain.family == "cardano" and address.startswith("stake"):
        return "a stake address of Cardano: all addresses of its wallet are read"
    return f"an address {told}"
