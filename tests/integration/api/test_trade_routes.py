"""Own trades, volumes and what is open, over the API."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

import stored
from coffers.api.trade_schema import TRADE_PAGE
from coffers.clock import DAY, HOUR, Millis
from coffers.markets.catalogue import PAPER
from coffers.store.engine import Store
from coffers.store.trades import TradeWalk
from coffers.valuation.model import Value
from coffers.valuation.trade import Trade
from factories import NOW
from served import Caller, Served, add_account, read_account, serving

BASE = "/public/api/ver1/accounts"
WORTH = Value(Decimal("0.5"), Decimal("30000.25"))


@pytest.fixture
async def served(sqlite_store: Store) -> AsyncIterator[Served]:
    async with serving(sqlite_store) as running:
        yield running


@pytest.fixture
async def ann(served: Served) -> Caller:
    return await served.caller()


def trade(name: str, at: int, value: Value | None = WORTH, **changes: Any) -> Trade:
    made = Trade(
        symbol="BTC/USDT",
        trade_id=name,
        order_id="o",
        kind="spot",
        base="BTC",
        quote="USDT",
        side="buy",
        price=Decimal("60000.5"),
        amount=Decimal("0.5"),
        cost=Decimal("30000.25"),
        cost_asset="USDT",
        fee=None,
        fee_asset=None,
        at=Millis(at),
        value=value,
    )
    return replace(made, **changes)


async def filled(served: Served, ann: Caller, *trades: Trade, **walk: Any) -> int:
    account = await add_account(served.services.store, ann.user)
    told = {"known_since": NOW - 100 * DAY, "known_until": NOW, "is_complete": True, **walk}
    async with served.services.store.transaction() as tx:
        await tx.trades.add(ann.user.id, account.id, trades)
        await tx.trades.begin(ann.user.id, account.id, NOW)
        await tx.trades.keep_walk(ann.user.id, account.id, TradeWalk(NOW, NOW, **told))
    return account.id


async def volume(served: Served, ann: Caller, account_id: int, rest: str) -> httpx.Response:
    answer = await served.get(ann, f"{BASE}/{account_id}/volume/{rest}")
    assert answer.status_code == 200, answer.text
    return answer


async def test_volumes_are_exact_sums_of_a_day_a_month_and_all(served: Served, ann: Caller) -> None:
    # NOW is 2025-10-09T08:53:20Z.
    small = Value(Decimal("0.000000000000000001"), Decimal("0.1"))
    account_id = await filled(
        served,
        ann,
        trade("a", NOW - HOUR),
        trade("b", NOW - HOUR, small, symbol="BTC/USDT:USDT", kind="contract"),
        trade("c", NOW - 2 * DAY),
        trade("d", NOW - 40 * DAY),
    )
    day = await volume(served, ann, account_id, "daily")
    assert day.json() == {
        "utc_date": "2025-10-09",
        "volume_btc": "0.500000000000000001",
        "volume_usd": "30000.35",
    }
    assert day.headers["x-volume-complete"] == "true"
    month = await volume(served, ann, account_id, "monthly?month=2025-10")
    assert month.json()["utc_month"] == "2025-10"
    assert month.json()["volume_usd"] == "60000.6"
    total = await volume(served, ann, account_id, "total")
    assert total.json() == {"volume_btc": "1.500000000000000001", "volume_usd": "90000.85"}
    quiet = await volume(served, ann, account_id, "daily?date=2025-10-01")
    assert quiet.json()["volume_usd"] == "0.0"


@pytest.mark.parametrize(
    ("walk", "rest", "why"),
    [
        ({"known_since": None, "known_until": None, "is_complete": False}, "total", "not_asked"),
        ({"is_untold": True, "known_since": None, "known_until": None}, "daily", "not_told"),
        ({"is_complete": False}, "daily?date=2020-01-01", "not_asked"),
        ({"has_gaps": True}, "daily?date=2025-10-01", "pairs_unseen"),
        ({"failure_message": "no right"}, "daily?date=2025-10-01", "refused"),
        ({"is_complete": False}, "total", "older_unknown"),
        ({"is_complete": False, "known_since": NOW - HOUR}, "daily", "older_unknown"),
        ({"known_until": NOW - DAY}, "daily?date=2025-10-08", "newer_unknown"),
        ({"known_until": NOW - 5 * HOUR}, "daily", "newer_unknown"),
        ({"known_until": NOW - 5 * HOUR}, "total", "newer_unknown"),
        ({}, "daily?date=2025-10-10", "not_asked"),
    ],
)
async def test_what_is_not_known_is_null_and_says_why(
    served: Served, ann: Caller, walk: dict[str, Any], rest: str, why: str
) -> None:
    account_id = await filled(served, ann, **walk)
    answer = await volume(served, ann, account_id, rest)
    assert answer.json()["volume_btc"] is None
    assert answer.json()["volume_usd"] is None
    assert answer.headers["x-volume-complete"] == "false"
    assert why in answer.headers["x-volume-missing"]


async def test_a_trade_of_unknown_worth_leaves_the_volume_unknown(
    served: Served, ann: Caller
) -> None:
    account_id = await filled(served, ann, trade("a", NOW - 1), trade("b", NOW - 2, None))
    answer = await volume(served, ann, account_id, "daily")
    assert answer.json()["volume_usd"] is None
    assert answer.headers["x-volume-missing"] == "worth_unknown"


async def test_the_volume_of_an_account_that_was_never_read_is_unknown(
    served: Served, ann: Caller
) -> None:
    account = await add_account(served.services.store, ann.user)
    assert (await volume(served, ann, account.id, "total")).json()["volume_usd"] is None


@pytest.mark.parametrize(
    "rest",
    ["daily?date=2025-13-01", "daily?date=2025-1-1", "monthly?month=2025", "daily?date=%00"],
)
async def test_a_span_that_is_none_is_refused(served: Served, ann: Caller, rest: str) -> None:
    account_id = await filled(served, ann)
    answer = await served.get(ann, f"{BASE}/{account_id}/volume/{rest}")
    assert (answer.status_code, answer.json()["error"]) == (400, "record_invalid")


async def test_trades_are_told_page_by_page_from_the_newest_on(served: Served, ann: Caller) -> None:
    account_id = await filled(served, ann, *(trade(f"t{n}", NOW - n * DAY) for n in range(5)))
    target = f"/public/api/v1/accounts/{account_id}/trades"
    first = (await served.get(ann, f"{target}?limit=3")).json()
    assert list(first) == list(TRADE_PAGE["properties"])
    items = TRADE_PAGE["properties"]["trades"]["items"]["properties"]
    assert all(list(each) == list(items) for each in first["trades"])
    rest = (await served.get(ann, f"{target}?limit=3&cursor={first['next_cursor']}")).json()
    assert [t["id"] for t in first["trades"] + rest["trades"]] == ["t0", "t1", "t2", "t3", "t4"]
    assert rest["next_cursor"] is None
    assert rest["history"]["is_complete"] is True
    none = (await served.get(ann, f"{target}?symbol=ETH/USDT")).json()
    assert none["trades"] == []
    since = (await served.get(ann, f"{target}?from=2025-10-08")).json()
    assert [t["id"] for t in since["trades"]] == ["t0", "t1"]
    until = (await served.get(ann, f"{target}?to=2025-10-07T08:53:20Z")).json()
    assert [t["id"] for t in until["trades"]] == ["t3", "t4"]
    for wrong in ("limit=0", "cursor=x", "from=never", "from=2025-10-06&to=2025-10-04"):
        assert (await served.get(ann, f"{target}?{wrong}")).status_code == 400


async def test_open_positions_are_not_counted_before_they_were_read(
    served: Served, ann: Caller
) -> None:
    store = served.services.store
    account = await stored.account(store, ann.user, market_code=PAPER)
    target = f"{BASE}/{account.id}/active_trading_entities"
    before = await served.get(ann, target)
    assert (before.status_code, "x-open-positions" in before.headers) == (200, False)
    await read_account(store, account, {"BTC": "1"})
    assert (await served.get(ann, target)).headers["x-open-positions"] == "0"


async def test_another_users_account_is_not_found(served: Served, ann: Caller) -> None:
    account_id = await filled(served, ann)
    bob = await served.caller("bob")
    for path in (
        f"{BASE}/{account_id}/volume/daily",
        f"{BASE}/{account_id}/volume/total",
        f"{BASE}/{account_id}/active_trading_entities",
        f"/public/api/v1/accounts/{account_id}/trades",
    ):
        assert (await served.get(bob, path)).status_code == 404


async def test_a_token_without_the_permission_is_refused(served: Served, ann: Caller) -> None:
    account_id = await filled(served, ann)
    weak = await served.caller("ann", permissions=())
    for rest in ("volume/monthly", "active_trading_entities"):
        answer = await served.get(weak, f"{BASE}/{account_id}/{rest}")
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
