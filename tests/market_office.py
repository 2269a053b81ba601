"""The API with a worker beside it, and the simulated exchange that the worker asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from coffers.connectors.exchange.listings import ExchangeListings
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import Credentials
from coffers.portfolio.errand_desk import ErrandDesk
from coffers.portfolio.venue_account_work import VenueAccountWork
from coffers.sandbox import (
    Exchange,
    FaultKind,
    NewFault,
    NewKey,
    SandboxControl,
    machine_time,
    running,
)
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.sync.credentials import seal_credentials
from coffers.sync.venue_markets import VenueMarketWorker
from served import LIST, Caller, Served, add_account, serving

KEY, SECRET = "fake-key-of-ann".ljust(64, "x"), "fake-secret"
HELD = {"BTC": Decimal("0.5"), "XRP": Decimal(40)}


@dataclass
class Office:
    """The API with a worker beside it, and the simulated venue that the worker asks."""

    api: Served
    ann: Caller
    control: SandboxControl
    worker: VenueMarketWorker
    store: Store

    async def get(self, target: str) -> httpx.Response:
        return await self.api.http.get(target)

    async def told(self, target: str) -> Any:
        answer = await self.get(target)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def connected(self, name: str = "Main", code: str = "binance") -> Account:
        account = await add_account(
            self.store, self.ann.user, name, market_code=code, api_key=KEY, held={"BTC": "0.5"}
        )
        credentials = Credentials(KEY, Secret(SECRET))
        vault = self.api.services.vault
        sealed = seal_credentials(vault, account.user_id, account.id, credentials)
        async with self.store.transaction() as tx:
            await tx.secrets.put(account.user_id, account.id, sealed)
        return account

    async def of(self, account: Account, what: str) -> httpx.Response:
        return await self.api.get(self.ann, f"{LIST}/{account.id}/{what}")

    async def calls(self, path: str) -> int:
        return (await self.control.requests()).counts.get(f"binance GET {path}", 0)

    async def answered(self, path: str) -> int:
        """Count the calls that were answered well.

        A machine that stands still for seconds has the venue refuse a call as too old, which is
        then made anew.
        """
        log = (await self.control.requests()).log
        return sum((entry.path, entry.status) == (path, 200) for entry in log)

    async def broken(self, path: str) -> None:
        await self.control.inject(NewFault(kind=FaultKind.STATUS, path=path, status=503))


@asynccontextmanager
async def at_work(store: Store, *, has_worker: bool = True) -> AsyncIterator[Office]:
    async with (
        serving(store) as api,
        running(Exchange(7, machine_time)) as url,
        SandboxControl(url) as control,
    ):
        await control.create_key(NewKey(venue="binance", key=KEY, secret=SECRET, balances=HELD))
        services, venues = api.services, Venues(url, 20.0, api.clock, is_paced=False)
        listings = ExchangeListings(venues)
        worker = VenueMarketWorker(store, services.catalogue, listings, api.clock, lambda: 0.5)
        work = VenueAccountWork(store, services.vault, services.catalogue, listings, api.clock)
        desk = ErrandDesk(store, services.vault, api.clock, work.handlers())
        running_now = [asyncio.create_task(each.run()) for each in (worker, desk) if has_worker]
        try:
            yield Office(api, await api.caller(), control, worker, store)
        finally:
            worker.stop()
            desk.stop()
            await asyncio.gather(*running_now)
            await venues.close()
