"""The client's calls of each subject against the API over real HTTP."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal

import httpx
import pytest

from coffers.client import (
    AsyncClient,
    Client,
    NotFound,
    RecordInvalid,
    SignedAuth,
    Told,
    Unauthorized,
)
from coffers.clock import Millis
from coffers.store.engine import Store
from coffers.store.events import NewEvent
from factories import NOW
from served import Caller, Served, add_account, add_book, listening, serving

BOTH = ("accounts_read", "accounts_write")


@dataclass(frozen=True, slots=True)
class Live:
    api: Served
    url: str
    caller: Caller
    account_id: int

    @property
    def auth(self) -> SignedAuth:
        return SignedAuth(self.caller.api_key, self.caller.secret)

    async def happened(self, *kinds: str) -> None:
        async with self.api.services.store.transaction() as tx:
            found = [NewEvent(kind, Millis(NOW), {}, 7, "real") for kind in kinds]  # type: ignore[arg-type]
            await tx.events.add(self.caller.user.id, found)


@pytest.fixture
async def live(sqlite_store: Store) -> AsyncIterator[Live]:
    async with serving(sqlite_store) as api, listening(api.app) as url:
        caller = await api.caller(permissions=BOTH)
        account = await add_account(sqlite_store, caller.user)
        await add_book(sqlite_store)
        yield Live(api, url, caller, account.id)


@pytest.fixture
async def client(live: Live) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(live.url, live.auth) as client:
        yield client


async def test_own_accounts_tell_figures_with_their_quality(
    live: Live, client: AsyncClient
) -> None:
    (listed,) = [each async for each in client.own_accounts()]
    assert listed.figures.usd.amount == Decimal(25000)
    assert (await client.own_account(listed.id)).quality.read_at == listed.quality.read_at
    assert (await client.own_summary()).account_ids == (live.account_id,)
    explained = await client.explain(listed.id)
    assert explained.holdings[0].usd_value == Decimal(25000)
    assert (await client.explain_summary()).accounts[0].account_id == listed.id
    assert [each.usd_value async for each in client.snapshots()] == [Decimal(18000)]
    assert (await client.history()).points
    (position,) = [each async for each in client.positions(listed.id)]
    assert (position.asset, position.owned) == ("BTC", Decimal("0.5"))


async def test_ages_go_on_while_nothing_else_changes(live: Live, client: AsyncClient) -> None:
    for seconds in (0, 30):
        live.api.clock.advance(seconds * 1000)
        (listed,) = [each async for each in client.own_accounts()]
        page = await client.own_account_page()
        own = await client.own_account(listed.id)
        assert (own.prices_age_seconds, page.prices_age_seconds) == (seconds, seconds)


async def test_tables_are_saved_as_they_come(live: Live, client: AsyncClient) -> None:
    file = io.BytesIO()
    await client.save_csv(AsyncClient.export_csv("positions"), file)
    assert file.getvalue() == await client.export_csv("positions")
    assert b"BTC" in file.getvalue()

    def waited() -> bytes:
        sink = io.BytesIO()
        with Client(live.url, live.auth) as waiting:
            waiting.save_csv(Client.export_csv("positions", live.account_id), sink)
            with pytest.raises(NotFound):
                waiting.save_csv(Client.export_csv("positions", 999), io.BytesIO())
        return sink.getvalue()

    assert b"BTC" in await asyncio.to_thread(waited)


async def test_what_is_not_known_of_trades_and_volumes_is_none(
    live: Live, client: AsyncClient
) -> None:
    assert [each async for each in client.trades(live.account_id)] == []
    volume = await client.total_volume(live.account_id)
    assert (volume.volume_btc, volume.volume_usd) == (None, None)
    assert (await client.daily_volume(live.account_id)).utc_date is not None
    with pytest.raises(RecordInvalid):
        await client.market_pairs("no_such_market")


async def test_portfolios_and_settings_are_made_changed_and_removed(
    live: Live, client: AsyncClient
) -> None:
    half = {"BTC": Decimal(50), "ETH": Decimal(50)}
    made = await client.create_portfolio("Calm", half, tolerance=Decimal("1.5"))
    assert (made.targets, made.tolerance) == (half, Decimal("1.5"))
    renamed = await client.replace_portfolio(made.id, "Calmer", half)
    assert [each async for each in client.portfolios()] == [renamed]
    (published,) = await client.published_portfolios()
    assert published.portfolio_entries[0].target_percentage == Decimal(50)
    settings = await client.auto_balance(live.account_id)
    assert (settings.enabled, settings.portfolio) == (False, None)
    assert await client.remove_portfolio(made.id)


async def test_webhooks_are_made_changed_and_removed(client: AsyncClient) -> None:
    made = await client.create_webhook("https://example.com/hook", ["deposit"])
    assert made.secret is not None
    assert made.secret not in repr(made)
    changed = await client.update_webhook(made.id, is_active=False)
    assert (changed.is_active, changed.secret) == (False, None)
    assert [each.id async for each in client.webhooks()] == [made.id]
    assert [each async for each in client.deliveries(made.id)] == []
    assert await client.remove_webhook(made.id)


async def test_events_are_walked_through_in_order(live: Live, client: AsyncClient) -> None:
    await live.happened("deposit", "withdrawal")
    assert [each.kind async for each in client.events()] == ["deposit", "withdrawal"]
    assert [each.id async for each in client.events(kinds=["withdrawal"])] == [2]


async def test_a_stream_tells_what_comes_and_goes_on_after_a_lost_connection(live: Live) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await live.happened("account_complete")

    await live.happened("deposit", "withdrawal")
    async with httpx.AsyncClient(transport=Breaking()) as http:
        client = AsyncClient(live.url, live.auth, http=http, sleep=sleep)
        async with aclosing(client.stream(1)) as heard:  # type: ignore[type-var]
            first = await _event(heard)
            assert (first.event, first.id) == ("withdrawal", "2")
            later = await _event(heard)
        assert (later.event, later.id, waits) == ("account_complete", "3", [3.0])


async def test_a_waiting_stream_ends_when_it_is_closed_and_tells_refusals(live: Live) -> None:
    await live.happened("deposit")

    def waited() -> list[str]:
        with Client(live.url, live.auth) as client:
            heard = client.stream(0)
            told = [next(heard).event, next(heard).event]
            heard.close()  # type: ignore[attr-defined]
            assert list(heard) == []
        with Client(live.url, SignedAuth("nobody", "x")) as client, pytest.raises(Unauthorized):
            next(client.stream())
        return told

    assert "deposit" in await asyncio.to_thread(waited)


class Breaking(httpx.AsyncHTTPTransport):
    """Loses its first connection once a withdrawal was told."""

    is_broken = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if self.is_broken:
            assert request.headers["last-event-id"] == "2"
            assert "after" not in request.url.params
            return response
        self.is_broken = True
        return httpx.Response(
            response.status_code, headers=response.headers, stream=Broken(response)
        )


class Broken(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_raw():
            yield part
            if b"withdrawal" in part:
                raise httpx.ReadError("lost")

    async def aclose(self) -> None:
        await self._response.aclose()


async def _event(heard: AsyncIterator[Told]) -> Told:
    async with asyncio.timeout(20):
        while (told := await anext(heard)).event in {"open", "prices"}:
            pass
    return told
