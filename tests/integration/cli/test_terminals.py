"""Names that a terminal has no letters for: nobody chose them, and they hide nothing."""

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import stored
from coffers.store.engine import Store
from factories import NOW
from program import Run

NAME = "Caf\xe9 \u20ae"
Printed = Callable[..., bytes]


@pytest.fixture
def printed(coffers: Run, tmp_path: Path) -> Printed:
    """Returns what a command prints at a terminal that speaks Latin-1."""
    assert coffers("migrate").returncode == 0
    asyncio.run(_fill(f"sqlite:///{tmp_path}/data/coffers.db"))
    env = {"COFFERS_DATA_DIR": str(tmp_path / "data"), "PYTHONIOENCODING": "latin-1"}

    def run(*arguments: str) -> bytes:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "coffers", *arguments, "--user", "ann"],
            env={**os.environ, **env, "COLUMNS": "120"},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout

    return run


async def _fill(url: str) -> None:
    store = Store(url)
    ann = await stored.user(store)
    account = await stored.account(store, ann, NAME)
    async with store.transaction() as tx:
        await tx.history.add_snapshot(ann.id, account.id, stored.snapshot(NOW, "7"))
    await store.close()


def test_tables_of_programs_are_in_utf_8(printed: Printed) -> None:
    text = printed("export", "history").decode()
    (row,) = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    assert row["account_name"] == NAME


def test_json_is_in_utf_8(printed: Printed) -> None:
    (account,) = json.loads(printed("account", "list", "--json"))
    assert account["name"] == NAME


def test_people_see_what_can_be_shown(printed: Printed) -> None:
    assert "Caf\xe9 \\u20ae" in printed("account", "list").decode("latin-1")
