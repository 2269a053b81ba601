"""Reads wallets of Bitcoin and its kin: the one door to this folder."""

import functools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from coffers.connectors.chain.bitcoin.account import AccountReading
from coffers.connectors.chain.bitcoin.backend import Backend
from coffers.connectors.chain.bitcoin.electrum import ElectrumServers
from coffers.connectors.chain.bitcoin.esplora import Esplora
from coffers.connectors.chain.bitcoin.netting import Coin
from coffers.connectors.chain.bitcoin.networks import NETWORKS
from coffers.connectors.chain.bitcoin.wallet import canonical_text, overlap, wallet_of
from coffers.connectors.chain.reader import ChainReader, Surroundings
from coffers.connectors.chain.refusals import AddressRefused
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading, ReadRequest

WALLETS_KEPT = 64
"""Wallets whose derived addresses stay in the process: deriving one takes some 0.3 ms."""

_Way = Callable[[], AbstractAsyncContextManager[Backend]]


def reader(surroundings: Surroundings) -> ChainReader:
    """Return the reader of one network."""
    return BitcoinReader(surroundings)


class BitcoinReader:
    """Reads addresses, extended public keys and descriptors of one network.

    Electrum servers are asked first where the operator named some, then Esplora's.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        chain = surroundings.chain
        self._chain = chain
        self._clock = surroundings.clock
        self._network = NETWORKS[str(chain.parameters["network"])]
        self._coin = Coin(chain.asset, chain.decimals, self._network.most)
        self._wallet = functools.lru_cache(WALLETS_KEPT)(
            functools.partial(wallet_of, network=self._network)
        )
        self._nodes = surroundings.nodes("urls")
        self._esplora = Esplora(self._nodes, self._network)
        self._electrum = ElectrumServers(
            chain.endpoints.of("electrum"), self._network, surroundings.clock
        )

    def checked(self, text: str) -> str:
        """Return an address, an extended public key or descriptors in canonical form.

        Raises:
            AddressRefused: saying what is wrong, without the text.
        """
        return canonical_text(text.strip(), self._network)

    async def resolved(self, text: str) -> str:
        """Return `checked`: these chains have no names."""
        return self.checked(text)

    def overlaps(self, one: str, other: str) -> bool:
        """Return whether two canonical texts have an address in common, among their first ones."""
        try:
            return overlap(self._wallet(one), self._wallet(other))
        except AddressRefused:  # what was stored by another version
            return False

    async def read(self, address: str, request: ReadRequest) -> Reading:
        """Return what the chain says about a canonical address, key or descriptor.

        Raises:
            ConnectorFailure: when nobody gave a usable answer.
        """
        failure = self._nobody()
        for way in self._ways():
            try:
                async with way() as backend:
                    return await self._read(backend, address, request)
            except ConnectorFailure as failed:
                failure = failed
        raise failure

    async def _read(self, backend: Backend, address: str, request: ReadRequest) -> Reading:
        try:
            wallet = self._wallet(address)
        except AddressRefused:
            raise ConnectorFailure(
                FailureKind.UNSUPPORTED,
                f"What is stored for this wallet is no address of {self._network.name}.",
                code="no_address",
            ) from None
        at = self._clock.now()
        return await AccountReading(backend, wallet, self._coin, at).read(request)

    def _ways(self) -> list[_Way]:
        ways: list[_Way] = list(self._electrum.ways())
        return [*ways, self._over_http] if self._nodes else ways

    @asynccontextmanager
    async def _over_http(self) -> AsyncIterator[Backend]:
        yield self._esplora

    def _nobody(self) -> ConnectorFailure:
        return ConnectorFailure(
            FailureKind.UNSUPPORTED,
            f"Nobody is configured who knows {self._chain.name}: name an Esplora address (urls) or "
            f"an Electrum server (electrum) under [{self._chain.id}] in the file of "
            "COFFERS_CHAINS_FILE.",
            code="no_node",
        )
