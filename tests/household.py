"""API and worker as processes of their own, on one database, at a simulated exchange."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from coffers.access.tokens import PERMISSIONS
from coffers.clock import SystemClock
from coffers.portfolio.tokens import Tokens, Wanted
from coffers.portfolio.vaulting import open_vault
from coffers.sandbox import Exchange, NewKey, SandboxControl, machine_time, running
from coffers.settings import Settings
from coffers.store.engine import Store
from coffers.vault.keyring import new_key
from served import LIST, Caller, started

PATIENCE = 60.0
KEY, SECRET = "fake-key-at-home".ljust(64, "x"), "fake-secret"
ACCOUNT = {"type": "binance", "name": "Main", "api_key": KEY, "secret": SECRET}
_JSON = {"Content-Type": "application/json"}


@dataclass
class Household:
    """A prepared database with a user, and what processes need to work on it."""

    store: Store
    env: dict[str, str]
    caller: Caller

    async def call(
        self, http: httpx.AsyncClient, target: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        """Make a signed call, again and again while no worker takes what it needs."""
        text = "" if body is None else json.dumps(body)
        headers = {**self.caller.headers(target, text), **(_JSON if text else {})}
        method = "GET" if body is None else "POST"
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await http.request(method, target, content=text, headers=headers)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return answer

    async def connected(self, http: httpx.AsyncClient) -> dict[str, Any]:
        """Connect the account that is at the exchange."""
        answer = await self.call(http, f"{LIST}/new", ACCOUNT)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        shown: dict[str, Any] = answer.json()
        return shown


@asynccontextmanager
async def household(url: str, home: Path, **settings: str) -> AsyncIterator[Household]:
    """Prepare everything on a database, given by the URL that leads to the server itself."""
    held = {"BTC": Decimal("0.5"), "USDT": Decimal(100)}
    async with running(Exchange(7, machine_time)) as gateway, SandboxControl(gateway) as control:
        await control.create_key(NewKey(venue="binance", key=KEY, secret=SECRET, balances=held))
        env = {
            "COFFERS_DATA_DIR": str(home),
            "COFFERS_DATABASE_URL": setting_of(url),
            "COFFERS_MASTER_KEY": new_key().material.hex(),
            "COFFERS_LIMITS_ENABLED": "false",
            "COFFERS_EXCHANGE_GATEWAY": gateway,
            **settings,
        }
        store = Store(url)
        master = env["COFFERS_MASTER_KEY"]
        vault = await open_vault(Settings(master_key=master), store, SystemClock())
        async with store.transaction() as tx:
            user = await tx.users.add("ann", SystemClock().now())
        issued = await Tokens(store, vault, SystemClock()).create(user.id, Wanted(PERMISSIONS))
        assert issued.secret is not None
        caller = Caller(user, issued.token.api_key, issued.secret.reveal())
        try:
            yield Household(store, env, caller)
        finally:
            await store.close()


def setting_of(url: str) -> str:
    """Return the setting's value that names a database."""
    return url.replace("postgresql+asyncpg", "postgresql")


@asynccontextmanager
async def serving_api(house: Household) -> AsyncIterator[httpx.AsyncClient]:
    """Run the API; yields a client of it."""
    limits = httpx.Limits(max_connections=None)
    with started(house.env) as (base, _):
        async with httpx.AsyncClient(
            base_url=base, timeout=PATIENCE, trust_env=False, limits=limits
        ) as http:
            assert (await http.get("/readyz")).status_code == httpx.codes.OK
            yield http


@asynccontextmanager
async def working(house: Household, home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker; what it logs is in the file `worker.log`."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("COFFERS_")}
    with (home / "worker.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "coffers", "worker"),
            env={**kept, **house.env},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
