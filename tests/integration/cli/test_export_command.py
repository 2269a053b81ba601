"""`coffers export`: tables of accounts as CSV."""

import asyncio
import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

import stored
from coffers.clock import DAY
from coffers.store.engine import Store
from coffers.valuation.model import Value
from factories import NOW
from program import Run


@pytest.fixture(autouse=True)
def _accounts(coffers: Run, tmp_path: Path) -> None:
    assert coffers("migrate").returncode == 0
    asyncio.run(_fill(f"sqlite:///{tmp_path}/data/coffers.db"))


async def _fill(url: str) -> None:
    store = Store(url)
    ann = await stored.user(store)
    one, two = await stored.account(store, ann, "one"), await stored.account(store, ann, "two")
    worth = Value(Decimal("1.5"), Decimal(60000))
    async with store.transaction() as tx:
        for account in (one, two):
            await tx.history.add_snapshot(ann.id, account.id, stored.snapshot(NOW, "7"))
            await tx.history.add_snapshot(ann.id, account.id, stored.snapshot(NOW - DAY, "5"))
        await tx.history.add_flows(ann.id, one.id, [stored.flow("d1", NOW, worth)])
    await store.close()


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_all_accounts_are_printed(coffers: Run) -> None:
    shown = coffers("export", "--user", "ann", "history")
    assert shown.returncode == 0, shown.stderr
    rows = read(shown.stdout)
    assert [(row["account_name"], row["usd_value"]) for row in rows] == [
        ("one", "5.0"),
        ("one", "7.0"),
        ("two", "5.0"),
        ("two", "7.0"),
    ]


def test_one_account_and_a_span_go_to_a_file(coffers: Run, tmp_path: Path) -> None:
    file = tmp_path / "flows.csv"
    asked = ("export", "--user", "ann", "flows", "--account", "1", "--output", str(file))
    assert coffers(*asked).returncode == 0
    (row,) = read(file.read_bytes().decode())
    assert (row["id"], row["usd_value"], row["at"]) == ("d1", "60000.0", "2025-10-09T08:53:20.000Z")
    again = coffers(*asked)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
    file.unlink()
    assert coffers(*asked, "--to", "2025-10-08").returncode == 0
    assert read(file.read_bytes().decode()) == []
    assert file.read_bytes().endswith(b"\r\n")


@pytest.mark.parametrize(
    "arguments", [("secrets",), ("flows", "--account", "99"), ("flows", "--from", "soon")]
)
def test_what_cannot_be_meant_is_said_in_a_sentence(
    coffers: Run, arguments: tuple[str, ...]
) -> None:
    refused = coffers("export", "--user", "ann", *arguments)
    assert refused.returncode != 0
    assert refused.stdout == ""
    assert "Traceback" not in refused.stderr


def test_a_span_that_ends_before_it_begins_is_refused(coffers: Run) -> None:
    span = ("--from", "2026-12-01", "--to", "2026-01-01")
    failed = coffers("export", "--user", "ann", "history", *span)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "--to" in failed.stderr
