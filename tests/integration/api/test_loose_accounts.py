"""Hand-kept accounts over the wire: what is said counts, and saying it anew is no profit."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

import stored
from coffers.api.account_schema import ACCOUNT_KEYS
from coffers.clock import DAY, MINUTE, Millis
from coffers.store.engine import Store
from coffers.store.records import AssetMapping
from coffers.sync.assets import note_assets
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.syncer import Outcome, Syncer
from coffers.valuation.model import HeldBack, Price
from factories import NOW
from fakes import FakeConnector, FakePast
from served import LIST, Caller, Served, add_account, add_book, serving

LOOSE = "/public/api/ver1/loose_accounts"
CURRENCIES = f"{LOOSE}/available_currencies"
WRITER = ("accounts_read", "accounts_write")
TOKEN = "ethereum:0x00000000000000000000000000000000000c0de1"
SECRETS = [
    "abandon " * 11 + "about",
    "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
    "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn",
]
NOBODY = FakeConnector(lambda *_: pytest.fail("a hand-kept account was asked for outside"))


@pytest.fixture
async def api(store: Store) -> AsyncIterator[Served]:
    await note_assets(store, await add_book(store), NOW)
    async with serving(store) as served:
        yield served


@pytest.fixture
async def ann(api: Served) -> Caller:
    return await api.caller(permissions=WRITER)


async def send(
    api: Served, caller: Caller, method: str, target: str, body: str = "", **headers: str
) -> httpx.Response:
    signed = {**caller.headers(target, body), **headers}
    return await api.http.request(method, target, content=body, headers=signed)


def form(held: dict[str, str], **others: str) -> str:
    pairs = [*others.items()]
    pairs += [("tokens[code][]", code) for code in held]
    pairs += [("tokens[amount][]", amount) for amount in held.values()]
    return urlencode(pairs)


async def create(api: Served, caller: Caller, held: dict[str, str], **others: str) -> Any:
    others = {"name": "Drawer", **others}
    answer = await api.post(caller, LOOSE, form(held, **others))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def change(api: Served, caller: Caller, account_id: int, held: dict[str, str]) -> Any:
    answer = await send(api, caller, "PUT", f"{LOOSE}/{account_id}", form(held))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def shown(api: Served, caller: Caller, account_id: int) -> Any:
    return (await api.get(caller, f"{LIST}/{account_id}")).json()


async def flows(api: Served, caller: Caller, account_id: int) -> list[tuple[str, ...]]:
    target = f"/public/api/v1/accounts/{account_id}/flows"
    found = (await api.get(caller, target)).json()["flows"]
    return [(each["direction"], each["asset"], each["amount"], each["usd_value"]) for each in found]


def syncer(api: Served) -> Syncer:
    services, pace = api.services, Pace(Millis(5 * MINUTE), lambda: 0.5)
    valuer = FlowValuer(services.store, FakePast())
    return Syncer(
        services.store, services.vault, services.catalogue, NOBODY, valuer, services.clock, pace
    )


async def test_an_account_is_made_in_the_published_form(api: Served, ann: Caller) -> None:
    made = await create(api, ann, {"BTC": "0.5", "USDT": "100"})
    assert made == {
        "id": made["id"],
        "name": "Drawer",
        "created_at": "2025-10-09T08:53:20.000Z",
        "updated_at": made["updated_at"],
        "type": "Accounts::LooseAccount",
        "is_deleted": False,
        "is_locked": False,
    }


async def test_one_that_is_sent_again_under_its_key_is_made_once(api: Served, ann: Caller) -> None:
    held, key = form({"BTC": "0.5"}, name="Drawer"), {"Idempotency-Key": "drawer-1"}
    sent = [send(api, ann, "POST", LOOSE, held, **key) for _ in range(6)]
    answers = await asyncio.gather(*sent)
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.json()["id"] for answer in answers}) == 1
    made = answers[0].json()["id"]
    assert [each["id"] for each in (await api.get(ann)).json()] == [made]
    # Changed meanwhile: nothing of that is undone.
    await change(api, ann, made, {"BTC": "2"})
    again = await send(api, ann, "POST", LOOSE, held, **key)
    assert (again.status_code, again.json()["id"]) == (201, made)
    assert (await shown(api, ann, made))["usd_amount"] == "100000.0"
    other = await send(api, ann, "POST", LOOSE, form({"BTC": "0.6"}, name="Drawer"), **key)
    assert (other.status_code, other.json()["error"]) == (422, "idempotency_key_reused")
    bob = await api.caller("bob", permissions=WRITER)
    theirs = await send(api, bob, "POST", LOOSE, held, **key)
    assert theirs.json()["id"] != made
    for wrong in ("", "two words", "x" * 256):
        refused = await send(api, ann, "POST", LOOSE, held, **{"Idempotency-Key": wrong})
        assert list(refused.json()["error_attributes"]) == ["Idempotency-Key"], wrong
    assert len((await api.get(ann)).json()) == 1
    await api.post(ann, f"{LIST}/{made}/remove")
    anew = await send(api, ann, "POST", LOOSE, held, **key)
    assert (anew.status_code, anew.json()["id"] != made) == (201, True)
    without = [await send(api, ann, "POST", LOOSE, held) for _ in range(2)]
    assert len({each.json()["id"] for each in without}) == 2


async def test_it_stands_in_the_list_at_once_with_all_keys(api: Served, ann: Caller) -> None:
    made = await create(api, ann, {"BTC": "0.5", "USDT": "100"})
    answer = await api.get(ann)
    (listed,) = answer.json()
    assert tuple(listed) == ACCOUNT_KEYS
    assert (listed["id"], listed["market_code"], listed["api_key"]) == (made["id"], "manual", "")
    assert (listed["usd_amount"], listed["total_usd_profit"]) == ("25100.0", "0.0")
    assert (listed["trading_supported"], listed["bots_allowed"]) == (False, False)
    assert listed["available_include_in_summary"] is True
    assert answer.headers["x-accounts-incomplete"] == "0"


@pytest.mark.parametrize(
    "body",
    [
        form({"btc": "0.5", "ETH": "2"}, name="Drawer"),
        json.dumps({"name": "Drawer", "tokens": {"code": ["BTC", "ETH"], "amount": ["0.5", 2]}}),
        json.dumps(
            {"name": "Drawer", "tokens[code][]": ["BTC", "ETH"], "tokens[amount][]": [0.5, "2"]}
        ),
        form({"BTC": "0.2", "ETH": "2", "btc": "0.3"}, name="Drawer"),
    ],
)
async def test_every_common_way_to_say_it_is_understood(
    api: Served, ann: Caller, body: str
) -> None:
    made = (await api.post(ann, LOOSE, body)).json()
    assert (await shown(api, ann, made["id"]))["usd_amount"] == "30000.0"


async def test_a_change_of_what_is_held_is_no_profit(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {"BTC": "1", "ETH": "2"}))["id"]
    api.clock.advance(DAY)
    await add_book(api.services.store, api.clock.now(), BTC="60000")
    await change(api, ann, account_id, {"BTC": "1.5", "USDT": "7"})
    seen = await shown(api, ann, account_id)
    assert (seen["usd_amount"], seen["total_usd_profit"]) == ("90007.0", "10000.0")
    assert seen["day_profit_usd"] == "10000.0"
    assert sorted(await flows(api, ann, account_id)) == [
        ("in", "BTC", "0.5", "30000.0"),
        ("in", "USDT", "7.0", "7.0"),
        ("out", "ETH", "2.0", "5000.0"),
    ]


async def test_a_chart_shows_what_was_put_in_with_what_it_is_worth(
    api: Served, ann: Caller
) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    api.clock.advance(MINUTE)
    await change(api, ann, account_id, {"BTC": "3"})
    api.clock.advance(MINUTE)
    chart = f"{LIST}/{account_id}/balance_chart_data?date_from=2025-10-08"
    assert (await api.get(ann, chart)).json()[-1]["usd"] == 150000
    await change(api, ann, account_id, {"BTC": "2"})
    assert (await api.get(ann, chart)).json()[-1]["usd"] == 100000


async def test_a_change_in_the_moment_of_the_opening_is_no_profit(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    await change(api, ann, account_id, {"BTC": "3"})
    await change(api, ann, account_id, {"BTC": "2"})
    seen = await shown(api, ann, account_id)
    assert (seen["usd_amount"], seen["total_usd_profit"]) == ("100000.0", "0.0")
    assert len(await flows(api, ann, account_id)) == 2


async def test_the_worker_takes_snapshots_and_asks_nobody(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    api.clock.advance(DAY)
    await add_book(api.services.store, api.clock.now(), BTC="60000")
    async with api.services.store.reading() as tx:
        (due,) = await tx.accounts.due(api.clock.now(), 10)
        assert due[:2] == (ann.user.id, account_id)
    assert (await syncer(api).sync(ann.user.id, account_id)).outcome is Outcome.COMPLETE
    async with api.services.store.reading() as tx:
        moments = [NOW, api.clock.now()]
        past = await tx.history.at_moments(ann.user.id, [account_id], moments)
        account = await tx.accounts.get(ann.user.id, account_id)
    assert [each.value.usd for each in past[account_id].snapshots] == [50000, 60000]
    assert account is not None
    assert (account.sync.read_at, account.sync.failures) == (api.clock.now(), 0)
    assert account.sync.next_sync_at == api.clock.now() + 5 * MINUTE
    api.clock.advance(30 * DAY)
    assert (await syncer(api).sync(ann.user.id, account_id)).outcome is Outcome.COMPLETE


async def test_an_account_without_prices_opens_as_soon_as_there_are_some(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.assets.meet(["BTC"], NOW)
    async with serving(store) as api:
        ann = await api.caller(permissions=WRITER)
        account_id = (await create(api, ann, {"BTC": "1"}))["id"]
        assert (await shown(api, ann, account_id))["usd_amount"] is None
        api.clock.advance(MINUTE)
        await add_book(store, api.clock.now())
        await syncer(api).sync(ann.user.id, account_id)
        seen = await shown(api, ann, account_id)
        assert (seen["usd_amount"], seen["total_usd_profit"]) == ("50000.0", "0.0")


async def test_a_reading_that_a_change_overtook_writes_nothing(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    reader = syncer(api)
    known = await reader._take(ann.user.id, account_id, "worker")
    assert not isinstance(known, Outcome)
    api.clock.advance(MINUTE)
    await change(api, ann, account_id, {"BTC": "5"})
    before = await shown(api, ann, account_id)
    api.clock.advance(MINUTE)
    await reader._read(known, "worker")
    assert await shown(api, ann, account_id) == before
    async with api.services.store.reading() as tx:
        (due,) = await tx.accounts.due(api.clock.now(), 10)
        assert due[:2] == (ann.user.id, account_id)


async def test_what_leaves_an_exchange_for_the_drawer_is_an_own_transfer(
    api: Served, ann: Caller
) -> None:
    store = api.services.store
    account_id = (await create(api, ann, {"ETH": "1"}))["id"]
    exchange = await add_account(store, ann.user, held={"BTC": "1"})
    left = stored.flow("w1", NOW + MINUTE, direction="out", amount=Decimal("0.5"))
    async with store.transaction() as tx:
        await tx.history.add_flows(ann.user.id, exchange.id, [left])
    api.clock.advance(2 * MINUTE)
    await change(api, ann, account_id, {"ETH": "1", "BTC": "0.5"})
    async with store.reading() as tx:
        (transfer,) = await tx.transfers.of_user(ann.user.id)
    assert (transfer.out_account_id, transfer.in_account_id) == (exchange.id, account_id)


async def test_changes_at_once_come_one_after_the_other(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    said = [{"BTC": str(amount)} for amount in range(2, 8)]
    await asyncio.gather(*(change(api, ann, account_id, each) for each in said))
    seen = await shown(api, ann, account_id)
    assert seen["total_usd_profit"] == "0.0"
    moved = await flows(api, ann, account_id)
    signed = [Decimal(each[2]) * (1 if each[0] == "in" else -1) for each in moved]
    assert Decimal(seen["btc_amount"]) == 1 + sum(signed)


async def test_name_and_summary_change_only_where_they_are_said(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    body = form({"BTC": "1"}, name="Safe", include_in_summary="false")
    answer = await send(api, ann, "PUT", f"{LOOSE}/{account_id}", body)
    assert answer.json()["name"] == "Safe"
    assert (await shown(api, ann, account_id))["include_in_summary"] is False
    await change(api, ann, account_id, {"BTC": "1"})
    seen = await shown(api, ann, account_id)
    assert (seen["name"], seen["include_in_summary"]) == ("Safe", False)
    assert (await api.get(ann, f"{LIST}/summary")).json()["usd_amount"] == "0.0"


async def test_everything_can_be_taken_out(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    body = json.dumps({"tokens": {"code": [], "amount": []}})
    assert (await send(api, ann, "PUT", f"{LOOSE}/{account_id}", body)).status_code == 200
    seen = await shown(api, ann, account_id)
    assert (seen["usd_amount"], seen["total_usd_profit"]) == ("0.0", "0.0")


async def test_a_token_need_not_have_been_met(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {TOKEN.upper().replace("ETHEREUM", "ethereum"): "3"}))[
        "id"
    ]
    async with api.services.store.reading() as tx:
        (held,) = await tx.holdings.of_account(ann.user.id, account_id)
        assert TOKEN in await tx.assets.of([TOKEN])
    assert (held.asset, held.free) == (TOKEN, 3)
    answer = await api.get(ann)
    assert "unpriced" in answer.headers["x-accounts-incomplete-why"]


async def test_a_token_by_its_contract_is_the_asset_that_it_is(api: Served, ann: Caller) -> None:
    usdt = "ethereum:0xdAC17F958D2ee523a2206206994597C13D831ec7"
    account_id = (await create(api, ann, {usdt: "3", "USDT": "4"}))["id"]
    assert (await shown(api, ann, account_id))["usd_amount"] == "7.0"


async def test_a_token_of_a_chain_of_the_operators_need_not_have_been_met(
    sqlite_store: Store, tmp_path: Path
) -> None:
    chains = tmp_path / "chains.toml"
    chains.write_text('[my_chain]\nchain_id = 4242\nname = "My Chain"\nasset = "MYC"\n')
    async with serving(sqlite_store, chains_file=chains) as api:
        ann = await api.caller(permissions=WRITER)
        own = TOKEN.replace("ethereum", "my_chain")
        account_id = (await create(api, ann, {own: "3"}))["id"]
        async with sqlite_store.reading() as tx:
            (held,) = await tx.holdings.of_account(ann.user.id, account_id)
    assert held.asset == own


async def test_a_known_asset_without_a_price_counts_in_no_total(api: Served, ann: Caller) -> None:
    async with api.services.store.transaction() as tx:
        await tx.choices.map(ann.user.id, AssetMapping("binance", "ODD1", "ODD"), NOW)
    account_id = (await create(api, ann, {"ODD": "3", "BTC": "1"}))["id"]
    assert (await shown(api, ann, account_id))["usd_amount"] == "50000.0"


@pytest.mark.parametrize(
    ("said", "field", "reason"),
    [
        ("name=Drawer", "tokens[code][]", "is missing"),
        ("name=Drawer&tokens[code][]=BTC", "tokens[amount][]", "is missing"),
        ("tokens[code][]=BTC&tokens[amount][]=1", "name", "is missing"),
        ("name=D&tokens[code][]=BTC&tokens[amount][]=1", "name", "is too short"),
        (form({"BTC": "0"}, name="Drawer"), "tokens[amount][]", "of 'BTC' must be more than zero"),
        (form({"BTC": "-1"}, name="Drawer"), "tokens[amount][]", "must be more than zero"),
        (form({"BTC": "x"}, name="Drawer"), "tokens[amount][]", "of 'BTC' is invalid"),
        (form({"BTC": "NaN"}, name="Drawer"), "tokens[amount][]", "of 'BTC' is invalid"),
        (form({"BTC": "\u0661\u0662"}, name="Drawer"), "tokens[amount][]", "of 'BTC' is invalid"),
        (form({"BTC": "\uff11"}, name="Drawer"), "tokens[amount][]", "of 'BTC' is invalid"),
        (form({"BTC": "1_000"}, name="Drawer"), "tokens[amount][]", "of 'BTC' is invalid"),
        (form({"BTC": "1e30"}, name="Drawer"), "tokens[amount][]", "is too large"),
        (form({"BTC": "1e-31"}, name="Drawer"), "tokens[amount][]", "more than 30 decimal places"),
        (form({"BTX": "1"}, name="Drawer"), "tokens[code][]", "did you mean BTC?"),
        (form({"": "1"}, name="Drawer"), "tokens[code][]", "an asset is not named"),
        (form({"BTC": ""}, name="Drawer"), "tokens[amount][]", "of 'BTC' is missing"),
        (form({"B\0TC": "1"}, name="Drawer"), "tokens[code][]", "is invalid"),
        (form({"coingecko:bitcoin": "1"}, name="Drawer"), "tokens[code][]", "is no known asset"),
        (form({"ethereum:0xgggg": "1"}, name="Drawer"), "tokens[code][]", "is no known asset"),
        (form({"solana:zzz": "1"}, name="Drawer"), "tokens[code][]", "is no known asset"),
        (form({"bitcoin:BTC": "1"}, name="Drawer"), "tokens[code][]", "is no known asset"),
        (form({f"C{n}": "1" for n in range(301)}, name="Dr"), "tokens[code][]", "more than 300"),
        (
            "name=Drawer&tokens[code][]=BTC&tokens[code][]=ETH&tokens[amount][]=1",
            "tokens[amount][]",
            "has 1 values for 2 assets",
        ),
        (
            form({"BTC": "1"}, name="Drawer", include_in_summary="maybe"),
            "include_in_summary",
            "is invalid",
        ),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(
    api: Served, ann: Caller, said: str, field: str, reason: str
) -> None:
    answer = await api.post(ann, LOOSE, said)
    assert (answer.status_code, answer.json()["error"]) == (400, "record_invalid")
    assert reason in answer.json()["error_attributes"][field][0]
    assert (await api.get(ann)).json() == []


@pytest.mark.parametrize("secret", SECRETS)
async def test_a_secret_is_neither_taken_nor_repeated(
    api: Served, ann: Caller, secret: str
) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    for body, field in (
        (form({"BTC": "1"}, name=secret), "name"),
        (form({secret: "1"}, name="Drawer"), "tokens[code][]"),
        (form({f"ethereum:{secret}": "1"}, name="Drawer"), "tokens[code][]"),
        (form({secret: "x"}, name="Drawer"), "tokens[amount][]"),
    ):
        answer = await send(api, ann, "PUT", f"{LOOSE}/{account_id}", body)
        assert answer.status_code == 400, answer.text
        assert field in answer.json()["error_attributes"]
        assert secret not in answer.text
    async with api.services.store.reading() as tx:
        assert all(secret not in f"{event}" for event in await tx.audit.of_user(ann.user.id))


async def test_a_refused_change_leaves_all_as_it_was(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    before = await shown(api, ann, account_id)
    body = form({"BTC": "2", "NEVER": "1"}, name="Other")
    assert (await send(api, ann, "PUT", f"{LOOSE}/{account_id}", body)).status_code == 400
    assert await shown(api, ann, account_id) == before
    assert await flows(api, ann, account_id) == []


async def test_only_hand_kept_accounts_of_the_caller_can_be_changed(
    api: Served, ann: Caller
) -> None:
    bob = await api.caller("bob", permissions=WRITER)
    mine = (await create(api, ann, {"BTC": "1"}))["id"]
    exchange = await add_account(api.services.store, bob.user)
    for account_id in (mine, exchange.id, 4_000_000_000):
        answer = await send(api, bob, "PUT", f"{LOOSE}/{account_id}", form({"BTC": "9"}))
        assert answer.status_code == 404


async def test_changes_need_the_permission_to_change(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    looker = await api.caller()
    for method, target in (("POST", LOOSE), ("PUT", f"{LOOSE}/{account_id}")):
        answer = await send(api, looker, method, target, form({"BTC": "9"}, name="Drawer"))
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")


async def test_every_change_stands_in_the_trail(api: Served, ann: Caller) -> None:
    account_id = (await create(api, ann, {"BTC": "1"}))["id"]
    await change(api, ann, account_id, {"BTC": "2"})
    async with api.services.store.reading() as tx:
        events = await tx.audit.of_user(ann.user.id)
    told = [(each.kind, each.subject) for each in events if each.subject == str(account_id)]
    assert ("account_connected", str(account_id)) in told
    assert ("holdings_changed", str(account_id)) in told


async def test_it_is_a_real_account_whatever_the_mode(api: Served, ann: Caller) -> None:
    body = form({"BTC": "1"}, name="Drawer")
    await api.post(ann, LOOSE, body, {"Forced-Mode": "paper"})
    assert len((await api.get(ann)).json()) == 1
    assert (await api.get(ann, headers={"Forced-Mode": "paper"})).json() == []


async def test_currencies_with_a_price_come_by_code(api: Served, ann: Caller) -> None:
    told = (await api.get(ann, CURRENCIES)).json()
    assert told == [
        {"code": "BTC", "name": "Bitcoin"},
        {"code": "ETH", "name": "Ethereum"},
        {"code": "USDT", "name": "Tether"},
    ]
    assert (await api.get(ann, f"{CURRENCIES}?limit=1&offset=1")).json() == told[1:2]
    for text in ("bitc", "btc"):
        assert (await api.get(ann, f"{CURRENCIES}?contains={text}")).json() == told[:1]
    assert (await api.get(ann, f"{CURRENCIES}?contains=nothing")).json() == []


async def test_what_is_held_back_or_no_asset_is_no_currency(api: Served, ann: Caller) -> None:
    worth = Price(Decimal(1), Decimal(2), (), ("test",), NOW)
    odd = HeldBack(worth, worth, Millis(NOW + MINUTE))
    async with api.services.store.transaction() as tx:
        await tx.prices.save_book({"ABC": worth, "coingecko:abc": worth}, NOW, {"ODD": odd})
    assert (await api.get(ann, CURRENCIES)).json() == [{"code": "ABC", "name": None}]


async def test_what_one_venue_alone_means_by_a_symbol_is_no_currency(
    api: Served, ann: Caller
) -> None:
    worth = Price(Decimal(1), Decimal(2), ("NEIRO@gate/USDT", "USDT/USD"), ("gate",), NOW)
    async with api.services.store.transaction() as tx:
        await tx.prices.save_book({"NEIRO": worth, "NEIRO@gate": worth}, NOW)
    assert (await api.get(ann, CURRENCIES)).json() == [{"code": "NEIRO", "name": None}]
    refused = await api.post(ann, LOOSE, form({"NEIRO@gate": "1"}, name="Safe"))
    assert refused.status_code == 400
    (told,) = refused.json()["error_attributes"].values()
    assert told == ["'NEIRO@gate' is no known asset; did you mean NEIRO?"]


@pytest.mark.parametrize("asked", ["limit=0", "limit=501", "limit=x", "offset=-1", "offset=1.5"])
async def test_odd_pages_of_currencies_are_refused(api: Served, ann: Caller, asked: str) -> None:
    answer = await api.get(ann, f"{CURRENCIES}?{asked}")
    assert list(answer.json()["error_attributes"]) == [asked.partition("=")[0]]
