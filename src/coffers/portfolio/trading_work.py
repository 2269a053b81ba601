"""What is open at an exchange at this moment, asked by a worker: orders that wait."""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Final

import msgspec

from coffers.clock import MINUTE, SECOND, Clock, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.connectors.trades import TradesConnector
from coffers.errors import NotFound
from coffers.markets.catalogue import Catalogue
from coffers.portfolio.errands import Handler
from coffers.store.engine import Store
from coffers.sync.credentials import open_credentials
from coffers.vault.vault import Vault

OPEN_ORDERS: Final = "open_orders"

CLAIM = Millis(2 * MINUTE)
"""How long an account stays claimed by an errand whose process died."""

LONGEST_WAIT = Millis(60 * SECOND)
"""How long is waited for whoever uses the account's key at the moment."""

LOOK_AGAIN = 0.2
"""Seconds between two looks whether the key is free."""


class OpenAsked(msgspec.Struct, frozen=True):
    """An account whose open orders are asked for."""

    account_id: int


class OpenTold(msgspec.Struct, frozen=True):
    """How many orders are open, None where the exchange does not tell that."""

    orders: int | None


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
        holder = uuid.uuid4().hex
        await self._claim(user_id, account_id, holder)
        try:
            credentials = open_credentials(self._vault, account, sealed)
            return OpenTold(await self._connector.open_orders(market, credentials))
        finally:
            async with self._store.transaction() as tx:
                await tx.accounts.release(user_id, account_id, holder)

    async def _claim(self, user_id: int, account_id: int, holder: str) -> None:
        """Take the account's key for this errand alone, as readings do."""
        began = self._clock.now()
        while True:
            now = self._clock.now()
            async with self._store.transaction() as tx:
                until = Millis(now + CLAIM)
                if await tx.accounts.claim(user_id, account_id, holder, now=now, until=until):
                    return
            if now - began > LONGEST_WAIT:
                message = "The account is being read at the moment; look again in a while."
                raise ConnectorFailure(FailureKind.UNREACHABLE, message, code="busy")
            await asyncio.sleep(LOOK_AGAIN)
