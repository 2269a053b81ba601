"""`coffers flows`: deposits and withdrawals, and how far back they are known."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

import stored
from coffers.clock import DAY, Millis
from coffers.store.engine import Store
from coffers.store.walks import Walk
from coffers.sync.transfers import pair_transfers
from coffers.valuation.model import Value
from factories import NOW
from program import Run

WALK = Walk(NOW, Millis(NOW - DAY), Millis(NOW - 4 * DAY), "{}", steps=1)
WORTH = Value(Decimal("1.5"), Decimal("60000.0000" + "1" * 50))


@pytest.fixture
def url(coffers: Run, tmp_path: Path) -> str:
    assert coffers("migrate").returncode == 0
    url = f"sqlite:///{tmp_path}/data/coffers.db"
    asyncio.run(_fill(url))
    return url


async def _fill(url: str) -> None:
    store = Store(url)
    ann = await stored.user(store)
    one, two = await stored.account(store, ann, "one"), await stored.account(store, ann, "two")
    sent = stored.flow("w1", NOW, direction="out", txid="0xaa")
    async with store.transaction() as tx:
        await tx.history.add_flows(ann.id, one.id, [sent, stored.flow("d1", NOW - DAY, WORTH)])
        await tx.history.add_flows(ann.id, two.id, [stored.flow("d2", NOW, txid="0xaa")])
        await tx.history.set_apart(ann.id, one.id, [stored.flow("d1", NOW)])
        await tx.walks.begin(ann.id, one.id, NOW, NOW)
        await pair_transfers(tx, one, [sent])
    await store.close()
    await _keep(url, WALK)


async def _keep(url: str, walk: Walk) -> None:
    store = Store(url)
    async with store.transaction() as tx:
        await tx.walks.keep(1, 1, walk)
    await store.close()


@pytest.mark.usefixtures("url")
def test_flows_are_a_table_with_the_way_back_below(coffers: Run) -> None:
    shown = coffers("flows", "--user", "ann", "1", COLUMNS="160")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["at", "asset", "amount", "USD", "id", "own", "figures"]
    sent = ["2025-10-09T08:53:20", "out", "BTC", "1.000000000000000001", "-", "w1", "to", "2", "-"]
    assert lines[1].split() == sent
    assert lines[2].split()[-5:] == ["60,000.00", "d1", "-", "set", "apart"]
    assert lines[3] == "known    since 2025-10-08T08:53:20.000Z, 25% of the way back"
    arrived = coffers("flows", "--user", "ann", "2").stdout
    assert "from 1" in arrived
    assert "known    not read yet" in arrived


@pytest.mark.usefixtures("url")
def test_json_is_what_the_api_answers(coffers: Run) -> None:
    told = json.loads(coffers("flows", "--user", "ann", "1", "--limit", "1", "--json").stdout)
    assert [flow["id"] for flow in told["flows"]] == ["w1"]
    assert told["flows"][0]["paired_with"] == {"account_id": 2, "id": "d2"}
    assert told["history"]["progress"] == 0.25
    page = ("flows", "--user", "ann", "1", "--cursor", told["next_cursor"], "--json")
    assert [flow["id"] for flow in json.loads(coffers(*page).stdout)["flows"]] == ["d1"]


@pytest.mark.parametrize(
    ("walk", "lines"),
    [
        (
            replace(WALK, is_complete=True, has_gaps=True),
            [
                "known    since 2025-10-08T08:53:20.000Z, nothing older is looked for",
                "gaps     the exchange did not tell everything of that time",
            ],
        ),
        (
            replace(WALK, failure_message="The venue\nsays no."),
            [
                "known    since 2025-10-08T08:53:20.000Z, 25% of the way back",
                "stopped  The venue\N{REPLACEMENT CHARACTER}says no.",
            ],
        ),
        (
            Walk(NOW, NOW, NOW, is_complete=True),
            ["known    unknown: the exchange tells none"],
        ),
    ],
)
def test_what_is_not_known_is_said(coffers: Run, url: str, walk: Walk, lines: list[str]) -> None:
    asyncio.run(_keep(url, walk))
    shown = coffers("flows", "--user", "ann", "1", COLUMNS="160").stdout
    assert shown.splitlines()[3:] == lines


@pytest.mark.usefixtures("url")
def test_an_account_of_nobody_and_a_cursor_of_nothing_are_one_sentence(coffers: Run) -> None:
    for arguments in (("99",), ("1", "--cursor", "nonsense")):
        failed = coffers("flows", "--user", "ann", *arguments)
        assert (failed.returncode, failed.stdout) == (1, "")
        assert failed.stderr.startswith("Error: ")
