import asyncio
import os
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

import stored
from coffers.clock import Millis
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from coffers.store.fast import FastLook, Sighting
from factories import NOW


@pytest.fixture
async def fast(database_url: str) -> AsyncIterator[FastLook]:
    look = FastLook(database_url)
    yield look
    await look.close()


async def test_a_token_is_seen_with_its_owners_version_and_the_newest_epoch(
    store: Store, fast: FastLook
) -> None:
    ann = await stored.user(store, "ann", mode="paper", display_currency="EUR")
    token = await stored.token(store, ann)
    assert await fast.look("token-1") == Sighting(token, ann.id, "paper", "EUR", 1, 0)
    async with store.transaction() as tx:
        await tx.users.touch(ann.id)
        await tx.prices.save_book({}, NOW)
    assert await fast.look("token-1") == Sighting(token, ann.id, "paper", "EUR", 2, 1)


async def test_every_kind_of_token_is_seen_as_the_store_knows_it(
    store: Store, fast: FastLook
) -> None:
    ann = await stored.user(store)
    rsa = await stored.token(
        store, ann, kind="rsa", sealed_secret=None, rsa_public_key="PEM", require_timestamp=False
    )
    found = await fast.look("token-1")
    assert found is not None
    assert found.token == rsa
    async with store.transaction() as tx:
        await tx.tokens.revoke(ann.id, "token-1", Millis(NOW + 1))
    found = await fast.look("token-1")
    assert found is not None
    assert found.token == replace(rsa, revoked_at=Millis(NOW + 1))


async def test_an_unknown_token_is_seen_by_nobody(store: Store, fast: FastLook) -> None:
    await stored.token(store, await stored.user(store))
    for unknown in ("token-2", "TOKEN-1", "", "' OR 1=1 --", "\N{SNOWMAN}"):
        assert await fast.look(unknown) is None


async def test_many_looks_at_once_all_see_the_token(store: Store, fast: FastLook) -> None:
    token = await stored.token(store, await stored.user(store))
    seen = await asyncio.gather(*(fast.look("token-1") for _ in range(20)))
    assert [one.token for one in seen if one] == [token] * 20


async def test_a_look_leaves_no_transaction_that_would_see_the_past(
    store: Store, fast: FastLook
) -> None:
    ann = await stored.user(store)
    await stored.token(store, ann)
    for version in range(1, 5):
        found = await fast.look("token-1")
        assert found is not None
        assert found.user_version == version
        async with store.transaction() as tx:
            await tx.users.touch(ann.id)


async def test_a_look_that_was_given_up_does_no_harm_to_the_next(
    store: Store, fast: FastLook
) -> None:
    token = await stored.token(store, await stored.user(store))
    for turns in range(6):
        look = asyncio.create_task(fast.look("token-1"))
        for _ in range(turns):
            await asyncio.sleep(0)
        look.cancel()
        await asyncio.gather(look, return_exceptions=True)
    found = await fast.look("token-1")
    assert found is not None
    assert found.token == token


async def test_a_database_without_tables_is_unavailable_and_then_recovers(
    tmp_path: Path, sqlite_template: Path
) -> None:
    path = tmp_path / "coffers.db"
    look = FastLook(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await look.look("token-1")
    shutil.copyfile(sqlite_template, path)
    assert await look.look("token-1") is None
    await look.close()


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_whatever_is_committed_is_seen_by_the_next_look(
    sqlite_store: Store, journal: str
) -> None:
    ann = await stored.user(sqlite_store)
    await stored.token(sqlite_store, ann)
    path = sqlite_store.url.partition("///")[2]
    await sqlite_store.close()
    look, other = FastLook(sqlite_store.url), sqlite3.connect(path, isolation_level=None)
    assert other.execute(f"PRAGMA journal_mode = {journal}").fetchone() == (journal,)
    dice = random.Random(7)  # noqa: S311 - the same walk each time
    for version in range(2, 300):
        other.execute("UPDATE users SET version = ?", (version,))
        for _ in range(dice.randrange(1, 3)):
            found = await look.look("token-1")
            assert found is not None
            assert found.user_version == version
        # What begins the journal anew, and what is taken back, changes nothing that is seen.
        match dice.randrange(6):
            case 0:
                other.execute(f"PRAGMA wal_checkpoint({dice.choice(['RESTART', 'TRUNCATE'])})")
            case 1:
                other.execute("BEGIN IMMEDIATE")
                other.execute("UPDATE users SET version = 0")
                other.execute("ROLLBACK")
    index = look._looks._index  # type: ignore[attr-defined]
    assert (index.head() != b"") == (journal == "wal")
    other.close()
    await look.close()


TAKES_THE_LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as index:
    fcntl.lockf(index, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
"""
"""What says in the index that somebody uses it: whoever gets this lock makes the index anew."""


def descriptors() -> set[Path]:
    """Return what the process has open."""
    return set(Path("/dev/fd").iterdir())


async def test_a_look_that_ends_leaves_sqlite_its_locks(sqlite_store: Store) -> None:
    path = sqlite_store.url.partition("///")[2]
    taking = [sys.executable, "-c", TAKES_THE_LOCK, f"{path}-shm"]
    async with sqlite_store.transaction() as tx:
        await tx.prices.save_book({}, NOW)
        for _ in range(2):
            look = FastLook(sqlite_store.url)
            assert await look.look("token-1") is None
            await look.close()
            taken = subprocess.run(taking, capture_output=True, text=True, check=False)  # noqa: ASYNC221, S603 - our own program
            assert "BlockingIOError" in taken.stderr
    before = descriptors()
    look = FastLook(sqlite_store.url)
    assert await look.look("token-1") is None
    await look.close()
    assert descriptors() == before


async def test_a_look_never_writes(sqlite_store: Store) -> None:
    look = FastLook(sqlite_store.url)
    assert await look.look("token-1") is None
    connection = look._looks._connection  # type: ignore[attr-defined]
    with pytest.raises(Exception, match="readonly"):
        connection.execute("DELETE FROM users")
    await look.close()


async def test_a_server_that_drops_its_connections_is_connected_to_anew(
    postgres_url: str,
) -> None:
    store, look = Store(postgres_url), FastLook(postgres_url)
    await stored.token(store, await stored.user(store))
    assert await look.look("token-1") is not None
    line = look._looks._rows._line  # type: ignore[attr-defined]
    async with store.connection() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    async with asyncio.timeout(10):
        while not line.is_lost:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.01)
    assert await look.look("token-1") is not None
    await look.close()
    await store.close()


async def test_a_look_that_meets_a_lost_connection_is_made_over_another(postgres_url: str) -> None:
    store, look = Store(postgres_url), FastLook(postgres_url)
    await stored.token(store, await stored.user(store))
    assert await look.look("token-1") is not None
    line = look._looks._rows._line  # type: ignore[attr-defined]
    with socket.socket(fileno=os.dup(line._socket)) as end:
        end.shutdown(socket.SHUT_RDWR)
    assert await look.look("token-1") is not None
    await look.close()
    await store.close()


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    look = FastLook(f"postgresql+asyncpg://postgres@/coffers?host={tmp_path}")
    with pytest.raises(StoreUnavailable, match="did not answer"):
        await look.look("token-1")
    await look.close()
