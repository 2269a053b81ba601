"""Our own client through an account's life, against the demo with its worker."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import pytest

from coffers.client import Client, RecordInvalid, SignedAuth, Unavailable
from demo import Demo

T = TypeVar("T")


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
