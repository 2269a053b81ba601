"""The part of `coffers worker` that sends events to webhooks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from coffers.clock import Clock
from coffers.settings import Settings

if TYPE_CHECKING:
    from coffers.portfolio.deliveries import DeliveryDesk
    from coffers.store.engine import Store
    from coffers.vault.vault import Vault


@asynccontextmanager
async def opened_deliveries(
    settings: Settings, store: "Store", vault: "Vault", clock: Clock
) -> "AsyncIterator[DeliveryDesk]":
    """Open what sends events to webhooks, and forgets old ones."""
    from coffers.outbound.sender import Sender
    from coffers.portfolio.deliveries import DeliveryDesk

    sender = Sender(settings.webhook_networks)
    try:
        yield DeliveryDesk(store, vault, sender, clock)
    finally:
        await sender.close()
