"""Our own client against the demo: an account's life, and the examples of docs/client.md."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest

import coffers.client
from coffers.client import Client, RecordInvalid, SignedAuth, Unavailable
from coffers.client.errors import KINDS
from coffers.client.methods import Methods
from demo import Demo

T = TypeVar("T")
PAGE = (Path(__file__).parents[2] / "docs/client.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def patiently(ask: Callable[[], T], tries: int = 6) -> T:
    """Ask again where no worker took the work in five seconds, as on a busy machine."""
    for _ in range(tries - 1):
        try:
            return ask()
        except Unavailable:
            continue
    return ask()


def test_it_connects_reads_changes_and_removes_an_account(demo: Demo) -> None:
    auth = SignedAuth(demo.told["api_key"], demo.told["secret"])
    key = demo.new_key(1, "another", BTC="2")
    kind, name = key.pop("type"), key.pop("name")
    with Client(demo.server, auth) as client:
        assert [each.name for each in client.accounts()] == ["Savings", "Trading", "American"]
        account = patiently(lambda: client.connect(kind, name, include_in_summary=False, **key))
        assert (account.btc_amount, account.include_in_summary) == (Decimal(2), False)
        with pytest.raises(RecordInvalid) as told:
            client.connect(kind, name, **key)
        assert told.value.account_id == account.id
        assert client.update(account.id, name="Other", include_in_summary=True).name == "Other"
        read = patiently(lambda: client.load_balances(account.id))
        assert read.btc_amount == Decimal(2)
        first = client.account(1)
        assert first.created_at is not None
        points = client.chart(1, date_from=first.created_at)
        assert points[-1].at > datetime(2025, 1, 1, tzinfo=UTC)
        assert [flow.direction for flow in client.flows(1)]
        assert client.remove(account.id)


async def test_every_example_runs_as_it_stands(
    demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"API_KEY": demo.told["api_key"], "SECRET": demo.told["secret"]}
    names: dict[str, object] = {"__name__": "examples", **known}
    for example in EXAMPLES:
        code = example.replace("http://127.0.0.1:8787", demo.server)
        await asyncio.to_thread(exec, code, names)
    printed = capsys.readouterr().out
    assert "Savings" in printed
    assert "none of yours" in printed


def test_every_method_and_class_is_on_the_page() -> None:
    methods = [name for name in vars(Methods) if not name.startswith("_")]
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert [name for name in methods if name not in named] == []
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in named] == []
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    public = {*methods, *vars(coffers.client), *vars(coffers.client.Client)}
    assert told - public == set()
