"""The demo's past: a month lived through in seconds, by the real client, readings and figures."""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

from coffers.cli.console import err, progress
from coffers.cli.rooms import load_exchange_library, opened_store, opened_vault, opened_venues
from coffers.clock import DAY, Millis, SystemClock
from coffers.errors import CoffersError
from coffers.sandbox.control import SandboxControl
from coffers.sandbox.demo import demo_keys
from coffers.sandbox.script import Move
from coffers.secret import Secret
from coffers.settings import Settings

if TYPE_CHECKING:
    from coffers.cli.rooms import VenueRooms
    from coffers.portfolio.tokens import IssuedToken
    from coffers.store.engine import Store
    from coffers.store.records import Account
    from coffers.vault.vault import Vault

MONTH_AGO = Millis(-31 * DAY)
DAYS = (*map(float, range(-31, 0)), -0.5, -0.25, 0.0)
"""When the accounts are read, in days from now: often enough that a chart of days has no gaps."""

NAMES = ("Savings", "Trading", "American")
MARKETS = {"binance": "binance", "binanceus": "binance_us"}
USER = "demo"


class ShiftedClock:
    """The machine's clock, shifted; the demo moves it from a month ago to now."""

    def __init__(self, shift: Millis) -> None:
        self.shift = shift
        self._clock = SystemClock()

    def now(self) -> Millis:
        """Return the machine's time, shifted."""
        return Millis(self._clock.now() + self.shift)


async def live_through_month(
    settings: Settings, sandbox_url: str, clock: ShiftedClock
) -> "IssuedToken":
    """Connect the demo's accounts a month ago and read them up to now.

    Returns:
        A token of the demo's user.
    """
    from coffers.markets.catalogue import load_catalogue

    catalogue = load_catalogue()
    async with opened_store(settings) as store, SandboxControl(sandbox_url) as exchange:
        vault = await opened_vault(settings, store)
        issued = await _user_with_token(store, vault)
        with err.status("loading the exchange library"):
            await asyncio.to_thread(load_exchange_library)
        async with opened_venues(settings, store, vault, clock, catalogue, is_paced=False) as rooms:
            with progress() as shown:
                task = shown.add_task("living through a month", total=len(DAYS))
                accounts: list[Account] = []
                for day in DAYS:
                    clock.shift = Millis(round(day * DAY))
                    await _happen(exchange, day)
                    accounts = accounts or await _connect(settings, store, vault, rooms, clock)
                    await _read(rooms, accounts)
                    shown.advance(task)
    return issued


async def _user_with_token(store: "Store", vault: "Vault") -> "IssuedToken":
    from coffers.portfolio.tokens import Tokens, Wanted
    from coffers.portfolio.users import Users

    clock = SystemClock()
    user = await Users(store, clock).add(USER)
    wanted = Wanted(permissions=("accounts_read", "accounts_write"))
    return await Tokens(store, vault, clock).create(user.id, wanted)


async def _happen(exchange: SandboxControl, day: float) -> None:
    """Let happen at the exchange what the month brings by this day."""
    for when, kind, key, asset, amount in _EVENTS:
        if when == day:
            move = Move(venue=key.venue, key=key.key, asset=asset, amount=Decimal(amount))
            await (exchange.deposit if kind == "in" else exchange.withdraw)(move)


_SAVER, _TRADER, _AMERICAN = demo_keys()
_EVENTS = (
    (-23.0, "in", _SAVER, "ETH", "1.5"),
    (-15.0, "out", _TRADER, "LINK", "20"),
    (-15.0, "out", _AMERICAN, "USDT", "300"),
    (-8.0, "out", _SAVER, "USDT", "750"),
    (-2.0, "in", _SAVER, "SOL", "10"),
    (-0.5, "in", _TRADER, "BTC", "0.03"),
)


async def _connect(
    settings: Settings, store: "Store", vault: "Vault", rooms: "VenueRooms", clock: ShiftedClock
) -> "list[Account]":
    from coffers.connectors.reading import Credentials
    from coffers.markets.catalogue import load_catalogue
    from coffers.portfolio.connecting import Connecting, Connection
    from coffers.portfolio.users import Users

    user = await Users(store, clock).named(USER)
    connecting = Connecting(
        store, vault, load_catalogue(), rooms.connector, clock, settings.key_policy
    )
    return [
        await connecting.connect(
            Connection(user.id, MARKETS[key.venue], name, Credentials(key.key, Secret(key.secret)))
        )
        for name, key in zip(NAMES, demo_keys(), strict=True)
    ]


async def _read(rooms: "VenueRooms", accounts: "list[Account]") -> None:

    await rooms.prices.refresh()
    results = await asyncio.gather(
        *(rooms.syncer.sync(account.user_id, account.id) for account in accounts)
    )
    for result in results:
        if result.failure is not None:
            raise CoffersError(f"the demo's exchange could not be read: {result.failure}")
