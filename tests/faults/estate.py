"""The whole program as real processes, at a simulated exchange behind a cable, for faults.

`coffers serve` with two API processes and its worker, a database and a Redis server of its own,
and users whose accounts at the exchange are known to the last deposit.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import httpx
import psutil
from sqlalchemy import text

import redisd
from coffers.access.tokens import PERMISSIONS
from coffers.clock import SystemClock
from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.tokens import Tokens, Wanted
from coffers.portfolio.vaulting import open_vault
from coffers.sandbox import Exchange, Move, NewKey, SandboxControl, machine_time, running
from coffers.secret import Secret
from coffers.settings import Settings
from coffers.store.engine import Store
from coffers.store.migrate import prepare
from coffers.store.records import Account, NewAccount
from coffers.sync.credentials import credential_id, seal_credentials
from coffers.vault.keyring import new_key
from coffers.vault.vault import Vault
from faults.cable import Cable, laid
from faults.mortal import DATABASE, MortalPostgres, mortal
from faults.stepclock import StepClock
from faults.witness import STALE_AFTER, Held, Owner, Truth
from served import Caller

INTERVAL = 3.0
"""Seconds between two readings of an account."""

TWO_INTERVALS = 2 * INTERVAL + 12
"""Within this every account is read after a fault: the look-out and a busy machine included."""

DEADLINE = 60.0
SLOWEST_START = 300.0
USUAL_START = 15.0
"""Seconds that all of it takes at most to start where nothing else is running."""

WORKS = "worker started"
MOST_SHOWN = 20_000
"""Characters of the log that are shown with a failure."""

MOST_OF_LINE = 800
"""Characters of a line that are shown."""

# Of the venues that are simulated the one that lets an account be read more often.
MARKET, VENUE = "binance_us", "binanceus"
_USERS, _ACCOUNTS = 2, 2
_UNLIMITED = 10**9


@dataclass
class Estate:
    """All of it, and the ways in which a test can lay hands on it."""

    home: Path
    control: SandboxControl
    cable: Cable
    clock: StepClock
    redis: redisd.Redis
    postgres: MortalPostgres | None
    store: Store
    env: dict[str, str]
    port: int
    owners: list[Owner] = field(default_factory=list)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """When readings may have been missed, or dated by a clock that was wrong."""
    slowness: float = 1.0
    """How many times as long as usual all takes on this machine now: limits of time are longer."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command of the program; what it logs goes into `log` in the home directory."""
        with (self.home / "log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "coffers", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
            )
        self.started.append(process)
        return process

    async def add_worker(self) -> None:
        """Start one more worker, and wait until it works."""
        before = self.log().count(WORKS)
        self.start("worker")

        async def works() -> bool:
            return self.log().count(WORKS) > before

        await until(works, SLOWEST_START, "one more worker works")

    def log(self) -> str:
        return (self.home / "log").read_text()

    def processes(self) -> list[psutil.Process]:
        """Return all processes of the program."""
        roots = [psutil.Process(each.pid) for each in self.started if each.poll() is None]
        below = [child for root in roots for child in root.children(recursive=True)]
        return [*roots, *below]

    def workers(self) -> list[psutil.Process]:
        return [each for each in self.processes() if "worker" in _words(each)]

    def apis(self) -> list[psutil.Process]:
        """Return the processes that answer requests."""
        return [
            each for each in self.processes() if any("spawn_main" in word for word in _words(each))
        ]

    def now(self) -> int:
        return self.clock.now()

    def accounts_held(self) -> list[Held]:
        return [held for owner in self.owners for held in owner.accounts]

    async def deposit(self, held: Held) -> None:
        """Make a deposit at the exchange; from now on it may be told."""
        newest = max(Decimal(str(state)) for state in held.amount.states)
        held.amount.becomes(newest + held.step)
        move = Move(venue=VENUE, key=held.key, asset="BTC", amount=held.step)
        held.deposits[await self.control.deposit(move)] = held.step

    async def accounts(self) -> list[Account]:
        async with self.store.reading() as tx:
            found = [await tx.accounts.of_user(owner.caller.user.id) for owner in self.owners]
        return [account for each in found for account in each]

    @property
    def two_intervals(self) -> float:
        """Seconds within which every account is read after a fault."""
        return TWO_INTERVALS * self.slowness

    @property
    def deadline(self) -> float:
        """Seconds within which a process starts, and reads every account."""
        return DEADLINE * self.slowness

    async def all_read(self, within: float) -> None:
        """Wait until every account was read once more."""
        before = {each.id: each.sync.read_at for each in await self.accounts()}

        async def are_read() -> bool:
            return all(each.sync.read_at != before[each.id] for each in await self.accounts())

        await until(are_read, within, "every account is read")

    async def let_claims_run_out(self) -> None:
        """Let pass, for the database, the minutes that a dead process's claims last."""
        async with self.store.connection() as connection:
            await connection.execute(text("UPDATE accounts SET claimed_until = 0"))

    async def ready(self) -> None:
        """Wait until requests are answered and every account has figures."""
        async with httpx.AsyncClient(base_url=self.base_url, trust_env=False) as http:

            async def answers() -> bool:
                try:
                    return (await http.get("/readyz")).is_success
                except httpx.TransportError:
                    return False

            await until(answers, SLOWEST_START, "the server answers")

        async def are_open() -> bool:
            async with self.store.reading() as tx:
                return all(
                    [
                        await tx.history.opening(owner.caller.user.id, held.id)
                        for owner in self.owners
                        for held in owner.accounts
                    ]
                )

        await until(are_open, SLOWEST_START, "every account has its first snapshot")


async def until(holds: Callable[[], object], within: float, what: str) -> None:
    """Wait until something holds, and tell what it was that did not come to hold."""
    loop = asyncio.get_running_loop()
    given_up = loop.time() + within
    while not await holds():  # type: ignore[misc]
        assert loop.time() < given_up, f"not within {within} s: {what}"
        await asyncio.sleep(0.05)


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@asynccontextmanager
async def estate(home: Path, kind: str, **settings: str) -> AsyncIterator[Estate]:
    """Open everything on a new database of a kind, `sqlite` or `postgres`, and start serving."""
    async with AsyncExitStack() as stack:
        venue = await stack.enter_async_context(running(Exchange(7, machine_time)))
        control = await stack.enter_async_context(SandboxControl(venue))
        await control.set_limit(_UNLIMITED)
        cable = await stack.enter_async_context(laid(int(venue.rpartition(":")[2])))
        redis = stack.enter_context(redisd.running())
        server = stack.enter_context(mortal()) if kind == "postgres" else None
        url = f"sqlite:///{home / 'coffers.db'}" if server is None else server.url(DATABASE)
        clock, key, port = StepClock(home / "clock"), new_key(), _free_port()
        kept = {name: each for name, each in os.environ.items() if not name.startswith("COFFERS_")}
        env = {
            **kept,
            **clock.env,
            "COFFERS_DATA_DIR": str(home),
            "COFFERS_DATABASE_URL": url.replace("postgresql+asyncpg", "postgresql"),
            "COFFERS_MASTER_KEY": key.material.hex(),
            "COFFERS_EXCHANGE_GATEWAY": f"http://127.0.0.1:{cable.port}",
            "COFFERS_VALKEY_URL": redis.url,
            "COFFERS_SYNC_INTERVAL": str(INTERVAL),
            "COFFERS_PRICE_INTERVAL": "4",
            "COFFERS_PRICE_VENUES": VENUE,
            "COFFERS_VENUE_TIMEOUT": "3",
            "COFFERS_STALE_AFTER": str(STALE_AFTER),
            "COFFERS_LIMIT_REQUESTS": str(_UNLIMITED),
            "COFFERS_BAN_AFTER": str(_UNLIMITED),
            **settings,
        }
        store = Store(url)
        stack.push_async_callback(store.close)
        await prepare(store, allow_upgrade=True)
        made = Estate(home, control, cable, clock, redis, server, store, env, port)
        await _settle(made)
        stack.push_async_callback(_stop, made)
        began = time.monotonic()
        made.start("serve", "--port", str(port), "--workers", "2")
        await made.ready()
        made.slowness = max(1.0, (time.monotonic() - began) / USUAL_START)
        yield made


async def _settle(made: Estate) -> None:
    """Give users accounts at the exchange."""
    clock = SystemClock()
    master = made.env["COFFERS_MASTER_KEY"]
    vault = await open_vault(Settings(master_key=master, data_dir=made.home), made.store, clock)
    for number in range(_USERS):
        async with made.store.transaction() as tx:
            user = await tx.users.add(f"user{number}", clock.now())
        issued = await Tokens(made.store, vault, clock).create(user.id, Wanted(PERMISSIONS))
        assert issued.secret is not None
        caller = Caller(user, issued.token.api_key, issued.secret.reveal())
        owner = Owner(caller, [])
        for place in range(_ACCOUNTS):
            owner.accounts.append(await _connect(made, vault, owner, number, place))
        made.owners.append(owner)


async def _connect(made: Estate, vault: Vault, owner: Owner, number: int, place: int) -> Held:
    market = load_catalogue().get(MARKET)
    assert market is not None
    amount, name = Decimal(10 * number + place + 1), f"Account {number}.{place}"
    key = f"fake-key-{number}-{place}".ljust(64, "x")
    held = Held(place, key, "fake-secret", place == 0, Truth(amount), Truth(name))
    balances = {"BTC": amount, **({"ORPHAN": Decimal(7)} if held.has_orphan else {})}
    await made.control.create_key(
        NewKey(venue=VENUE, key=key, secret=held.secret, balances=balances)
    )
    credentials, user_id = Credentials(key, Secret(held.secret)), owner.caller.user.id
    async with made.store.transaction() as tx:
        account = await tx.accounts.add(
            NewAccount(user_id, market.code, name, api_key=key),
            identity=key,
            credential_id=credential_id(market, credentials),
            now=SystemClock().now(),
        )
        sealed = seal_credentials(vault, user_id, account.id, credentials)
        await tx.secrets.put(user_id, account.id, sealed)
    held.id = account.id
    return held


async def _stop(made: Estate) -> None:
    made.cable.stall()
    await made.cable.mend()
    for process in made.started:
        process.terminate()
    for process in made.started:
        await asyncio.to_thread(process.wait, 40)
    # Shown with a test that fails.
    lines = [_shortened(line) for line in made.log().splitlines(keepends=True)]
    sys.stderr.write("".join(lines)[-MOST_SHOWN:])


def _shortened(line: str) -> str:
    """Leave out the middle of what is long: what was logged when tells more than one traceback."""
    end = MOST_OF_LINE // 2
    return line if len(line) <= MOST_OF_LINE else f"{line[:end]} ... {line[-end:]}"
