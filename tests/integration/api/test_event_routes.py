"""`GET /public/api/v1/events`: pages forward, filters, modes, and what is forgotten."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from coffers.api.event_schema import EVENT, EVENTS
from coffers.clock import DAY, Millis, iso
from coffers.portfolio.events import KEPT, EventLog
from coffers.store.engine import Store
from coffers.store.events import NewEvent
from factories import NOW
from served import Caller, Served, add_account, serving

PATH = "/public/api/v1/events"


@pytest.fixture
async def served(store: Store) -> AsyncIterator[Served]:
    async with serving(store) as running:
        yield running


@pytest.fixture
async def ann(served: Served) -> Caller:
    return await served.caller(permissions=("accounts_read", "accounts_write"))


async def happened(served: Served, who: Caller, *kinds: Any, at: int = NOW, **of: Any) -> None:
    about = {"account_id": 7, "mode": "real", **of}
    async with served.services.store.transaction() as tx:
        found = [NewEvent(kind, Millis(at), {"n": 1}, **about) for kind in kinds]
        await tx.events.add(who.user.id, found)


def ids(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == list(EVENTS["properties"])
    for event in body["events"]:
        assert list(event) == list(EVENT["properties"])
    return [event["id"] for event in body["events"]]


async def test_pages_follow_each_other_to_the_end(served: Served, ann: Caller) -> None:
    await happened(served, ann, *["balances_changed"] * 5)
    after, found = 0, []
    while True:
        answer = await served.get(ann, f"{PATH}?after={after}&limit=2")
        found += ids(answer)
        after = answer.json()["next_after"]
        assert answer.json()["is_complete"] is True
        if not answer.json()["has_more"]:
            break
    assert (found, after) == ([1, 2, 3, 4, 5], 5)
    assert ids(await served.get(ann, f"{PATH}?after={after}")) == []
    await happened(served, ann, "deposit")
    assert ids(await served.get(ann, f"{PATH}?after={after}")) == [6]


async def test_an_event_says_what_happened_to_which_account(served: Served, ann: Caller) -> None:
    account = await add_account(served.services.store, ann.user)
    path = f"/public/api/ver1/accounts/{account.id}/rename"
    assert (await served.post(ann, path, '{"name":"Other"}')).status_code == 201
    (event,) = (await served.get(ann, PATH)).json()["events"]
    assert event == {
        "id": 1,
        "kind": "account_renamed",
        "account_id": account.id,
        "mode": "real",
        "at": iso(NOW),
        "data": {"from": "Main", "to": "Other"},
    }


async def test_a_filtered_page_goes_on_from_all_that_was_looked_at(
    served: Served, ann: Caller
) -> None:
    await happened(served, ann, "deposit", "withdrawal", "balances_changed", "deposit", "deposit")
    answer = await served.get(ann, f"{PATH}?kind=deposit,withdrawal&limit=2")
    assert (ids(answer), answer.json()["next_after"]) == ([1, 2], 2)
    answer = await served.get(ann, f"{PATH}?kind=withdrawal")
    assert (ids(answer), answer.json()["next_after"]) == ([2], 5)
    assert ids(await served.get(ann, f"{PATH}?account_id=7&after=3")) == [4, 5]
    assert ids(await served.get(ann, f"{PATH}?account_id=8")) == []


async def test_each_mode_has_its_events_and_both_what_is_of_none(
    served: Served, ann: Caller
) -> None:
    await happened(served, ann, "deposit")
    await happened(served, ann, "deposit", mode="paper")
    await happened(served, ann, "webhook_disabled", mode=None, account_id=None)
    assert ids(await served.get(ann, PATH)) == [1, 3]
    assert ids(await served.get(ann, PATH, {"Forced-Mode": "paper"})) == [2, 3]


async def test_another_users_events_are_not_shown(served: Served, ann: Caller) -> None:
    await happened(served, ann, "deposit")
    assert ids(await served.get(await served.caller("bob"), PATH)) == []


async def test_a_reader_who_stayed_away_too_long_is_told(served: Served, ann: Caller) -> None:
    await happened(served, ann, "deposit", "deposit")
    await happened(served, ann, "deposit", at=NOW + DAY)
    log = EventLog(served.services.store)
    served.clock.advance(KEPT + 1)
    assert await log.forget_old(served.clock.now()) == 2
    answer = await served.get(ann, f"{PATH}?after=1")
    assert (ids(answer), answer.json()["is_complete"]) == ([3], False)
    assert (await served.get(ann, f"{PATH}?after=2")).json()["is_complete"] is True
    ahead = (await served.get(ann, f"{PATH}?after=9")).json()
    assert (ahead["events"], ahead["next_after"], ahead["is_complete"]) == ([], 3, False)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("after=99999999999999999999", "after"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("kind=nothing", "kind"),
        ("kind=", "kind"),
        ("account_id=0", "account_id"),
        ("account_id=2147483648", "account_id"),
    ],
)
async def test_bad_parameters_are_named(
    served: Served, ann: Caller, query: str, field: str
) -> None:
    answer = await served.get(ann, f"{PATH}?{query}")
    assert (answer.status_code, answer.json()["error"]) == (400, "record_invalid")
    assert list(answer.json()["error_attributes"]) == [field]


async def test_a_token_without_the_permission_is_refused(served: Served) -> None:
    blind = await served.caller(permissions=("accounts_write",))
    assert (await served.get(blind, PATH)).status_code == 403
    assert (await served.http.get(PATH)).status_code == 401
