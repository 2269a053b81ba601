"""The API on a store with a user, a token and accounts, for tests that call it."""

import hashlib
import hmac
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import uvicorn

from coffers.access.gate import Gate
from coffers.access.shared import tally_of
from coffers.api.app import make_app
from coffers.api.edge import Edge
from coffers.api.protocol import BoundedProtocol
from coffers.api.services import Services
from coffers.clock import DAY, MINUTE, ManualClock, Millis
from coffers.markets.chains import catalogue_of
from coffers.portfolio.bookshelf import BookShelf
from coffers.portfolio.listing import Listing
from coffers.portfolio.pulse import StorePulse
from coffers.portfolio.tokens import Tokens, Wanted
from coffers.serving.streams import Streams
from coffers.settings import Settings
from coffers.store.engine import Store
from coffers.store.fast import FastLook
from coffers.store.records import Account, AccountStatus, NewAccount, SyncState, User
from coffers.valuation.model import Position, Price, PriceBook, Snapshot, Value
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW

LIST = "/public/api/ver1/accounts"
HOST = "coffers.test"
_RUN = (
    "import socket, sys; from coffers.api.server import run; "
    "run(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A user's token, and the headers of calls that are signed with it."""

    user: User
    api_key: str
    secret: str

    def headers(self, target: str, body: str = "") -> dict[str, str]:
        """Return the headers that sign a target with the `/public/api` prefix."""
        separator = "" if not body else "?" if "?" not in target else "&"
        text = f"{target}{separator}{body}".encode()
        signature = hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest()
        return {"Apikey": self.api_key, "Signature": signature}


@dataclass(frozen=True, slots=True)
class Served:
    """The API, what it stands on, and a client of it without a network."""

    app: Edge
    services: Services
    clock: ManualClock
    http: httpx.AsyncClient

    async def caller(
        self, name: str = "ann", permissions: tuple[str, ...] = ("accounts_read",), **asked: Any
    ) -> Caller:
        """Add a user with a token, and return it."""
        async with self.services.store.transaction() as tx:
            user = await tx.users.by_name(name) or await tx.users.add(name, NOW)
        tokens = Tokens(self.services.store, self.services.vault, self.clock)
        issued = await tokens.create(user.id, Wanted(permissions, **asked))
        secret = "" if issued.secret is None else issued.secret.reveal()
        return Caller(user, issued.token.api_key, secret)

    async def get(
        self, caller: Caller, target: str = LIST, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Call a target, signed."""
        return await self.http.get(target, headers={**caller.headers(target), **(headers or {})})

    async def post(
        self,
        caller: Caller,
        target: str,
        body: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Post a body to a target, signed."""
        signed = {**caller.headers(target, body), **(headers or {})}
        return await self.http.post(target, content=body, headers=signed)


@asynccontextmanager
async def serving(
    store: Store, vault: Vault | None = None, **settings: Any
) -> AsyncIterator[Served]:
    """Serve the API on a prepared store at `NOW`."""
    clock = ManualClock(NOW)
    configured = Settings(database_url=store.url.replace("+asyncpg", ""), **settings)
    ring = KeyRing([new_key()])
    vault, look = vault or Vault(lambda: ring), FastLook(store.url)
    services = Services(
        settings=configured,
        store=store,
        vault=vault,
        gate=Gate(look, vault, clock, tally_of(configured, clock, None)),
        listing=Listing(store, clock),
        shelf=BookShelf(store),
        streams=Streams(store, StorePulse(store), clock, configured.stream_limit),
        catalogue=catalogue_of(configured),
        clock=clock,
    )
    app = make_app(services)
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as http:
        try:
            yield Served(app, services, clock, http)
        finally:
            await look.close()


class Brisk(BoundedProtocol):
    """Ends with its server: nobody has more to say to what a test has done with."""

    last_seconds = 0.0


@asynccontextmanager
async def listening(app: Any, http: type[BoundedProtocol] = Brisk) -> AsyncIterator[str]:
    """Serve an application on a real port of this machine; yields its address."""
    async with running_server(app, http) as (base, _):
        yield base


@asynccontextmanager
async def running_server(
    app: Any, http: type[BoundedProtocol] = Brisk
) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    """Serve an application on a real port; yields its address, and the server itself."""
    # asyncio lets small answers go at once only where the protocol is named: 40 ms a call else.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, http=http, ws="none", proxy_headers=False
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        # Not `serve`, which would take the test run's signals.
        await server.startup(sockets=[listener])
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", server
        await server.shutdown(sockets=[listener])


@contextmanager
def started(
    settings: Mapping[str, str], workers: int = 1
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the API as a process of its own; yields its address and the process."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        descriptor = listener.fileno()
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", _RUN, str(descriptor), str(workers)],
            env={**os.environ, **settings},
            pass_fds=[descriptor],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", process
        finally:
            process.terminate()
            process.communicate(timeout=30)


async def add_book(store: Store, at: int = NOW, **usd: str) -> PriceBook:
    """Store a price book in which BTC is worth 50,000 USD unless said; returns it."""
    worths = {"BTC": "50000", "USDT": "1", "ETH": "2500", **usd}
    prices = {
        asset: Price(Decimal(worth) / Decimal(worths["BTC"]), Decimal(worth), (), ("test",), NOW)
        for asset, worth in worths.items()
    }
    async with store.transaction() as tx:
        return await tx.prices.save_book(prices, Millis(at))


async def add_account(
    store: Store,
    user: User,
    name: str = "Main",
    *,
    held: Mapping[str, str] | None = None,
    **new: Any,
) -> Account:
    """Add an account that was read a minute ago and is two days old, with what it holds."""
    api_key = new.pop("api_key", f"key-of-{name}")
    market_code = new.pop("market_code", "binance")
    record = NewAccount(user.id, market_code, name, api_key=api_key, **new)
    async with store.transaction() as tx:
        account = await tx.accounts.add(
            record, identity=None, credential_id=f"{user.id}:{name}", now=Millis(NOW - 2 * DAY)
        )
    await read_account(store, account, held or {"BTC": "0.5"})
    return account


async def read_account(
    store: Store, account: Account, held: Mapping[str, str], **state: Any
) -> None:
    """Store a reading of an account from a minute ago."""
    positions = [Position("spot", asset, asset, Decimal(amount)) for asset, amount in held.items()]
    sync = SyncState(**{"next_sync_at": NOW, "read_at": Millis(NOW - MINUTE), **state})
    async with store.transaction() as tx:
        owner, known = account.user_id, account.id
        await tx.holdings.replace(owner, known, {"spot"}, positions)
        opening = Snapshot(Millis(NOW - 2 * DAY), Value(Decimal("0.4"), Decimal(18000)))
        await tx.history.add_snapshot(owner, known, opening)
        await tx.accounts.record_status(
            owner, known, AccountStatus(sync, "ok", is_locked=False, lock_reason=None), NOW
        )
