"""`GET /public/api/v1/accounts/{account_id}/flows`: pages, filters, transfers, and progress."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

import stored
from coffers.api.flow_schema import FLOW_PAGE
from coffers.clock import DAY, Millis
from coffers.store.engine import Store
from coffers.store.walks import Walk
from coffers.sync.transfers import pair_transfers
from coffers.valuation.model import Value
from factories import NOW
from served import Caller, Served, add_account, serving

DAYS = 5
FIRST = Millis(NOW - DAYS * DAY)


@pytest.fixture
async def served(sqlite_store: Store) -> AsyncIterator[Served]:
    async with serving(sqlite_store) as running:
        yield running


@pytest.fixture
async def ann(served: Served) -> Caller:
    return await served.caller()


def target(account_id: int, query: str = "") -> str:
    return f"/public/api/v1/accounts/{account_id}/flows" + (f"?{query}" if query else "")


async def filled(served: Served, ann: Caller) -> int:
    """Add an account with five deposits, one a day, and a withdrawal of ETH."""
    account = await add_account(served.services.store, ann.user)
    flows = [
        stored.flow(f"d{n}", FIRST + n * DAY, Value(Decimal("1.50"), Decimal(60000)))
        for n in range(DAYS)
    ]
    sent = stored.flow("w", NOW - 1, direction="out", asset="ETH", fee_asset="ETH", txid="0xaa")
    async with served.services.store.transaction() as tx:
        await tx.history.add_flows(ann.user.id, account.id, [*flows, sent])
    return account.id


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    parts = FLOW_PAGE["properties"]
    assert list(body) == list(parts)
    for flow in body["flows"]:
        assert list(flow) == list(parts["flows"]["items"]["properties"])
    return [flow["id"] for flow in body["flows"]]


async def test_flows_are_told_from_the_newest_on(served: Served, ann: Caller) -> None:
    account_id = await filled(served, ann)
    answer = await served.get(ann, target(account_id))
    assert ids(answer) == ["w", "d4", "d3", "d2", "d1", "d0"]
    body = answer.json()
    assert body["next_cursor"] is None
    assert body["flows"][0] == {
        "id": "w",
        "direction": "out",
        "asset": "ETH",
        "venue_code": "XXBT",
        "amount": "1.000000000000000001",
        "fee": "0.0001",
        "fee_asset": "ETH",
        "at": "2025-10-09T08:53:19.999Z",
        "txid": "0xaa",
        "btc_value": None,
        "usd_value": None,
        "role": "counted",
        "is_own_transfer": False,
        "paired_with": None,
    }
    worths = [(flow["btc_value"], flow["usd_value"]) for flow in body["flows"][1:]]
    assert worths == 5 * [("1.5", "60000.0")]
    assert answer.headers["cache-control"] == "no-store"


async def test_what_is_set_apart_or_made_here_says_so_in_lists_and_tables(
    served: Served, ann: Caller
) -> None:
    account_id = await filled(served, ann)
    came, made = stored.flow("d0", FIRST), stored.flow("BTC:1", NOW, direction="out")
    async with served.services.store.transaction() as tx:
        await tx.history.set_apart(ann.user.id, account_id, [came])
        await tx.history.add_made(ann.user.id, account_id, [made])
    answer = await served.get(ann, target(account_id))
    roles = [flow["role"] for flow in answer.json()["flows"]]
    assert roles == ["made", *(5 * ["counted"]), "apart"]
    table = await served.get(ann, f"/public/api/v1/accounts/{account_id}/export/flows.csv")
    head, *lines = table.text.splitlines()
    assert head.split(",")[-1] == "role"
    assert [line.split(",")[-1] for line in lines] == roles


async def test_pages_are_turned_by_their_cursor(served: Served, ann: Caller) -> None:
    account_id = await filled(served, ann)
    seen, query = [], "limit=4"
    for _ in range(2):
        answer = await served.get(ann, target(account_id, query))
        seen.append(ids(answer))
        query = f"limit=4&cursor={answer.json()['next_cursor']}"
    assert seen == [["w", "d4", "d3", "d2"], ["d1", "d0"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("direction=out", ["w"]),
        ("direction=in&limit=1", ["d4"]),
        ("asset=ETH", ["w"]),
        ("asset=eth", ["w"]),
        ("asset=DOGE", []),
        ("asset=", ["w", "d4", "d3", "d2", "d1", "d0"]),
        ("from=2025-10-08", ["w", "d4"]),
        ("to=2025-10-05", ["d1", "d0"]),
        ("to=2025-10-05T00:00:00Z", ["d0"]),
        ("from=2025-10-05&to=2025-10-06&asset=BTC", ["d2", "d1"]),
        ("nonsense=1", ["w", "d4", "d3", "d2", "d1", "d0"]),
    ],
)
async def test_filters_keep_what_is_asked_for(
    served: Served, ann: Caller, query: str, expected: list[str]
) -> None:
    account_id = await filled(served, ann)
    assert ids(await served.get(ann, target(account_id, query))) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("direction=both", "direction"),
        ("asset=%00", "asset"),
        ("from=soon", "from"),
        ("to=2025-13-01", "to"),
        ("from=2025-10-06&to=2025-10-04", "to"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=W10", "cursor"),
        ("cursor=%F0%9F%98%80", "cursor"),
        # A moment beyond all databases, and an id that none takes.
        ("cursor=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAsImluIiwiYSJd", "cursor"),
        ("cursor=WzEsImluIiwiYVx1MDAwMCJd", "cursor"),
    ],
)
async def test_what_makes_no_sense_is_named(
    served: Served, ann: Caller, query: str, field: str
) -> None:
    account_id = await filled(served, ann)
    answer = await served.get(ann, target(account_id, query))
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "record_invalid"
    assert list(answer.json()["error_attributes"]) == [field]


async def test_both_halves_of_an_own_transfer_name_each_other(served: Served, ann: Caller) -> None:
    account_id = await filled(served, ann)
    store = served.services.store
    other = await add_account(store, ann.user, "Other")
    came = stored.flow("there", NOW, asset="ETH", txid="0xaa")
    async with store.transaction() as tx:
        await tx.history.add_flows(ann.user.id, other.id, [came])
        await pair_transfers(tx, other, [came])
    (sent, *others) = (await served.get(ann, target(account_id))).json()["flows"]
    assert sent["is_own_transfer"]
    assert sent["paired_with"] == {"account_id": other.id, "id": "there"}
    assert not any(flow["is_own_transfer"] for flow in others)
    (arrived,) = (await served.get(ann, target(other.id))).json()["flows"]
    assert arrived["paired_with"] == {"account_id": account_id, "id": "w"}


async def history(served: Served, ann: Caller, walk: Walk | None) -> dict[str, Any]:
    account = await add_account(served.services.store, ann.user)
    if walk is not None:
        async with served.services.store.transaction() as tx:
            await tx.walks.begin(ann.user.id, account.id, walk.began_at, NOW)
            await tx.walks.keep(ann.user.id, account.id, walk)
    answer = await served.get(ann, target(account.id))
    told: dict[str, Any] = answer.json()["history"]
    assert list(told) == list(FLOW_PAGE["properties"]["history"]["properties"])
    return told


HALFWAY = Walk(
    began_at=NOW,
    known_since=Millis(NOW - 10 * DAY),
    ends_at=Millis(NOW - 40 * DAY),
    cursor="{}",
    steps=3,
    failure_message="The venue says no.",
)


async def test_it_is_told_how_far_back_flows_are_known(served: Served, ann: Caller) -> None:
    assert await history(served, ann, HALFWAY) == {
        "flows_known": True,
        "known_since": "2025-09-29T08:53:20.000Z",
        "is_complete": False,
        "has_gaps": False,
        "progress": 0.25,
        "steps": 3,
        "last_error": "The venue says no.",
    }


async def test_a_walk_that_ended_early_is_complete_all_the_same(
    served: Served, ann: Caller
) -> None:
    told = await history(served, ann, replace(HALFWAY, is_complete=True, has_gaps=True))
    assert (told["progress"], told["is_complete"], told["has_gaps"]) == (1, True, True)
    assert told["known_since"] == "2025-09-29T08:53:20.000Z"


async def test_before_the_first_step_nothing_is_walked(served: Served, ann: Caller) -> None:
    told = await history(served, ann, Walk(NOW, NOW))
    assert (told["progress"], told["steps"]) == (0, 0)
    assert told["known_since"] == "2025-10-09T08:53:20.000Z"


async def test_an_exchange_that_tells_no_past_is_known_since_never(
    served: Served, ann: Caller
) -> None:
    told = await history(served, ann, Walk(NOW, NOW, NOW, is_complete=True, has_gaps=True))
    assert told["known_since"] is None


async def test_an_account_without_a_walk_says_that_it_knows_nothing(
    served: Served, ann: Caller
) -> None:
    assert await history(served, ann, None) == {
        "flows_known": True,
        "known_since": None,
        "is_complete": None,
        "has_gaps": None,
        "progress": None,
        "steps": 0,
        "last_error": None,
    }


async def test_another_users_account_is_not_found(served: Served, ann: Caller) -> None:
    account_id = await filled(served, ann)
    bob = await served.caller("bob")
    for path in (target(account_id), target(2**31 - 1), target(2**33)):
        answer = await served.get(bob, path)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_token_without_the_permission_is_refused(served: Served, ann: Caller) -> None:
    account_id = await filled(served, ann)
    blind = await served.caller(permissions=("accounts_write",))
    assert (await served.get(blind, target(account_id))).status_code == 403
    assert (await served.http.get(target(account_id))).status_code == 401
