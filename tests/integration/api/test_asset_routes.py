"""Assets over the wire: names, where they are held, why they count, what a user says of them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from coffers.clock import MINUTE, Millis
from coffers.store.engine import Store
from coffers.store.records import Asset, AssetMapping
from coffers.sync.assets import note_assets
from coffers.valuation.model import HeldBack, Meanings, Position, Price, PriceBook
from factories import NOW
from served import LIST, Caller, Served, add_account, serving

ASSETS = "/public/api/v1/assets"
MAPPINGS = "/public/api/v1/asset_mappings"
PRICES = "/public/api/v1/prices"
PAPER = "/public/api/v1/paper_accounts"
CURRENCIES = "/public/api/ver1/loose_accounts/available_currencies"
WRITER = ("accounts_read", "accounts_write")
TOKEN = "ethereum:0xdac17f958d2ee523a2206206994597c13d831ec7"

BITCOIN = Price(Decimal(1), Decimal(100_000), ("BTC/USD",), ("kraken",), NOW)
OTHER = Price(Decimal("0.00002"), Decimal(2), ("ABC/USD",), ("kraken",), NOW)
TOLD = replace(OTHER, usd=Decimal(7), btc=Decimal("0.00007"), route=("coingecko:abc-2~USD",))
ODD = HeldBack(replace(OTHER, usd=Decimal(40), btc=Decimal("0.0004")), OTHER, Millis(NOW + MINUTE))


async def book(store: Store, **more: Price) -> PriceBook:
    prices = {"BTC": BITCOIN, "ABC": OTHER, "coingecko:abc-2": TOLD, **more}
    async with store.transaction() as tx:
        return await tx.prices.save_book(prices, NOW, {"LEAPT": ODD})


@pytest.fixture
async def api(store: Store) -> AsyncIterator[Served]:
    await note_assets(store, await book(store), NOW)
    async with serving(store) as served:
        yield served


async def send(
    api: Served, caller: Caller, method: str, target: str, body: str = ""
) -> httpx.Response:
    return await api.http.request(
        method, target, content=body, headers=caller.headers(target, body)
    )


async def usd(api: Served, caller: Caller) -> Any:
    return (await api.get(caller, LIST)).json()[0]["usd_amount"]


async def all_listed(api: Served, caller: Caller) -> dict[str, str | None]:
    """Return when each asset that is listed was met first, page by page."""
    seen: dict[str, str | None] = {}
    cursor: str | None = ""
    while cursor is not None:
        page = (await api.get(caller, f"{ASSETS}?limit=100&cursor={quote(cursor)}")).json()
        seen |= {each["asset"]: each["first_seen_at"] for each in page["assets"]}
        cursor = page["next_cursor"]
    return seen


async def test_an_asset_is_told_with_its_names_and_where_it_is_held(api: Served) -> None:
    caller = await api.caller()
    account = await add_account(api.services.store, caller.user, held={"BTC": "0.5"})
    told = (await api.get(caller, f"{ASSETS}/btc")).json()
    price = told.pop("price")
    assert told == {
        "asset": "BTC",
        "symbol": "BTC",
        "name": "Bitcoin",
        "kind": "crypto",
        "coingecko_id": "bitcoin",
        "chain": None,
        "contract": None,
        "first_seen_at": "2025-10-09T08:53:20.000Z",
        "state": "priced",
        "why": "Connected exchanges trade it.",
        "held": [
            {
                "account_id": account.id,
                "market_code": "binance",
                "wallet": "spot",
                "venue_code": "BTC",
                "amount": "0.5",
            }
        ],
        "override": None,
    }
    assert price["usd"] == "100000.0"


async def test_an_unknown_asset_is_kept_and_shown_unpriced(api: Served) -> None:
    caller = await api.caller()
    await add_account(api.services.store, caller.user, held={"ODD": "3"})
    told = (await api.get(caller, f"{ASSETS}/ODD")).json()
    assert (told["state"], told["name"], told["price"]["usd"]) == ("unpriced", None, None)
    assert told["why"].startswith("No connected exchange trades it")
    assert (await api.get(caller, f"{ASSETS}/NEVER")).status_code == 404


async def test_what_one_venue_means_by_a_symbol_is_told_with_what_to_do(api: Served) -> None:
    caller = await api.caller()
    await add_account(api.services.store, caller.user, held={"NEIRO@gate": "3"})
    told = (await api.get(caller, f"{ASSETS}/{quote('NEIRO@gate')}")).json()
    means = "What gate trades as NEIRO has another price there than NEIRO has elsewhere"
    assert told["state"] == "unpriced"
    assert told["why"].startswith(means)
    assert told["why"].endswith("Its market there is too small, or away, to tell a price.")

    async with api.services.store.transaction() as tx:
        in_doubt = Meanings({"gate": {"NEIRO": None}}, {"gate": {"NEIRO": NOW}})
        await tx.prices.save_book({"BTC": BITCOIN}, NOW, meanings=in_doubt)
    told = (await api.get(caller, f"{ASSETS}/{quote('NEIRO@gate')}")).json()
    assert "so it may be an asset of its own" in told["why"]
    assert told["why"].endswith("It has no price until that is sure.")

    there = Price(
        Decimal("0.0000002"), Decimal("0.02"), ("NEIRO@gate/USDT", "USDT/USD"), ("gate",), NOW
    )
    async with api.services.store.transaction() as tx:
        await tx.prices.save_book(
            {"NEIRO@gate": there}, NOW, meanings=Meanings({"gate": {"NEIRO": None}})
        )
    told = (await api.get(caller, f"{ASSETS}/{quote('NEIRO@gate')}")).json()
    assert (told["state"], told["price"]["usd"]) == ("priced", "0.02")
    assert told["why"].startswith(means)
    assert told["why"].endswith("It counts at what is paid there.")
    small = quote("neiro@gate")
    assert (await api.get(caller, f"{ASSETS}/{small}")).json()["asset"] == "NEIRO@gate"
    assert (await api.get(caller, f"{PRICES}/{small}")).json()["asset"] == "NEIRO@gate"


async def test_assets_come_in_pages_by_code(api: Served) -> None:
    caller = await api.caller()
    seen = list(await all_listed(api, caller))
    assert {"BTC", "EUR", "ABC", "LEAPT", "USDT"} <= set(seen)
    assert seen == sorted(set(seen))
    assert "coingecko:abc-2" not in seen


async def test_what_others_have_or_say_is_told_to_nobody_else(api: Served) -> None:
    store = api.services.store
    ann, bob = await api.caller(permissions=WRITER), await api.caller("bob", WRITER)
    await add_account(store, bob.user, held={"SECRETCOIN": "3", TOKEN: "5", "ZEC": "1"})
    await add_account(store, bob.user, "Paper", mode="paper", held={"TRIED": "1"})
    target = f"{MAPPINGS}?market_code=binance&venue_code=XYZ&asset=PrivateWord"
    assert (await send(api, bob, "PUT", target)).status_code == 200
    known = await book(
        store,
        SECRETCOIN=replace(TOLD, route=("SECRETCOIN~USD",)),
        **{TOKEN: replace(TOLD, route=(f"{TOKEN}~USD",))},
    )
    leapt = replace(ODD, price=replace(ODD.price, route=("TRIED~USD",)))
    async with store.transaction() as tx:
        await tx.assets.meet(["SECRETCOIN", TOKEN, "ZEC", "TRIED"], NOW)
        await tx.prices.save_book(known.prices, NOW, {**known.held_back, "TRIED": leapt})
    its = {"SECRETCOIN", TOKEN, "TRIED", "PrivateWord"}
    listed = await all_listed(api, ann)
    assert its.isdisjoint(listed)
    # That bob was the first to have it is as much his own.
    assert (listed["ZEC"], listed["ABC"] is None) == (None, False)
    for path in (f"{ASSETS}/SECRETCOIN", f"{ASSETS}/PrivateWord", f"{PRICES}/{quote(TOKEN)}"):
        assert (await api.get(ann, path)).status_code == 404
    [none] = (await api.get(ann, f"{PRICES}?assets=secretcoin")).json()
    assert (none["asset"], none["usd"], none["held_back"]) == ("secretcoin", None, None)
    assert (await api.post(ann, f"{PRICES}/TRIED/accept", "usd=40")).status_code == 400
    assert its.isdisjoint(each["code"] for each in (await api.get(ann, CURRENCIES)).json())
    for code in ("SECRETCOI", "SECRETCOIN"):
        answer = await api.post(ann, PAPER, f"name=Paper&balances[{code}]=1")
        assert f"{code!r} is no known asset" in answer.text
        assert "mean SECRETCOIN" not in answer.text

    listed = await all_listed(api, bob)
    assert its <= listed.keys()
    # Others may have met it before.
    assert listed["ZEC"] is None
    assert (await api.get(bob, f"{PRICES}/secretcoin")).json()["usd"] == "7.0"
    assert (await api.post(bob, f"{PRICES}/TRIED/accept", "usd=40")).status_code == 201
    sold = {each["code"] for each in (await api.get(bob, CURRENCIES)).json()}
    assert its & sold == {"SECRETCOIN", TOKEN, "TRIED"}
    answer = await api.post(bob, PAPER, "name=Paper&balances[SECRETCOI]=1")
    assert "did you mean SECRETCOIN?" in answer.text


async def test_assets_are_found_by_a_part_of_their_code_or_name(api: Served) -> None:
    caller = await api.caller()
    page = (await api.get(caller, f"{ASSETS}?q=bitcoin")).json()
    assert [each["asset"] for each in page["assets"]] == ["BCH", "BSV", "BTC", "BTG", "WBTC"]
    assert (await api.get(caller, f"{ASSETS}?q=%25")).json()["assets"] == []


async def test_only_what_is_held(api: Served) -> None:
    caller, other = await api.caller(), await api.caller("bob")
    store = api.services.store
    await add_account(store, caller.user, held={"BTC": "1", "ODD": "2", TOKEN: "3"})
    await add_account(store, other.user, held={"ETH": "1"})
    async with store.transaction() as tx:
        await tx.assets.meet([TOKEN], NOW)
    first = (await api.get(caller, f"{ASSETS}?only=held&limit=2")).json()
    assert [each["asset"] for each in first["assets"]] == ["BTC", "ODD"]
    rest = (await api.get(caller, f"{ASSETS}?only=held&cursor={first['next_cursor']}")).json()
    assert rest["next_cursor"] is None
    (token,) = rest["assets"]
    assert (token["chain"], token["kind"]) == ("ethereum", "token")
    assert token["contract"] == TOKEN.partition(":")[2]
    found = (await api.get(caller, f"{ASSETS}?only=held&q=bit")).json()["assets"]
    assert [each["asset"] for each in found] == ["BTC"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("only=all", "only"), ("limit=0", "limit"), ("limit=x", "limit"), ("q=%00", "q")],
)
async def test_a_page_that_cannot_be_meant(sqlite_store: Store, query: str, field: str) -> None:
    async with serving(sqlite_store) as api:
        answer = await api.get(await api.caller(), f"{ASSETS}?{query}")
    assert (answer.status_code, list(answer.json()["error_attributes"])) == (400, [field])


async def test_what_is_ignored_counts_for_nothing_at_once_and_again_without_it(
    api: Served,
) -> None:
    caller = await api.caller(permissions=WRITER)
    await add_account(api.services.store, caller.user, held={"BTC": "1", "ABC": "100", "ODD": "1"})
    assert await usd(api, caller) == "100200.0"
    for asset in ("ABC", "ODD"):
        answer = await send(api, caller, "PUT", f"{ASSETS}/{asset}/override", '{"ignored":true}')
        assert (answer.status_code, answer.json()["state"]) == (200, "ignored")
    listed = await api.get(caller, LIST)
    assert listed.json()[0]["usd_amount"] == "100000.0"
    assert listed.headers["x-assets-ignored"] == "2"
    assert listed.headers["x-accounts-incomplete"] == "0"
    table = await api.post(caller, f"{LIST}/{listed.json()[0]['id']}/account_table_data")
    assert [row["currency_code"] for row in table.json()] == ["BTC"]
    for asset in ("ABC", "ODD"):
        await send(api, caller, "DELETE", f"{ASSETS}/{asset}/override")
    again = await api.get(caller, LIST)
    assert again.json()[0]["usd_amount"] == "100200.0"
    assert "x-assets-ignored" not in again.headers


async def test_what_is_said_is_said_for_one_user_alone(api: Served) -> None:
    caller, other = await api.caller(permissions=WRITER), await api.caller("bob")
    for each in (caller, other):
        await add_account(api.services.store, each.user, held={"ABC": "1"})
    await send(api, caller, "PUT", f"{ASSETS}/ABC/override?ignored=true")
    assert (await usd(api, caller), await usd(api, other)) == ("0.0", "2.0")


async def test_a_symbol_that_is_no_name_of_the_asset_gives_no_price(api: Served) -> None:
    caller = await api.caller(permissions=WRITER)
    await add_account(api.services.store, caller.user, held={"BTC": "1", "ABC": "100"})
    told = await send(api, caller, "PUT", f"{ASSETS}/ABC/override", '{"by_symbol":false}')
    assert (told.json()["state"], told.json()["price"]["usd"]) == ("unpriced", None)
    assert "no name of it" in told.json()["why"]
    listed = await api.get(caller, LIST)
    assert listed.json()[0]["usd_amount"] == "100000.0"
    assert "unpriced=1" in listed.headers["x-accounts-incomplete-why"]
    assert (await api.get(caller, f"{PRICES}/ABC")).status_code == 404


async def test_an_id_tells_the_price_where_the_symbol_must_not(api: Served) -> None:
    caller = await api.caller(permissions=WRITER)
    await add_account(api.services.store, caller.user, held={"ABC": "100"})
    body = '{"by_symbol":false,"coingecko_id":"abc-2","name":"Another coin","symbol":"ABC2"}'
    told = (await send(api, caller, "PUT", f"{ASSETS}/ABC/override", body)).json()
    assert (told["name"], told["symbol"], told["state"]) == ("Another coin", "ABC2", "priced")
    assert told["why"] == "It is priced as coingecko:abc-2, as you said."
    assert told["override"] == {
        "name": "Another coin",
        "symbol": "ABC2",
        "coingecko_id": "abc-2",
        "contract": None,
        "ignored": False,
        "by_symbol": False,
    }
    listed = (await api.get(caller, LIST)).json()[0]
    assert listed["usd_amount"] == "700.0"
    row = (await api.post(caller, f"{LIST}/{listed['id']}/account_table_data")).json()[0]
    assert (row["currency_code"], row["currency_name"]) == ("ABC", "Another coin")
    assert row["current_price_usd"] == 7.0
    found = (await api.get(caller, f"{ASSETS}?q=another")).json()["assets"]
    assert [each["asset"] for each in found] == ["ABC"]


async def test_a_contract_tells_what_other_sources_are_asked_for(api: Served) -> None:
    caller = await api.caller(permissions=WRITER)
    await add_account(api.services.store, caller.user, held={"ODD": "1"})
    body = '{"contract":"ethereum:0xDAC17F958D2ee523a2206206994597C13D831ec7"}'
    told = (await send(api, caller, "PUT", f"{ASSETS}/ODD/override", body)).json()
    assert told["override"]["contract"] == TOKEN
    assert TOKEN in told["why"]
    async with api.services.store.reading() as tx:
        assert TOKEN in await tx.prices.assets_held()


async def test_a_token_that_is_merely_said_something_of_is_one_of_its_chain(api: Served) -> None:
    caller = await api.caller(permissions=WRITER)
    target = f"{MAPPINGS}?market_code=binance&venue_code=XYZ&asset={quote('bsc:0xabc')}"
    assert (await send(api, caller, "PUT", target)).is_success
    told = (await api.get(caller, f"{ASSETS}/{quote('bsc:0xabc')}")).json()
    assert (told["kind"], told["chain"], told["contract"]) == ("token", "bsc", "0xabc")


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ("{}", "override", "says nothing"),
        ('{"ignored":"yes"}', "ignored", "is invalid"),
        ('{"by_symbol":1}', "by_symbol", "is invalid"),
        ('{"coingecko_id":"no id"}', "coingecko_id", "is invalid"),
        ('{"contract":"0xdac"}', "contract", "must be a chain and an address"),
        ('{"contract":"coingecko:abc"}', "contract", "must be a chain and an address"),
        ('{"contract":"ethereum:0x12"}', "contract", "is no address that a token of ethereum"),
        ('{"contract":"bitcoin:abc"}', "contract", "is no address that a token of bitcoin"),
        ('{"contract":"bsc:0xabc","coingecko_id":"abc"}', "contract", "together"),
        ('{"name":" spaced "}', "name", "is invalid"),
        ('{"symbol":"' + "A" * 31 + '"}', "symbol", "is too long (maximum is 30 characters)"),
    ],
)
async def test_an_override_that_cannot_be(
    sqlite_store: Store, body: str, field: str, said: str
) -> None:
    await book(sqlite_store)
    async with serving(sqlite_store) as api:
        caller = await api.caller(permissions=WRITER)
        answer = await send(api, caller, "PUT", f"{ASSETS}/ABC/override", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "record_invalid")
    assert said in answer.json()["error_attributes"][field][0]


async def test_a_code_of_an_exchange_can_mean_another_asset(api: Served) -> None:
    caller = await api.caller(permissions=WRITER)
    store = api.services.store
    mapped = await add_account(store, caller.user, held={"ABC": "100"})
    await add_account(store, caller.user, "Other", held={"ABC": "1"}, market_code="kraken")
    body = '{"market_code":"binance","venue_code":"ABC","asset":"XYZ"}'
    assert (await send(api, caller, "PUT", MAPPINGS, body)).json() == {
        "market_code": "binance",
        "venue_code": "ABC",
        "asset": "XYZ",
    }
    amounts = [row["usd_amount"] for row in (await api.get(caller, LIST)).json()]
    assert amounts == [None, "2.0"]
    held = (await api.get(caller, f"{ASSETS}/XYZ")).json()["held"]
    assert [(each["account_id"], each["venue_code"]) for each in held] == [(mapped.id, "ABC")]
    async with store.reading() as tx:
        assert "XYZ" in await tx.prices.assets_held()
    assert (await api.get(caller, MAPPINGS)).json() == [
        {"market_code": "binance", "venue_code": "ABC", "asset": "XYZ"}
    ]
    target = f"{MAPPINGS}?market_code=binance&venue_code=ABC"
    assert (await send(api, caller, "DELETE", target)).json() is True
    assert await usd(api, caller) == "200.0"
    assert (await send(api, caller, "DELETE", target)).status_code == 404


@pytest.mark.parametrize(
    ("written", "meant"), [("btc", "BTC"), ("abc", "ABC"), ("Xyz", "Xyz"), ("coingecko:btc",) * 2]
)
async def test_the_asset_that_a_code_means_may_be_written_in_small_letters(
    api: Served, written: str, meant: str
) -> None:
    caller = await api.caller(permissions=WRITER)
    body = f'{{"market_code":"binance","venue_code":"XBT","asset":"{written}"}}'
    assert (await send(api, caller, "PUT", MAPPINGS, body)).json()["asset"] == meant
    assert [each["asset"] for each in (await api.get(caller, MAPPINGS)).json()] == [meant]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"venue_code":"ABC","asset":"XYZ"}', "market_code"),
        ('{"market_code":"nowhere","venue_code":"ABC","asset":"XYZ"}', "market_code"),
        ('{"market_code":"manual","venue_code":"ABC","asset":"XYZ"}', "market_code"),
        ('{"market_code":"paper_trading","venue_code":"ABC","asset":"XYZ"}', "market_code"),
        ('{"market_code":"binance","venue_code":"","asset":"XYZ"}', "venue_code"),
        ('{"market_code":"binance","venue_code":"ABC","asset":"X\\u0000"}', "asset"),
    ],
)
async def test_a_mapping_that_cannot_be(sqlite_store: Store, body: str, field: str) -> None:
    async with serving(sqlite_store) as api:
        answer = await send(api, await api.caller(permissions=WRITER), "PUT", MAPPINGS, body)
    assert (answer.status_code, list(answer.json()["error_attributes"])) == (400, [field])


SLASHED = "osmosis:factory/osmo1pfyxruwvtwk00y8z06dh2lqjdj82ldvy74wzm3/override"


@pytest.mark.parametrize("safe", ["/", ""])
async def test_an_asset_with_slashes_in_its_code(api: Served, safe: str) -> None:
    caller = await api.caller(permissions=WRITER)
    async with api.services.store.transaction() as tx:
        await tx.prices.save_book({"BTC": BITCOIN}, Millis(NOW + 1), {SLASHED: ODD})
    account = await add_account(api.services.store, caller.user, held={SLASHED: "7"})
    code = quote(SLASHED, safe=safe)

    told = (await api.get(caller, f"{ASSETS}/{code}")).json()
    assert told["asset"] == SLASHED
    assert [each["account_id"] for each in told["held"]] == [account.id]

    override = f"{ASSETS}/{code}/override"
    said = await send(api, caller, "PUT", override, '{"symbol":"FOO"}')
    assert (said.status_code, said.json()["asset"], said.json()["symbol"]) == (200, SLASHED, "FOO")
    assert (await send(api, caller, "DELETE", override)).json()["override"] is None

    assert (await api.get(caller, f"{PRICES}/{code}")).json()["held_back"]["usd"] == "40.0"
    accepted = await api.post(caller, f"{PRICES}/{code}/accept", '{"usd":"41"}')
    assert (accepted.status_code, accepted.json()["asset"]) == (201, SLASHED)
    assert (await api.get(caller, f"{PRICES}/{code}")).json()["usd"] == "40.0"


async def test_an_asset_has_a_code(api: Served) -> None:
    caller = await api.caller(permissions=WRITER)
    for path in (f"{ASSETS}/", f"{PRICES}/", f"{ASSETS}//"):
        assert (await api.get(caller, path)).status_code == 404


async def test_a_price_that_is_held_back_is_accepted_by_one_user_alone(api: Served) -> None:
    caller, other = await api.caller(permissions=WRITER), await api.caller("bob")
    for each in (caller, other):
        await add_account(api.services.store, each.user, held={"BTC": "1", "LEAPT": "10"})
    told = (await api.get(caller, f"{ASSETS}/LEAPT")).json()
    assert told["state"] == "held_back"
    assert "leapt from 2.0 to 40.0 USD" in told["why"]
    accepted = await api.post(caller, f"{PRICES}/leapt/accept", '{"usd":"41"}')
    assert accepted.status_code == 201
    assert (accepted.json()["usd"], accepted.json()["held_back"]) == ("40.0", None)
    assert (await usd(api, caller), await usd(api, other)) == ("100400.0", "100000.0")
    assert (await api.get(caller, f"{ASSETS}/LEAPT")).json()["state"] == "priced"
    assert (await api.get(other, f"{PRICES}/LEAPT")).json()["usd"] is None
    async with api.services.store.reading() as tx:
        event = (await tx.audit.of_user(caller.user.id))[0]
    assert (event.kind, event.subject) == ("price_accepted", "LEAPT")


@pytest.mark.parametrize(
    ("asset", "body", "field"),
    [
        ("LEAPT", "", "usd"),
        ("LEAPT", '{"usd":"much"}', "usd"),
        ("LEAPT", '{"usd":"400"}', "usd"),
        ("LEAPT", '{"usd":"-40"}', "usd"),
        ("BTC", '{"usd":"100000"}', "asset"),
        ("NEVER", '{"usd":"1"}', "asset"),
    ],
)
async def test_a_price_that_cannot_be_accepted(
    sqlite_store: Store, asset: str, body: str, field: str
) -> None:
    await book(sqlite_store)
    async with serving(sqlite_store) as api:
        caller = await api.caller(permissions=WRITER)
        answer = await api.post(caller, f"{PRICES}/{asset}/accept", body)
    assert (answer.status_code, list(answer.json()["error_attributes"])) == (400, [field])


async def test_an_accepted_price_is_not_another_that_comes_after_it(api: Served) -> None:
    caller = await api.caller(permissions=WRITER)
    store = api.services.store
    await add_account(store, caller.user, held={"BTC": "1", "LEAPT": "10"})
    await api.post(caller, f"{PRICES}/LEAPT/accept?usd=40")
    near = replace(ODD, price=replace(ODD.price, usd=Decimal(50)))
    far = replace(ODD, price=replace(ODD.price, usd=Decimal(400)))
    later = replace(ODD, until=Millis(ODD.until + MINUTE))
    for held, expected in ((near, "100500.0"), (far, "100000.0"), (later, "100000.0")):
        async with store.transaction() as tx:
            await tx.prices.save_book({"BTC": BITCOIN}, NOW, {"LEAPT": held})
        assert await usd(api, caller) == expected


async def test_reading_needs_one_permission_and_saying_another(sqlite_store: Store) -> None:
    await book(sqlite_store)
    async with serving(sqlite_store) as api:
        reader = await api.caller()
        writer = await api.caller(permissions=("accounts_write",))
        for method, target in (
            ("PUT", f"{ASSETS}/ABC/override?ignored=true"),
            ("DELETE", f"{ASSETS}/ABC/override"),
            ("PUT", f"{MAPPINGS}?market_code=binance&venue_code=A&asset=B"),
            ("DELETE", f"{MAPPINGS}?market_code=binance&venue_code=A"),
            ("POST", f"{PRICES}/LEAPT/accept?usd=40"),
        ):
            assert (await send(api, reader, method, target)).status_code == 403, target
        for target in (ASSETS, f"{ASSETS}/BTC", MAPPINGS):
            assert (await api.get(writer, target)).status_code == 403, target


async def test_who_said_what_can_be_asked_for_later(sqlite_store: Store) -> None:
    await book(sqlite_store)
    async with serving(sqlite_store) as api:
        caller = await api.caller(permissions=WRITER)
        for method, target in (
            ("PUT", f"{ASSETS}/ABC/override?ignored=true"),
            ("DELETE", f"{ASSETS}/ABC/override"),
            ("PUT", f"{MAPPINGS}?market_code=binance&venue_code=A&asset=B"),
            ("DELETE", f"{MAPPINGS}?market_code=binance&venue_code=A"),
        ):
            assert (await send(api, caller, method, target)).status_code == 200
        async with sqlite_store.reading() as tx:
            events = await tx.audit.of_user(caller.user.id)
    assert [event.kind for event in reversed(events)][-4:] == [
        "asset_override_set",
        "asset_override_removed",
        "asset_mapped",
        "asset_unmapped",
    ]


async def test_a_user_cannot_say_without_end(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.portfolio.overrides.MOST_SAID", 1)
    await book(sqlite_store)
    async with serving(sqlite_store) as api:
        caller = await api.caller(permissions=WRITER)
        target = f"{MAPPINGS}?market_code=binance&asset=B&venue_code="
        assert (await send(api, caller, "PUT", f"{target}A")).status_code == 200
        answer = await send(api, caller, "PUT", f"{target}C")
        assert (answer.status_code, list(answer.json()["error_attributes"])) == (400, ["asset"])
        said = AssetMapping("binance", "A", "B")
        async with sqlite_store.reading() as tx:
            assert await tx.choices.mappings(caller.user.id) == [said]


async def test_names_that_a_later_release_ships_are_taken_up(store: Store) -> None:
    made = await book(store)
    async with store.transaction() as tx:
        await tx.assets.tell([Asset("ABC", "Alphabet"), Asset("BTC", "Old name")])
    await note_assets(store, made, NOW)
    async with store.reading() as tx:
        found = await tx.assets.of({"ABC", "BTC"})
    assert (found["ABC"].name, found["ABC"].first_seen_at) == ("Alphabet", NOW)
    assert (found["BTC"].name, found["BTC"].coingecko_id) == ("Bitcoin", "bitcoin")


async def test_a_token_on_no_list_tells_why_it_counts_or_not(api: Served) -> None:
    caller = await api.caller(permissions=WRITER)
    store = api.services.store
    account = await add_account(store, caller.user, held={"BTC": "1"})

    async def told(wallet: str, *sources: str) -> tuple[str, str]:
        apart = Position(wallet, TOKEN, "ODD", Decimal(3))
        async with store.transaction() as tx:
            await tx.holdings.replace(
                caller.user.id, account.id, frozenset({"unlisted", "spam"}), [apart]
            )
        prices = {TOKEN: replace(TOLD, sources=sources)} if sources else {}
        await book(store, **prices)
        answer = (await api.get(caller, f"{ASSETS}/{quote(TOKEN)}")).json()
        return answer["state"], answer["why"]

    state, why = await told("unlisted")
    assert state == "apart"
    assert "nobody tells its price" in why
    state, why = await told("unlisted", "defillama")
    assert state == "apart"
    assert "one source alone" in why
    state, why = await told("unlisted", "coingecko", "defillama")
    assert state == "priced"
    assert "two sources" in why
    state, why = await told("spam", "coingecko", "defillama")
    assert state == "apart"
    assert "looks like another one" in why
    vouched = f"{ASSETS}/{quote(TOKEN)}/override"
    await send(api, caller, "PUT", f"{vouched}?contract={TOKEN}")
    assert (await told("spam", "defillama"))[0] == "priced"
