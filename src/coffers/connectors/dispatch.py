"""One connector for accounts of every kind: each market goes to the room that can read it."""

from coffers.connectors.reading import (
    Connector,
    ConnectorFailure,
    Credentials,
    FailureKind,
    Reading,
    ReadRequest,
)
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import Market


class Connectors:
    """Hands exchange accounts to one connector and wallets to another."""

    def __init__(self, exchanges: Connector, chains: Connector) -> None:
        self._exchanges = exchanges
        self._chains = chains

    async def read(self, market: Market, credentials: Credentials, request: ReadRequest) -> Reading:
        """Return what the exchange or the chain says about the account; raises as they do."""
        return await self._of(market).read(market, credentials, request)

    async def rights(self, market: Market, credentials: Credentials) -> KeyRights:
        """Return what the key may do; raises as the connectors do."""
        return await self._of(market).rights(market, credentials)

    async def close(self) -> None:
        """Give back every connection."""
        await self._exchanges.close()
        await self._chains.close()

    def _of(self, market: Market) -> Connector:
        if market.chain is not None:
            return self._chains
        if market.venue is not None:
            return self._exchanges
        raise ConnectorFailure(
            FailureKind.UNSUPPORTED, f"{market.name} cannot be read.", code="no_connector"
        )
