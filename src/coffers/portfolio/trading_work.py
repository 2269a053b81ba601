"""What is open at an exchange at this moment, asked by a worker: orders that wait."""

from collections.abc import Mapping

import msgspec

from coffers.clock import Clock
from coffers.connectors.trades import TradesConnector
from coffers.errors import NotFound
from coffers.markets.catalogue import Catalogue
from coffers.portfolio.claimed import claimed
from coffers.portfolio.errand_desk import Handler
from coffers.portfolio.errand_forms import OPEN_ORDERS, OpenAsked, OpenTold
from coffers.store.engine import Store
from coffers.sync.credentials import open_credentials
from coffers.vault.vault import Vault


class TradingWork:
    """Asks exchanges for what is open."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        catalogue: Catalogue,
        connector: TradesConnector,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._catalogue = catalogue
        self._connector = connector
        self._clock = clock

    def handlers(self) -> Mapping[str, Handler]:
        """Return who does what."""
        return {OPEN_ORDERS: self._open}

    async def _open(self, user_id: int, body: bytes) -> OpenTold:
        account_id = msgspec.json.decode(body, type=OpenAsked).account_id
        async with self._store.reading() as tx:
            account = await tx.accounts.get(user_id, account_id)
            sealed = await tx.secrets.get(user_id, account_id)
        market = None if account is None else self._catalogue.get(account.market_code)
        if account is None or sealed is None or market is None:
            raise NotFound(f"there is no account {account_id}")
        async with claimed(self._store, self._clock, (user_id, account_id)):
            credentials = open_credentials(self._vault, account, sealed)
            return OpenTold(await self._connector.open_orders(market, credentials))
