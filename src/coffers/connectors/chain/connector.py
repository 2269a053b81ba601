"""Reads wallets of every chain: finds the reader of the chain's family and lets it read."""

import importlib
from collections.abc import Callable

from coffers.clock import Clock
from coffers.connectors.chain.nodes import Nodes, new_client
from coffers.connectors.chain.reader import ChainReader, SharingReader, Surroundings
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.chain.secrets import refuse_secrets
from coffers.connectors.reading import (
    ConnectorFailure,
    Credentials,
    FailureKind,
    Reading,
    ReadRequest,
)
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import Market
from coffers.markets.chains import Chain, Chains, Endpoints, Family

ONLY_LOOKS = KeyRights(read=True, trade=False, withdraw=False)
"""What an address allows: looking."""

_READERS: dict[Family, str] = {
    "evm": "coffers.connectors.chain.evm.reader",
    "bitcoin": "coffers.connectors.chain.bitcoin.reader",
    "solana": "coffers.connectors.chain.solana.reader",
    "tron": "coffers.connectors.chain.tron.reader",
    "xrp": "coffers.connectors.chain.xrp.reader",
    "ton": "coffers.connectors.chain.ton.reader",
    "cosmos": "coffers.connectors.chain.cosmos.reader",
    "cardano": "coffers.connectors.chain.cardano.reader",
}
"""The module of each family; its `reader(surroundings)` makes a `ChainReader`. Loaded when needed:
the API checks addresses too, and must start quickly."""


class ChainConnector:
    """Reads wallets by their addresses; belongs to one event loop.

    Args:
        chains: all chains, with the nodes to ask.
        gateway: where calls to public nodes go instead; the operator's own are asked directly.
        timeout: what one call may take, in seconds.
        clock: the time.
    """

    def __init__(self, chains: Chains, gateway: str | None, timeout: float, clock: Clock) -> None:
        self._chains = chains
        self._gateway = gateway
        self._clock = clock
        self._client = new_client(timeout)
        self._readers: dict[str, ChainReader] = {}

    def checked(self, market: Market, text: str) -> str:
        """Return an address of the market's chain in canonical form; asks nobody.

        Raises:
            AddressRefused: saying what is wrong: a secret, a wrong checksum, another chain's.
        """
        stripped = text.strip()
        refuse_secrets(stripped)
        chain = self._chain(market)
        try:
            return self._reader(chain).checked(stripped)
        except AddressRefused as refusal:
            raise self._better(refusal, chain, stripped) from None

    async def resolved(self, market: Market, text: str) -> str:
        """Return the canonical address of an address or a name.

        Raises:
            AddressRefused: as `checked`, and for a name that nobody has registered.
            ConnectorFailure: when a name had to be looked up and no node answered.
        """
        stripped = text.strip()
        refuse_secrets(stripped)
        chain = self._chain(market)
        try:
            return await self._reader(chain).resolved(stripped)
        except AddressRefused as refusal:
            raise self._better(refusal, chain, stripped) from None

    def overlaps(self, market: Market, one: str, other: str) -> bool:
        """Return whether two canonical addresses of a market hold some of the same money.

        Deriving the addresses of an extended key takes some tens of milliseconds.
        """
        reader = self._reader(self._chain(market))
        return one == other or (isinstance(reader, SharingReader) and reader.overlaps(one, other))

    async def read(self, market: Market, credentials: Credentials, request: ReadRequest) -> Reading:
        """Return what the chain says about the wallet.

        Raises:
            ConnectorFailure: when no node gave a usable answer.
        """
        chain = self._chain(market)
        if not credentials.address:
            raise ConnectorFailure(
                FailureKind.UNSUPPORTED, f"{market.name} has no address.", code="no_address"
            )
        return await self._reader(chain).read(credentials.address, request)

    async def rights(self, market: Market, credentials: Credentials) -> KeyRights:  # noqa: ARG002  # the protocol's
        """Return that an address allows looking and nothing else."""
        return ONLY_LOOKS

    async def close(self) -> None:
        """Give back every connection."""
        await self._client.aclose()

    def _chain(self, market: Market) -> Chain:
        chain = self._chains.get(market.code)
        if chain is None:
            raise ConnectorFailure(
                FailureKind.UNSUPPORTED,
                f"{market.name} lies on a chain that is not configured any more.",
                code="no_chain",
            )
        return chain

    def _reader(self, chain: Chain) -> ChainReader:
        if chain.id not in self._readers:
            module = importlib.import_module(_READERS[chain.family])
            self._readers[chain.id] = module.reader(
                Surroundings(chain, self._nodes_of(chain), self._clock)
            )
        return self._readers[chain.id]

    def _nodes_of(self, chain: Chain) -> Callable[[str], Nodes]:
        def nodes(service: str) -> Nodes:
            endpoints = self._endpoints(chain, service)
            gateway = self._gateway if endpoints.are_public else None
            return Nodes(chain, endpoints.of(service), self._client, self._clock, gateway)

        return nodes

    def _endpoints(self, chain: Chain, service: str) -> Endpoints:
        """Return where a service is asked, at the chain or at the one that it lies beside.

        What the operator named goes before what is public.
        """
        beside = [each for each in self._chains if each.id == chain.parameters.get("beside")]
        asked = [each.endpoints for each in (chain, *beside) if each.endpoints.of(service)]
        own = [endpoints for endpoints in asked if not endpoints.are_public]
        return next(iter([*own, *asked]), chain.endpoints)

    def _better(self, refusal: AddressRefused, chain: Chain, text: str) -> AddressRefused:
        """Return a refusal that names the chain whose address the text is, if there is one."""
        if refusal.fault is not AddressFault.MALFORMED:
            return refusal
        for other in self._chains:
            is_one = other.family == chain.family or "kind" in other.parameters
            if not is_one and self._accepts(other, text):
                return AddressRefused(
                    AddressFault.OTHER_CHAIN,
                    f"is an address of {other.name}, not of {chain.name}; "
                    f"its market_code is {other.code}",
                )
        return refusal

    def _accepts(self, chain: Chain, text: str) -> bool:
        try:
            self._reader(chain).checked(text)
        except AddressRefused:
            return False
        return True
