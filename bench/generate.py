"""Fill a database with very many accounts: `python -m bench.generate --accounts N --database URL`.

The URL is that of `COFFERS_DATABASE_URL`. `--data-dir` is where the master key is, which probes'
tokens are sealed under later. A run that was broken off goes on where it stopped.

An account of the crowd has `--snapshots` snapshots, spread over a year; by default as many as fit:
all 2,273 that are left of a year of readings up to 1,000 accounts, 100 up to 100,000, else 12. An
account of a probe user always has all.
"""

import argparse
import asyncio
import time
from pathlib import Path

from bench import bulk
from bench.population import ROLLED_UP, TOKENS, Population, portions
from bench.seed import PRICED, asset, new_book, settings_in
from rich.console import Console

from coffers.cli.rooms import make_data_dir, opened_store, opened_vault
from coffers.clock import SystemClock
from coffers.settings import Settings
from coffers.store.engine import Store
from coffers.store.migrate import prepare

PORTION = 2_000
"""Accounts of one transaction."""

_MANY, _VERY_MANY = 1_000, 100_000
_console = Console(stderr=True)


def main() -> None:
    """Fill the database that the arguments name."""
    parser = argparse.ArgumentParser(prog="bench.generate", description=__doc__)
    parser.add_argument("--accounts", type=int, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--snapshots", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    settings = settings_in(given.data_dir, database_url=given.database)
    make_data_dir(settings)
    snapshots = usual_snapshots(given.accounts) if given.snapshots is None else given.snapshots
    asyncio.run(fill(settings, given.accounts, snapshots, given.seed))


def usual_snapshots(accounts: int) -> int:
    """Return how many snapshots an account has where nobody says so."""
    if accounts <= _MANY:
        return len(ROLLED_UP)
    return 100 if accounts <= _VERY_MANY else 12


async def fill(settings: Settings, accounts: int, snapshots: int, seed: int = 1) -> None:
    """Make the tables, where there are none, and all rows that are missing."""
    now = SystemClock().now()
    key_id = await _prepared(settings)
    # Nobody else may be connected: SQLite changes its journal for this.
    database = await bulk.opened(settings.database())
    await _write(database, Population(now, snapshots, key_id, seed), accounts)
    async with opened_store(settings) as store:
        await new_book(store, 0)
        async with store.transaction() as tx:
            tokens = [f"ethereum:0x{number:040x}" for number in range(TOKENS)]
            await tx.assets.meet([*map(asset, range(PRICED)), *tokens], now)


async def _prepared(settings: Settings) -> str:
    """Make the tables and the master key; return what names the key."""
    store = Store(settings.database())
    try:
        await prepare(store, allow_upgrade=True)
        return (await opened_vault(settings, store)).ring.current.id
    finally:
        await store.close()


async def _write(database: bulk.Bulk, population: Population, accounts: int) -> None:
    begun, done = time.perf_counter(), await database.done()
    already = done[1]
    for rows, user_id, account_id in portions(population, accounts, PORTION, done):
        await database.write(rows, user_id, account_id)
        rate = (account_id - already) / (time.perf_counter() - begun)
        left = (accounts - account_id) / rate
        told = f"{account_id:,} of {accounts:,} accounts, {rate:,.0f} a second, {left:,.0f} s left"
        _console.print(told, end="\r" if _console.is_terminal else "\n", highlight=False)
    await database.finish()


if __name__ == "__main__":
    main()
