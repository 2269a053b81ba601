"""Portfolios, settings, previews and runs of rebalancing over the wire."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from coffers.keyrights import KeyRights
from coffers.portfolio.errand_desk import ErrandDesk, Handler
from coffers.portfolio.errand_forms import PREVIEW, RUN, ErrandAnswer
from coffers.store.engine import Store
from coffers.sync.assets import note_assets
from factories import NOW
from served import LIST, Caller, Served, add_account, add_book, serving

PORTFOLIOS = "/public/api/v1/auto_balance/portfolios"
PUBLISHED = "/public/api/ver1/portfolios"
WRITER = ("accounts_read", "accounts_write")
HALVES = {"name": "Halves", "targets": {"btc": "50", "USDT": "50"}}


@pytest.fixture
async def api(store: Store) -> AsyncIterator[Served]:
    await note_assets(store, await add_book(store), NOW)
    async with serving(store) as served:
        yield served


@pytest.fixture
async def ann(api: Served) -> Caller:
    return await api.caller(permissions=WRITER)


async def send(
    api: Served, caller: Caller, method: str, target: str, said: Mapping[str, Any] | None = None
) -> httpx.Response:
    body = "" if said is None else json.dumps(said)
    headers = caller.headers(target, body)
    return await api.http.request(method, target, content=body, headers=headers)


async def made(api: Served, caller: Caller, **said: Any) -> Any:
    answer = await send(api, caller, "POST", PORTFOLIOS, {**HALVES, **said})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def account_of(api: Served, caller: Caller, **new: Any) -> str:
    account = await add_account(api.services.store, caller.user, **new)
    return f"/public/api/v1/accounts/{account.id}/auto_balance"


async def listed(api: Served, caller: Caller) -> Any:
    return (await api.get(caller)).json()[0]


def auto(entity: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entity.items() if "auto" in name}


async def test_a_portfolio_lives_from_its_making_to_its_removal(api: Served, ann: Caller) -> None:
    portfolio = await made(api, ann, tolerance="2.5")
    one = f"{PORTFOLIOS}/{portfolio['id']}"
    assert portfolio == {
        "id": portfolio["id"],
        "name": "Halves",
        "targets": {"BTC": "50.0", "USDT": "50.0"},
        "tolerance": "2.5",
        "sells_others": False,
        "created_at": "2025-10-09T08:53:20.000Z",
        "updated_at": "2025-10-09T08:53:20.000Z",
    }
    assert (await api.get(ann, one)).json() == portfolio
    anew = {"name": "All", "targets": {"ETH": "100"}, "sells_others": True}
    changed = (await send(api, ann, "PUT", one, anew)).json()
    assert (changed["targets"], changed["tolerance"]) == ({"ETH": "100.0"}, "1.0")
    assert (await send(api, ann, "DELETE", one)).json() is True
    assert (await api.get(ann, one)).status_code == 404


async def test_portfolios_are_told_in_pages_and_only_to_their_owner(
    api: Served, ann: Caller
) -> None:
    bob = await api.caller("bob", WRITER)
    names = [(await made(api, ann, name=f"P{number}"))["name"] for number in range(3)]
    first = (await api.get(ann, f"{PORTFOLIOS}?limit=2")).json()
    rest = (await api.get(ann, f"{PORTFOLIOS}?limit=2&cursor={first['next_cursor']}")).json()
    told = [each["name"] for page in (first, rest) for each in page["portfolios"]]
    assert (told, rest["next_cursor"]) == (names, None)
    assert (await api.get(bob, PORTFOLIOS)).json() == {"portfolios": [], "next_cursor": None}
    one = f"{PORTFOLIOS}/{first['portfolios'][0]['id']}"
    for method in ("GET", "PUT", "DELETE"):
        said = HALVES if method == "PUT" else None
        assert (await send(api, bob, method, one, said)).status_code == 404


async def test_clients_of_the_published_api_read_portfolios(api: Served, ann: Caller) -> None:
    portfolio = await made(api, ann)
    expected = {
        "id": portfolio["id"],
        "name": "Halves",
        "created_at": portfolio["created_at"],
        "portfolio_entries": [
            {"target_percentage": "50.0", "currency_code": "BTC"},
            {"target_percentage": "50.0", "currency_code": "USDT"},
        ],
    }
    assert (await api.get(ann, f"{PUBLISHED}/{portfolio['id']}")).json() == expected
    page = await api.get(ann, f"{PUBLISHED}?page=1&per_page=5")
    assert (page.json(), page.headers["x-total-count"]) == ([expected], "1")
    assert (await api.get(ann, f"{PUBLISHED}?page=2")).json() == []
    assert (await api.get(ann, f"{PUBLISHED}/portfolios?limit=5&offset=0")).json() == [expected]


@pytest.mark.parametrize(
    ("said", "field", "why"),
    [
        ({"targets": {"BTC": "50", "ETH": "49"}}, "targets", "must be 100 together, and are 99"),
        ({"targets": {"BTC": "100", "ETH": "0"}}, "targets", "must be more than zero each"),
        ({"targets": {"BTC": "50", "btc": "50"}}, "targets", "name an asset twice"),
        ({"targets": {" BTC": "50", "BTC": "100"}}, "targets", "name an asset twice"),
        ({"targets": {"0x" + "ab" * 32: "x"}}, "targets", "of what looks like a secret is invalid"),
        ({"targets": {"BTC": "x", "ETH": "50"}}, "targets", "of 'BTC' is invalid"),
        ({"targets": {"NOSUCHCOIN": "100"}}, "targets", "'NOSUCHCOIN' is no known asset"),
        ({"targets": {"BTC": "99.9999999", "ETH": "0.0000001"}}, "targets", "of 'BTC' has more"),
        ({"targets": {}}, "targets", "is missing"),
        ({"tolerance": "-1"}, "tolerance", "must be from 0 to 50"),
        ({"tolerance": "nan"}, "tolerance", "is invalid"),
        ({"name": "x"}, "name", "is too short"),
        ({"sells_others": "perhaps"}, "sells_others", "is invalid"),
    ],
)
async def test_a_portfolio_that_cannot_be_is_refused_by_field(
    api: Served, ann: Caller, said: Any, field: str, why: str
) -> None:
    answer = await send(api, ann, "POST", PORTFOLIOS, {**HALVES, **said})
    assert answer.status_code == 400
    assert answer.json()["error_attributes"][field][0].startswith(why)


async def test_settings_show_in_the_account_and_go_again(api: Served, ann: Caller) -> None:
    path = await account_of(api, ann)
    unused = auto(await listed(api, ann))
    assert unused == {
        "auto_balance_period": 12,
        "auto_balance_portfolio_id": None,
        "auto_balance_currency_change_limit": None,
        "autobalance_enabled": False,
        "last_auto_balance": None,
        "auto_balance_method": None,
        "auto_balance_error": None,
    }
    portfolio = await made(api, ann)
    said = {
        "portfolio_id": portfolio["id"],
        "method": "currency_change",
        "currency_change_limit": 5,
        "period": 24,
    }
    settings = (await send(api, ann, "PUT", path, said)).json()
    assert settings == {
        "enabled": True,
        "portfolio": portfolio,
        "method": "currency_change",
        "period": 24,
        "currency_change_limit": 5,
        "last_run_at": None,
        "next_run_at": None,
        "is_running": False,
        "failures": 0,
        "error": None,
        "prices_at_last_run": {"BTC": "50000.0", "USDT": "1.0"},
    }
    assert (await api.get(ann, path)).json() == settings
    assert auto(await listed(api, ann)) == {
        **unused,
        "auto_balance_period": 24,
        "auto_balance_portfolio_id": portfolio["id"],
        "auto_balance_currency_change_limit": 5,
        "autobalance_enabled": True,
        "auto_balance_method": "currency_change",
    }
    account_id = (await listed(api, ann))["id"]
    single = (await api.get(ann, f"{LIST}/{account_id}")).json()
    assert single["auto_balance_portfolio"]["name"] == "Halves"
    assert list(single)[3] == "auto_balance_portfolio"
    one = f"{PORTFOLIOS}/{portfolio['id']}"
    refused = await send(api, ann, "DELETE", one)
    assert (refused.status_code, refused.json()["error"]) == (409, "portfolio_in_use")
    assert (await send(api, ann, "DELETE", path)).json() is True
    assert (await send(api, ann, "DELETE", path)).status_code == 404
    assert auto(await listed(api, ann)) == unused
    assert (await send(api, ann, "DELETE", one)).status_code == 200


async def test_the_first_run_is_a_period_away(api: Served, ann: Caller) -> None:
    path = await account_of(api, ann)
    portfolio_id = (await made(api, ann))["id"]
    settings = (await send(api, ann, "PUT", path, {"portfolio_id": portfolio_id})).json()
    assert (settings["method"], settings["next_run_at"]) == ("time", "2025-10-09T20:53:20.000Z")
    off = {"portfolio_id": portfolio_id, "enabled": False}
    assert (await send(api, ann, "PUT", path, off)).json()["next_run_at"] is None


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"portfolio_id": None}, "portfolio_id"),
        ({"portfolio_id": 99}, "portfolio_id"),
        ({"method": "moon"}, "method"),
        ({"method": "currency_change"}, "currency_change_limit"),
        ({"currency_change_limit": 101}, "currency_change_limit"),
        ({"period": 0}, "period"),
        ({"period": "1e3"}, "period"),
        ({"enabled": 7}, "enabled"),
    ],
)
async def test_settings_that_cannot_be_are_refused_by_field(
    api: Served, ann: Caller, said: Any, field: str
) -> None:
    path = await account_of(api, ann)
    known = {"portfolio_id": (await made(api, ann))["id"]}
    answer = await send(api, ann, "PUT", path, {**known, **said})
    assert (answer.status_code, list(answer.json()["error_attributes"])) == (400, [field])


async def test_what_cannot_be_traded_cannot_be_rebalanced(api: Served, ann: Caller) -> None:
    said = {"portfolio_id": (await made(api, ann))["id"]}
    for name, new in (
        ("wallet", {"market_code": "ethereumwallet", "address": "0x1"}),
        ("futures", {"market_code": "binance_futures"}),
        ("reads", {"rights": KeyRights(True, False, False, None, None)}),
    ):
        path = await account_of(api, ann, name=name, **new)
        answer = await send(api, ann, "PUT", path, said)
        assert list(answer.json()["error_attributes"]) == ["account_id"], name


async def test_another_users_account_is_not_found(api: Served, ann: Caller) -> None:
    bob = await api.caller("bob", WRITER)
    path = await account_of(api, bob)
    said = {"portfolio_id": (await made(api, ann))["id"]}
    for method, target in (
        ("GET", path),
        ("PUT", path),
        ("DELETE", path),
        ("POST", f"{path}/preview"),
        ("POST", f"{path}/run"),
    ):
        answer = await send(api, ann, method, target, said if method == "PUT" else None)
        assert answer.status_code == 404, (method, target)
    assert "portfolio_id" in (await send(api, bob, "PUT", path, said)).json()["error_attributes"]


@asynccontextmanager
async def worked(api: Served, **handlers: Handler) -> AsyncIterator[None]:
    services = api.services
    desk = ErrandDesk(services.store, services.vault, services.clock, handlers)
    running = asyncio.create_task(desk.run())
    try:
        yield
    finally:
        desk.stop()
        await running


async def test_previews_and_runs_are_a_workers_and_tell_why_they_cannot_be(
    api: Served, ann: Caller
) -> None:
    path = await account_of(api, ann)
    missing = await send(api, ann, "POST", f"{path}/preview")
    assert list(missing.json()["error_attributes"]) == ["portfolio_id"]
    refused = await send(api, ann, "POST", f"{path}/run")
    assert (refused.status_code, refused.json()["error"]) == (422, "cannot_balance")
    portfolio_id = (await made(api, ann))["id"]
    asked: list[bytes] = []

    async def preview(_user_id: int, body: bytes) -> ErrandAnswer:
        asked.append(body)
        return ErrandAnswer({"verdict": "planned"})

    async def run(_user_id: int, body: bytes) -> ErrandAnswer:
        return ErrandAnswer(refused="the account is locked")

    async with worked(api, **{PREVIEW: preview, RUN: run}):
        tried = {"portfolio_id": portfolio_id}
        shown = await send(api, ann, "POST", f"{path}/preview", tried)
        assert (shown.status_code, shown.json()) == (201, {"verdict": "planned"})
        await send(api, ann, "PUT", path, tried)
        assert (await send(api, ann, "POST", f"{path}/preview")).status_code == 201
        refused = await send(api, ann, "POST", f"{path}/run")
    assert refused.json() == {
        "error": "cannot_balance",
        "error_description": "the account is locked",
    }
    assert [json.loads(body)["portfolio_id"] for body in asked] == [portfolio_id, None]


async def test_reading_is_not_enough_to_change(api: Served, ann: Caller) -> None:
    reader = await api.caller(permissions=("accounts_read",))
    path = await account_of(api, ann)
    for method, target in (
        ("POST", PORTFOLIOS),
        ("PUT", path),
        ("DELETE", path),
        ("POST", f"{path}/run"),
    ):
        answer = await send(api, reader, method, target, HALVES)
        assert answer.status_code == 403, target
