"""`coffers audit`: who did what, and when."""

import asyncio
import json
from pathlib import Path

import pytest

import stored
from coffers.clock import DAY, Millis
from coffers.store.engine import Store
from coffers.store.records import AuditEvent
from factories import NOW
from program import Run

KEY = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def trail(coffers: Run, tmp_path: Path) -> None:
    assert coffers("migrate").returncode == 0
    asyncio.run(_fill(f"sqlite:///{tmp_path}/data/coffers.db"))


async def _fill(url: str) -> None:
    store = Store(url)
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    async with store.transaction() as tx:
        for event in (
            AuditEvent(ann.id, Millis(NOW - DAY), "signed_in", "ann", "password"),
            AuditEvent(bob.id, NOW, "token_created", KEY, "accounts_read,accounts_write"),
            AuditEvent(None, NOW, "master_key_rotated", "k2", "all records moved"),
            AuditEvent(ann.id, NOW, "account_renamed", "1", "a [b]\x1b[31m -> c"),
        ):
            await tx.audit.add(event)
    await store.close()


def _lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_trail_fits_into_80_columns_and_loses_nothing(coffers: Run) -> None:
    shown = coffers("audit", COLUMNS="80")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["at", "user", "kind", "of", "details"]
    assert [line.split()[0] for line in lines if line[:1] == "2"] == [
        "2025-10-09T08:53:20",
        "2025-10-09T08:53:20",
        "2025-10-09T08:53:20",
        "2025-10-08T08:53:20",
    ]
    assert "token_created" in shown.stdout
    assert "\x1b" not in shown.stdout
    (details,) = [line[line.index("a [b]") :] for line in lines if "a [b]" in line]
    assert details.startswith("a [b]")


def test_programs_read_a_line_for_each_event(coffers: Run) -> None:
    shown = coffers("audit", "--json")
    assert shown.returncode == 0, shown.stderr
    told = _lines(shown.stdout)
    assert [list(each) for each in told] == [
        ["id", "at", "user", "kind", "subject", "details"] for _ in range(4)
    ]
    assert [(each["user"], each["kind"]) for each in told] == [
        ("ann", "account_renamed"),
        (None, "master_key_rotated"),
        ("bob", "token_created"),
        ("ann", "signed_in"),
    ]
    assert told[2]["subject"] == KEY


def test_the_trail_by_user_kind_and_day(coffers: Run) -> None:
    ann = _lines(coffers("audit", "--json", "--user", "ann").stdout)
    assert [each["kind"] for each in ann] == ["account_renamed", "signed_in"]
    some = _lines(coffers("audit", "--json", "--kind", "signed_in, token_created").stdout)
    assert [each["kind"] for each in some] == ["token_created", "signed_in"]
    for since in ("2025-10-09", "2025-10-09T08:53:20", "2025-10-09T08:53:20.000Z"):
        assert len(_lines(coffers("audit", "--json", "--since", since).stdout)) == 3, since
    assert coffers("audit", "--since", "yesterday").returncode == 2


def test_pages_go_on_where_the_one_before_ended(coffers: Run) -> None:
    first = coffers("audit", "--limit", "3")
    last = first.stdout.splitlines()[-1]
    assert last.startswith("older    --before ")
    second = coffers("audit", "--json", "--before", last.split()[-1])
    assert [each["kind"] for each in _lines(second.stdout)] == ["signed_in"]
    assert "older" not in coffers("audit", "--limit", "4").stdout
    for before in ("99", "-1", str(2**40)):
        none = coffers("audit", "--before", before)
        assert (none.returncode, none.stdout) == (1, "")
        assert f"there is no event {before}" in none.stderr


def test_anothers_event_is_no_place_in_a_users_trail(coffers: Run) -> None:
    (bobs,) = _lines(coffers("audit", "--json", "--user", "bob").stdout)
    assert coffers("audit", "--user", "ann", "--before", str(bobs["id"])).returncode == 1
    assert coffers("audit", "--user", "nobody").returncode == 1


def test_a_kind_that_no_event_has_is_told(coffers: Run) -> None:
    shown = coffers("audit", "--json", "--kind", "signed_in,sign_in")
    assert (shown.returncode, len(_lines(shown.stdout))) == (0, 1)
    assert "No event is of kind sign_in; there are: account_renamed, " in shown.stderr
    assert coffers("audit", "--kind", "signed_in").stderr == ""
