"""How much an account takes on the disk, and how much more with each year.

Run as `python -m bench.sizes [DATABASE_URL]`: of SQLite, or of an empty PostgreSQL database.
Accounts live through ten weeks, are read every five minutes and rolled up as a worker does it; then
come other kinds of rows. Prints bytes, indexes and unused space of pages included, and what the
roll-ups took of this process's time.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlalchemy import func, insert, select, text

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.money import divide, multiply
from coffers.store.engine import Store
from coffers.store.events import NewEvent
from coffers.store.migrate import upgrade
from coffers.store.records import NewAccount, User
from coffers.store.rollups import TIERS, Tier
from coffers.store.tables import snapshots
from coffers.valuation.model import Flow, Position, Value
from coffers.valuation.trade import Trade

ACCOUNTS = 20
POSITIONS = 20
LIFE = 70
STEP = Millis(6 * HOUR)
BEGIN = Millis(1_700_000_000_000 // DAY * DAY)
_RANDOM = random.Random(1)  # noqa: S311 - made-up amounts


@dataclass(frozen=True, slots=True)
class Made:
    """Rows of one kind that were written, and the bytes that the database grew by."""

    name: str
    rows: int
    grown: int

    @property
    def line(self) -> str:
        """How it is printed."""
        return f"{self.name:40} {self.rows:8} rows {self.grown / self.rows:8.0f} bytes each"


def worth() -> Value:
    """Return a worth with as many digits as real ones have: a sum of products, and a quotient."""
    amount = Decimal(_RANDOM.randrange(10**12)).scaleb(-8)
    usd = multiply(amount, Decimal(_RANDOM.randrange(10**10)).scaleb(-6))
    return Value(divide(usd, Decimal("98765.4321")), usd)


async def measured(store: Store, name: str, write: Callable[[], Awaitable[int]]) -> Made:
    """Write rows of one kind and return what they took."""
    before = await size(store)
    rows = await write()
    return Made(name, rows, await size(store) - before)


async def size(store: Store) -> int:
    """Return the bytes of all tables and indexes."""
    statement = (
        "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n "
        "ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public'"
        if store.database.dialect == "postgresql"
        else "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    )
    async with store.connection(is_reading=True) as connection:
        return int(await connection.scalar(text(statement)))


class Filling:
    """Accounts that are filled."""

    def __init__(self, store: Store, user: User) -> None:
        self._store = store
        self._user = user
        self._ids: list[int] = []

    async def accounts(self) -> int:
        """Add accounts with what they hold."""
        for number in range(ACCOUNTS):
            async with self._store.transaction() as tx:
                new = NewAccount(
                    self._user.id, "binance", f"Account {number}", api_key=f"{number:064}"
                )
                account = await tx.accounts.add(
                    new, identity=new.api_key, credential_id=f"{number:064}", now=BEGIN
                )
                held = [
                    Position("spot", f"COIN{n}", f"COIN{n}", worth().usd, Decimal(0))
                    for n in range(POSITIONS)
                ]
                await tx.holdings.replace(self._user.id, account.id, {"spot"}, held)
            self._ids.append(account.id)
        return ACCOUNTS

    async def life(self) -> int:
        """Read accounts every five minutes, roll up what gets old; return how many are kept."""
        removed, spent = 0, 0.0
        for begin in range(BEGIN, BEGIN + LIFE * DAY, STEP):
            await self._taken(range(begin, begin + STEP, 5 * MINUTE), 0)
            started = time.process_time()
            for tier in TIERS:
                removed += await self._rolled_up(Millis(begin + STEP), tier)
            spent += time.process_time() - started
            await self._vacuumed()
        print(f"rolled up {removed} rows, {spent / removed * 1e6:.1f} us of this process each")
        return await self._counted()

    async def days(self) -> int:
        """Add what is left of a year."""
        await self._taken(range(BEGIN - 365 * DAY, BEGIN, DAY), 2)
        return 365 * ACCOUNTS

    async def flows(self) -> int:
        """Add deposits and withdrawals."""
        for account_id in self._ids:
            made = [self._flow(number) for number in range(100)]
            async with self._store.transaction() as tx:
                await tx.history.add_flows(self._user.id, account_id, made)
        return 100 * ACCOUNTS

    async def trades(self) -> int:
        """Add trades."""
        for account_id in self._ids:
            made = [self._trade(number) for number in range(200)]
            async with self._store.transaction() as tx:
                await tx.trades.add(self._user.id, account_id, made)
        return 200 * ACCOUNTS

    async def events(self) -> int:
        """Add events; they are kept for a month."""
        data = {"assets": ["BTC", "ETH", "USDT"], "is_complete": True, "name": "Account 1"}
        for account_id in self._ids * 100:
            event = NewEvent("balances_changed", BEGIN, data, account_id, "real")
            async with self._store.transaction() as tx:
                await tx.events.add(self._user.id, [event])
        return 100 * ACCOUNTS

    async def _taken(self, moments: range, tier: int) -> None:
        own = {"user_id": self._user.id, "tier": tier}
        rows = []
        for at in moments:
            for account_id in self._ids:
                value = worth()
                moment = at + _RANDOM.randrange(MINUTE)
                found = {"account_id": account_id, "at": moment, "btc": value.btc, "usd": value.usd}
                rows.append({**own, **found})
        async with self._store.connection() as connection:
            await connection.execute(insert(snapshots), rows)

    async def _rolled_up(self, now: Millis, tier: Tier) -> int:
        removed = 0
        while True:
            async with self._store.transaction() as tx:
                batch = await tx.rollups.roll_up(tier, now)
            if batch is None:
                return removed
            removed += batch.removed

    async def _vacuumed(self) -> None:
        """Do what PostgreSQL does by itself after a while."""
        if self._store.database.dialect == "postgresql":
            async with self._store.connection() as connection:
                await connection.execute(text("COMMIT"))
                await connection.execute(text("VACUUM snapshots"))
                await connection.execute(text("BEGIN"))

    async def _counted(self) -> int:
        async with self._store.connection(is_reading=True) as connection:
            return int(await connection.scalar(select(func.count()).select_from(snapshots)))

    def _flow(self, number: int) -> Flow:
        at = Millis(BEGIN + number * HOUR)
        return Flow(
            f"{number:032}", "in", "BTC", "BTC", worth().usd, Decimal("0.0001"), "BTC", at,
            value=worth(), txid=f"{number:064}"[::-1],
        )  # fmt: skip

    def _trade(self, number: int) -> Trade:
        at, price = Millis(BEGIN + number * HOUR), Decimal("98765.43")
        return Trade(
            "BTC/USDT", f"{number:012}", f"{number:012}", "spot", "BTC", "USDT", "buy", price,
            Decimal("0.12345"), Decimal("12192.5923"), "USDT", Decimal("0.0000123"), "BNB", at,
            worth(),
        )  # fmt: skip


async def run(url: str) -> None:
    """Measure, and print."""
    store = Store(url)
    await upgrade(store)
    async with store.transaction() as tx:
        filling = Filling(store, await tx.users.add("sizes", BEGIN))
    for name, write in (
        (f"account with {POSITIONS} positions", filling.accounts),
        (f"snapshot, after {LIFE} days", filling.life),
        ("snapshot, one a day", filling.days),
        ("deposit or withdrawal", filling.flows),
        ("trade", filling.trades),
        ("event", filling.events),
    ):
        print((await measured(store, name, write)).line)
    await store.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(run(sys.argv[1].replace("postgresql://", "postgresql+asyncpg://", 1)))
    else:
        with tempfile.TemporaryDirectory() as place:
            asyncio.run(run(f"sqlite:///{Path(place) / 'sizes.db'}"))
