"""What a reading of an account costs, against ccxt alone making the same calls.

Run as `python -m bench.reading DATA_DIR SANDBOX_URL`, in a process of its own, since it imports
ccxt; prints the rows as JSON. The processor time of this process counts: the exchange is another
one, and pauses between calls cost none. Neither side throttles. Alone, too, ccxt gets an instance
for the account, since one that is shared can sign for another, and its markets, connections and TLS
settings from one that was made before.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import ccxt.async_support as ccxt
from bench.processes import median_of
from bench.results import Row, Target
from bench.seed import settings_in

from coffers.cli.rooms import opened_store, opened_vault
from coffers.clock import MINUTE, Millis, SystemClock
from coffers.connectors.exchange.connector import ExchangeConnector
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.shared import SharedVenue
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import Credentials
from coffers.logs import configure_logs
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.connecting import Connecting, Connection
from coffers.portfolio.users import Users
from coffers.pricing.keeper import PriceKeeper
from coffers.pricing.past import CandlePrices
from coffers.sandbox.demo import demo_keys
from coffers.secret import Secret
from coffers.settings import Settings
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.syncer import Syncer
from coffers.vault.vault import Vault

ROUNDS = 25
OVERHEAD = Target(1.0)
Call = tuple[str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a reading needs."""

    settings: Settings
    store: Store
    vault: Vault
    venues: Venues

    @property
    def connector(self) -> ExchangeConnector:
        """The connector."""
        return ExchangeConnector(self.venues, SystemClock())

    @property
    def syncer(self) -> Syncer:
        """The syncer."""
        return Syncer(
            self.store,
            self.vault,
            load_catalogue(),
            self.connector,
            FlowValuer(self.store, CandlePrices(self.venues)),
            SystemClock(),
            Pace(Millis(5 * MINUTE)),
        )


async def measure(data_dir: Path, sandbox_url: str) -> list[Row]:
    """Return the rows of a reading."""
    settings = settings_in(data_dir)
    venues = Venues(sandbox_url, settings.venue_timeout, SystemClock())
    try:
        async with opened_store(settings) as store:
            vault = await opened_vault(settings, store)
            rooms = Rooms(settings, store, vault, venues)
            account = await _account(rooms)
            return await _rows(rooms, account, sandbox_url)
    finally:
        await venues.close()


async def _account(rooms: Rooms) -> Account:
    clock, key = SystemClock(), demo_keys()[0]
    user = await Users(rooms.store, clock).add("bench-reading")
    connecting = Connecting(
        rooms.store, rooms.vault, load_catalogue(), rooms.connector, clock, "accept_all"
    )
    credentials = Credentials(key.key, Secret(key.secret))
    account = await connecting.connect(Connection(user.id, "binance", "Bench", credentials))
    keeper = PriceKeeper(rooms.store, rooms.venues, clock, Decimal(0))
    await keeper.refresh(["binance"])
    return account


async def _rows(rooms: Rooms, account: Account, sandbox_url: str) -> list[Row]:
    unthrottle()
    syncer = rooms.syncer

    async def read() -> None:
        result = await syncer.sync(account.user_id, account.id)
        if result.failure is not None:
            raise result.failure

    # The first reading asks more than the later ones do.
    for _ in range(3):
        with recorded() as same:
            await read()
    async with bare(sandbox_url) as shared:
        costs = await _costs(
            read,
            lambda: _alone(shared, sandbox_url, same),
            lambda: _alone(shared, sandbox_url, [("fetch_balance", ())]),
        )
    return _compared(costs, len(same))


async def _alone(shared: Any, sandbox_url: str, calls: list[Call]) -> None:  # noqa: ANN401
    """Read the account with nothing but ccxt."""
    exchange = instance(
        sandbox_url, {"session": shared.session, "asyncio_loop": shared.asyncio_loop}
    )
    exchange.ssl_context = shared.ssl_context
    exchange.set_markets_from_exchange(shared)
    for method, arguments in calls:
        await getattr(exchange, method)(*arguments)
    await exchange.close()


async def _costs(*works: Callable[[], Awaitable[object]]) -> list[list[float]]:
    """Return the processor time of each piece of work, in milliseconds; they take turns."""
    costs: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, spent in zip(works, costs, strict=True):
            begun = time.process_time_ns()
            await work()
            spent.append((time.process_time_ns() - begun) / 1e6)
    return costs


def _compared(costs: list[list[float]], calls: int) -> list[Row]:
    own, same, balance = (median_of(spent) for spent in costs)
    added = median_of([mine - theirs for mine, theirs in zip(*costs[:2], strict=True)])
    alone = f"ccxt alone, the same {calls} calls"
    ratio = added / same
    return [
        Row("a reading, added to ccxt, CPU", added, "ms", alone, same, ratio, OVERHEAD),
        Row("a reading, CPU", own, "ms", "ccxt alone, fetch_balance", balance, own / balance),
    ]


def unthrottle() -> None:
    """Have no session of Coffers wait for its turn from now on."""
    session = SharedVenue.session

    def unthrottled(self: SharedVenue, credentials: Credentials | None) -> VenueSession:
        made = session(self, credentials)
        made.exchange.enableRateLimit = False
        return made

    SharedVenue.session = unthrottled  # type: ignore[method-assign]


@contextmanager
def recorded() -> Iterator[list[Call]]:
    """Write every call to ccxt into the list that is lent."""
    calls: list[Call] = []
    ask = VenueSession.ask

    async def recording(self: VenueSession, method: str, *arguments: object) -> Any:  # noqa: ANN401
        calls.append((method, arguments))
        return await ask(self, method, *arguments)

    VenueSession.ask = recording  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        VenueSession.ask = ask  # type: ignore[method-assign]


@asynccontextmanager
async def bare(sandbox_url: str) -> AsyncIterator[Any]:
    """Lend a ccxt instance with its markets loaded."""
    exchange = instance(sandbox_url, {})
    try:
        await exchange.load_markets()
        yield exchange
    finally:
        await exchange.close()


def instance(sandbox_url: str, parts: dict[str, object]) -> Any:  # noqa: ANN401 - ccxt has no types
    """Return a ccxt instance with the key of a demo account, and what of it is given."""
    key = demo_keys()[0]
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False}
    own = {"apiKey": key.key, "secret": key.secret, "enableRateLimit": False, "options": options}
    exchange = ccxt.binance({**own, **parts})
    # Else each close waits for connections, which are shared here and stay open.
    exchange.timeout_on_exit = 0
    exchange.urls["api"] = {
        name: f"{sandbox_url}/binance/{url.partition('://')[2]}"
        for name, url in exchange.urls["api"].items()
    }
    return exchange


if __name__ == "__main__":
    # Else logs go where the rows go.
    configure_logs("error", "text")
    found = asyncio.run(measure(Path(sys.argv[1]), sys.argv[2]))
    print(json.dumps([asdict(row) for row in found]))
