"""The client against the API over real HTTP, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from coffers.client import (
    AccessDenied,
    AsyncClient,
    Client,
    NotFound,
    RateLimited,
    RecordInvalid,
    RsaKey,
    SignatureInvalid,
    SignedAuth,
    Unauthorized,
)
from coffers.store.engine import Store
from served import Caller, Served, add_account, add_book, listening, serving

BOTH = ("accounts_read", "accounts_write")
RSA = rsa.generate_private_key(65537, 2048)
PRIVATE = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass(frozen=True, slots=True)
class Live:
    """A server on a port, with two real accounts and a paper one."""

    api: Served
    url: str
    caller: Caller

    def client(self, caller: Caller | None = None, **options: Any) -> AsyncClient:
        who = caller or self.caller
        return AsyncClient(self.url, SignedAuth(who.api_key, who.secret), **options)


@pytest.fixture
async def live(store: Store) -> AsyncIterator[Live]:
    async with serving(store) as api, listening(api.app) as url:
        caller = await api.caller(permissions=BOTH)
        for name in ("One", "Two"):
            await add_account(store, caller.user, name)
        await add_account(store, caller.user, "Made up", mode="paper")
        await add_book(store)
        yield Live(api, url, caller)


async def test_both_clients_list_the_accounts_with_exact_values(live: Live) -> None:
    def waited() -> list[tuple[str, Decimal | None]]:
        auth = SignedAuth(live.caller.api_key, live.caller.secret)
        with Client(live.url, auth) as client:
            return [(each.name, each.usd_amount) for each in client.accounts(per_page=1)]

    expected = [("One", Decimal(25000)), ("Two", Decimal(25000))]
    assert await asyncio.to_thread(waited) == expected
    async with live.client() as client:
        found = [(each.name, each.usd_amount) async for each in client.accounts(per_page=1)]
    assert found == expected


async def test_a_token_of_an_own_key_with_a_timestamp_is_let_in_every_time(live: Live) -> None:
    caller = await live.api.caller(
        "bea", permissions=BOTH, rsa_public_key=PUBLIC, require_timestamp=True
    )
    now = live.api.clock.now() / 1000
    auth = SignedAuth(caller.api_key, RsaKey(PRIVATE), timestamp=True, now=lambda: now)
    async with AsyncClient(live.url, auth) as client:
        assert (await client.validate()).valid
        assert await client.change_mode("paper")
        with pytest.raises(SignatureInvalid):
            await client.validate()
    without = SignedAuth(caller.api_key, RsaKey(PRIVATE))
    async with AsyncClient(live.url, without) as client:
        with pytest.raises(RecordInvalid) as told:
            await client.validate()
        assert told.value.attributes == {"timestamp": ("is missing",)}


async def test_modes_are_forced_per_client_and_per_call(live: Live) -> None:
    async with live.client(mode="paper") as client:
        assert [each.name async for each in client.accounts()] == ["Made up"]
        assert [each.name async for each in client.in_mode("real").accounts()] == ["One", "Two"]
        assert (await client.current_mode()).mode == "paper"
        assert (await client.in_mode(None).current_mode()).mode == "real"


async def test_a_list_that_did_not_change_is_not_sent_again(live: Live) -> None:
    statuses: list[int] = []

    async def note(response: Any) -> None:
        statuses.append(response.status_code)

    async with live.client() as client:
        client._http.event_hooks = {"response": [note]}
        first = await client.account_page()
        assert await client.account_page() == first
        await client.rename(first[0].id, "Other")
        assert (await client.account_page())[0].name == "Other"
    assert statuses == [200, 304, 201, 200]


async def test_an_answer_tells_how_far_it_can_be_trusted(live: Live) -> None:
    await add_account(live.api.services.store, live.caller.user, "Three", held={"ODD": "1"})
    async with live.client() as client:
        reply = await client.async_reply(AsyncClient.account_page(per_page=2))
        assert (reply.total, reply.incomplete, reply.why_incomplete) == (3, 0, {})
        assert reply.prices_at == datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)
        assert reply.request_id
        third = await client.async_reply(AsyncClient.account_page(page=2, per_page=2))
        assert third.why_incomplete == {third.value[0].id: ("unpriced=1",)}


async def test_one_account_its_assets_and_its_past(live: Live) -> None:
    async with live.client() as client:
        account = (await client.account_page())[0]
        assert await client.account(account.id) == account
        assert (await client.summary()).usd_amount == Decimal(50000)
        (part,) = await client.pie(account.id)
        assert (part.code, part.amount, part.usd_value) == ("BTC", Decimal("0.5"), Decimal(25000))
        (row,) = await client.table()
        assert (row.currency_code, row.position, row.is_wallet) == ("BTC", Decimal(1), False)
        chart = await client.chart(account.id, date_from=datetime(2025, 10, 1, tzinfo=UTC))
        assert chart[0].usd == chart[0].usd_deposit_amount == Decimal(18000)
        assert chart[-1].at == datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)
        assert (await client.contracts(account.id)).account_id == account.id
        assert [each async for each in client.flows(account.id)] == []
        assert await client.remove(account.id)
        with pytest.raises(NotFound):
            await client.account(account.id)


async def test_what_needs_no_account(live: Live) -> None:
    async with live.client() as client:
        assert (await client.ping()).pong == "pong"
        assert (await client.time()).server_time == 1_760_000_000
        codes = {each.market_code for each in await client.markets()}
        assert {"binance", "kraken"} <= codes
        types = await client.types_to_connect("binance")
        assert (types[0].type, types[0].connected) == ("binance", True)
        assert (await client.permissions())["ACCOUNTS_READ"]
        assert (await client.locale("de")).locale == "de"


async def test_prices_and_what_is_said_of_assets(live: Live) -> None:
    async with live.client() as client:
        assert (await client.price("eth")).usd == Decimal(2500)
        unknown = (await client.prices(["BTC", "ODD"]))[1]
        assert (unknown.asset, unknown.usd) == ("ODD", None)
        with pytest.raises(RecordInvalid):
            await client.accept_price("BTC", Decimal(1))
        said = await client.override("ETH", name="Ether!", ignored=True)
        assert said.override is not None
        assert said.override.ignored
        assert (await client.asset("ETH")).name == "Ether!"
        assert (await client.take_back_override("ETH")).override is None
        mapped = await client.map_asset("binance", "XX", "BTC")
        assert await client.asset_mappings() == [mapped]
        assert await client.unmap_asset("binance", "XX")
        held = [each.asset async for each in client.assets(only="held")]
        assert held == ["BTC"]


async def test_accounts_that_are_kept_here(live: Live) -> None:
    async with live.client() as client:
        kept = await client.create_loose("Drawer", {"BTC": Decimal("0.50"), "ETH": Decimal(2)})
        assert (await client.account(kept.id)).usd_amount == Decimal(30000)
        await client.replace_loose(kept.id, {"BTC": Decimal(1)}, include_in_summary=False)
        shown = await client.account(kept.id)
        assert (shown.usd_amount, shown.include_in_summary) == (Decimal(50000), False)
        assert [each.code for each in await client.available_currencies("et")] == ["ETH"]


async def test_paper_accounts(live: Live) -> None:
    async with live.client() as client:
        made = await client.create_paper("Try", {"USDT": Decimal(10000)}, Decimal("0.001"))
        bought = await client.paper_order(
            made.id, "buy", ("BTC", "USDT"), amount=Decimal("0.1"), idempotency_key="a"
        )
        assert (bought.received, bought.fee) == (Decimal("0.0999"), Decimal("0.0001"))
        await client.paper_deposit(made.id, "ETH", Decimal(1))
        after = await client.paper_withdraw(made.id, "ETH", Decimal("0.5"))
        assert after.balances["ETH"] == Decimal("0.5")
        assert [each async for each in client.paper_orders(made.id)] == [bought]
        reset = await client.paper_reset(made.id, {"USDT": Decimal(5)})
        assert (await client.paper(made.id)).balances == reset.balances == {"USDT": Decimal(5)}


async def test_each_refusal_is_a_class_of_its_own(live: Live) -> None:
    reader = await live.api.caller("bea")
    async with live.client(reader) as client:
        with pytest.raises(AccessDenied, match="ACCOUNTS_WRITE"):
            await client.change_mode("paper")
    async with AsyncClient(live.url) as client:
        with pytest.raises(Unauthorized):
            await client.summary()
    async with AsyncClient(live.url, SignedAuth(live.caller.api_key, "fake")) as client:
        with pytest.raises(SignatureInvalid) as told:
            await client.update(1, name="x", include_in_summary=True)
        assert told.value.request_id
    async with live.client() as client:
        with pytest.raises(RecordInvalid) as short:
            await client.rename(1, "x")
        assert "too short" in short.value.attributes["name"][0]


async def test_a_token_over_its_limit_is_told_when_to_go_on(sqlite_store: Store) -> None:
    async with serving(sqlite_store, limit_requests=1) as api, listening(api.app) as url:
        caller = await api.caller()
        async with AsyncClient(url, SignedAuth(caller.api_key, caller.secret)) as client:
            await client.validate()
            with pytest.raises(RateLimited) as told:
                await client.validate()
            assert told.value.retry_after == 300.0
