"""What both clients do with calls and answers, against answers of our own."""

import asyncio
import gc
import io
import json
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import httpx
import pytest

from coffers.client import (
    AsyncClient,
    Client,
    Patience,
    RateLimited,
    SignedAuth,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)

Answer = Callable[[httpx.Request], httpx.Response]
BASE = "http://money.test"
ONE = {"id": 1, "name": "Main", "usd_amount": "24.10", "btc_amount": None, "news": [1]}


class Bare(httpx.SyncByteStream):
    """The bytes of an answer as they come."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content


def of(answer: Answer, **options: Any) -> Client:
    http = httpx.Client(transport=httpx.MockTransport(answer))
    return Client(BASE, http=http, **options)


def test_money_is_exact_moments_have_an_offset_and_news_are_ignored() -> None:
    told = {
        **ONE,
        "created_at": "2023-06-19T16:50:57.303Z",
        "total_primary_display_currency_profit": {"currency": "USD", "amount": 3.39036413574965290},
    }
    body = json.dumps(told).replace("3.390364135749653", "3.39036413574965290000001")
    account = of(lambda _: httpx.Response(200, text=body)).account(1)
    assert account.usd_amount == Decimal("24.10")
    assert account.btc_amount is None
    assert account.day_profit_usd is None
    assert account.created_at == datetime(2023, 6, 19, 16, 50, 57, 303000, UTC)
    profit = account.total_primary_display_currency_profit
    assert profit is not None
    assert profit.amount == Decimal("3.39036413574965290000001")


def test_parameters_go_where_the_method_has_them() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        found: object = {"asset": "A/B", "market_code": "m", "venue_code": "v"}
        return httpx.Response(200, json=[] if "chart" in request.url.path else found)

    client = of(answer)
    span = "date_from=2025-01-31&date_to=2025-02-01T12%3A00%3A00.000Z"
    client.chart(7, date_from=date(2025, 1, 31), date_to=datetime(2025, 2, 1, 12, tzinfo=UTC))
    client.accept_price("A/B", Decimal("1E-8"))
    client.override("A/B", ignored=True)
    assert [f"{each.method} {each.url.raw_path.decode()}" for each in seen] == [
        f"GET /public/api/ver1/accounts/7/balance_chart_data?{span}",
        "POST /public/api/v1/prices/A%2FB/accept",
        "PUT /public/api/v1/assets/A%2FB/override",
    ]
    assert [json.loads(each.content or b"0") for each in seen] == [
        0,
        {"usd": "0.00000001"},
        {"ignored": True},
    ]


@pytest.mark.parametrize("base", [BASE, f"{BASE}/", f"{BASE}/public/api", f"{BASE}/public/api/"])
def test_the_address_may_have_the_prefix_or_not(base: str) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json={"pong": "pong"})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        Client(base, http=http).ping()
    assert seen == [f"{BASE}/public/api/ver1/ping"]


def test_an_address_without_a_scheme_is_no_address() -> None:
    with pytest.raises(ValueError, match="http"):
        Client("money.test")


def test_a_list_that_did_not_change_is_taken_from_what_is_kept() -> None:
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("if-none-match"))
        if asked[-1] == 'W/"1"':
            return httpx.Response(304, headers={"ETag": 'W/"1"', "X-Accounts-Incomplete": "0"})
        return httpx.Response(200, json=[ONE], headers={"ETag": 'W/"1"'})

    client = of(answer)
    first, again = client.account_page(), client.account_page()
    assert first == again
    client.in_mode("paper").account_page()
    client.account_page(page=2)
    assert asked == [None, 'W/"1"', None, None]


def test_of_a_list_that_changes_each_time_the_latest_answer_alone_is_kept() -> None:
    told: list[weakref.ref[httpx.Response]] = []

    def answer(_: httpx.Request) -> httpx.Response:
        response = httpx.Response(200, json=[ONE], headers={"ETag": f'W/"{len(told)}"'})
        told.append(weakref.ref(response))
        return response

    client = of(answer)
    for _ in range(9):
        client.account_page()
    gc.collect()
    assert [each() is not None for each in told] == [False] * 8 + [True]


async def test_what_is_kept_outlasts_more_answers_than_are_kept_at_once() -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        number = int(request.url.params["page"])
        tag = f'W/"{number}"'
        if request.headers.get("if-none-match") == tag:
            return httpx.Response(304, headers={"ETag": tag})
        return httpx.Response(200, json=[{**ONE, "id": number}], headers={"ETag": tag})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    async with AsyncClient(BASE, http=http) as client:
        for _ in range(2):
            pages = await asyncio.gather(*(client.account_page(each) for each in range(100)))
            assert [account.id for page in pages for account in page] == list(range(100))
    await http.aclose()


def test_a_float_is_refused_before_it_loses_digits() -> None:
    sent: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(200, json=ONE)

    client, lost = of(answer), cast("Decimal", 0.123456789)
    with pytest.raises(TypeError, match=r"0\.123456789 is a float and has already lost digits"):
        client.create_loose("Drawer", {"BTC": lost})
    with pytest.raises(TypeError, match="give a Decimal"):
        client.paper_deposit(1, "BTC", lost)
    client.create_loose("Drawer", {"BTC": cast("Decimal", 1), "ETH": Decimal("1E-30")})
    assert [each["tokens"]["amount"] for each in sent] == [["1", "0." + "0" * 29 + "1"]]


class Refusing:
    """A server that refuses some times before it answers."""

    def __init__(self, *refusals: httpx.Response) -> None:
        self.refusals = list(refusals)
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.refusals:
            return self.refusals.pop(0)
        return httpx.Response(200, json=ONE if request.method == "GET" else True)


def limited(seconds: str) -> httpx.Response:
    body = {"error": "rate_limit_exceeded"}
    return httpx.Response(429, json=body, headers={"Retry-After": seconds})


def test_a_refused_get_is_sent_again_after_what_is_asked_for() -> None:
    waited: list[float] = []
    server = Refusing(limited("7"), httpx.Response(503))
    client = of(server, patience=Patience(tries=3, pause=2.0), sleep=waited.append)
    assert client.account(1).name == "Main"
    assert waited == [7.0, 2.0]


async def test_the_async_client_waits_alike() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    http = httpx.AsyncClient(transport=httpx.MockTransport(Refusing(limited("7"))))
    async with AsyncClient(BASE, http=http, patience=Patience(tries=2), sleep=sleep) as client:
        assert (await client.account(1)).name == "Main"
    assert waited == [7.0]
    await http.aclose()


def test_what_is_not_sent_again() -> None:
    patient: dict[str, Any] = {"patience": Patience(tries=3, longest=60.0), "sleep": None}
    for server in (Refusing(limited("61")), Refusing(httpx.Response(418))):
        with pytest.raises(Exception, match="429|418"):
            of(server, **patient).account(1)
        assert server.asked == 1
    changing = Refusing(httpx.Response(503))
    with pytest.raises(Unavailable):
        of(changing, **patient).remove(1)
    assert changing.asked == 1
    impatient = Refusing(limited("1"))
    with pytest.raises(RateLimited) as told:
        of(impatient).account(1)
    assert told.value.retry_after == 1.0


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"id": "x"}),
        httpx.Response(302, headers={"Location": "http://elsewhere.test/"}),
        httpx.Response(304),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Bare(b"no gzip")),
    ],
)
def test_an_answer_in_another_form_is_told_as_that(answer: httpx.Response) -> None:
    with pytest.raises(UnexpectedAnswer, match="answered"):
        of(lambda _: answer).account(1)


async def test_a_page_of_a_proxy_is_not_saved_as_a_table() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, html="<p>Sign in</p>"))
    call, file = Client.export_csv("flows"), io.BytesIO()
    with httpx.Client(transport=transport) as http:
        client = Client(BASE, http=http)
        with pytest.raises(UnexpectedAnswer, match="text/html"):
            client.send(call)
        with pytest.raises(UnexpectedAnswer, match="text/html"):
            client.save_csv(call, file)
    async with httpx.AsyncClient(transport=transport) as asked:
        with pytest.raises(UnexpectedAnswer, match="text/html"):
            await AsyncClient(BASE, http=asked).save_csv(call, file)
    assert file.getvalue() == b""


async def test_a_server_that_is_away_is_told_as_that() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Unreachable, match=r"http://money.test/public/api does not answer"):
        of(away).ping()
    http = httpx.AsyncClient(transport=httpx.MockTransport(away))
    async with AsyncClient(BASE, http=http) as client:
        with pytest.raises(Unreachable):
            await client.ping()
    await http.aclose()


class Shelf:
    """A server with accounts on pages, which `changes` change after so many of them were told.

    `sized` is the size of its pages, where it gives nothing for the one that is asked for.
    """

    def __init__(
        self,
        *ids: int,
        tells_total: bool = True,
        changes: Mapping[int, tuple[Sequence[int], Sequence[int]]] | None = None,
        sized: int | None = None,
        most: int = 100,
    ) -> None:
        self.ids = list(ids)
        self.tells_total = tells_total
        self.changes = changes or {}
        self.sized, self.most = sized, most
        self.asked: list[tuple[int, int]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        page, size = (int(request.url.params[name]) for name in ("page", "per_page"))
        assert size <= 100
        self.asked.append((page, size))
        size = min(self.sized or size, self.most)
        total = {"X-Total-Count": str(len(self.ids))} if self.tells_total else {}
        ids = self.ids[(page - 1) * size : page * size]
        gone, new = self.changes.get(len(self.asked), ((), ()))
        self.ids = [*(each for each in self.ids if each not in gone), *new]
        return httpx.Response(200, json=[{"id": each, "name": "x"} for each in ids], headers=total)


def walked(shelf: Shelf, per_page: int) -> list[int]:
    return [account.id for account in of(shelf).accounts(per_page=per_page)]


@pytest.mark.parametrize("tells_total", [True, False])
@pytest.mark.parametrize("per_page", [1, 2, 3, 7, 99, 100])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 100, 101, 300])
def test_all_pages_are_walked_through(count: int, per_page: int, *, tells_total: bool) -> None:
    shelf = Shelf(*range(1, count + 1), tells_total=tells_total)
    assert walked(shelf, per_page) == shelf.ids
    assert per_page < 99 or len(shelf.asked) <= 5


def test_a_page_is_asked_for_once_it_is_wanted() -> None:
    shelf = Shelf(*range(1, 301))
    found = of(shelf).accounts()
    assert [next(found).id for _ in range(100)] == [*range(1, 101)]
    assert shelf.asked == [(1, 100)]


@pytest.mark.parametrize("per_page", [1, 2, 3])
@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("gone", [[1], [2], [3], [1, 2], [1, 3], [5], [6]])
@pytest.mark.parametrize("new", [[], [7], [7, 8]])
def test_no_account_is_missed_or_doubled_while_others_come_and_go(
    gone: list[int], new: list[int], after: int, per_page: int
) -> None:
    for tells_total in (True, False):
        shelf = Shelf(
            *range(1, 7),
            tells_total=tells_total,
            changes={after: (gone, new), after + 2: ([4], [9])},
        )
        found = walked(shelf, per_page)
        assert len(found) == len(set(found))
        assert {*range(1, 7)} - {*gone, 4} <= set(found)


@pytest.mark.parametrize("tells_total", [True, False])
@pytest.mark.parametrize(("sized", "most"), [(25, 100), (None, 25), (None, 3)])
def test_a_server_whose_pages_have_a_size_of_their_own_is_read_to_the_end(
    sized: int | None, most: int, *, tells_total: bool
) -> None:
    shelf = Shelf(*range(1, 61), tells_total=tells_total, sized=sized, most=most)
    assert walked(shelf, 100) == shelf.ids
    assert len(shelf.asked) < 30


@pytest.mark.parametrize("tells_total", [True, False])
@pytest.mark.parametrize("most", [2, 30, 45, 60, 99])
@pytest.mark.parametrize("count", [59, 61, 118, 150, 301])
def test_no_account_is_missed_where_only_some_pages_are_cut_to_the_most_that_a_server_gives(
    most: int, count: int, *, tells_total: bool
) -> None:
    for per_page in (1, 2, 40, 61, 100):
        shelf = Shelf(*range(1, count + 1), tells_total=tells_total, most=most)
        assert walked(shelf, per_page) == shelf.ids


def test_a_server_that_tells_no_total_is_asked_until_it_tells_nothing_new() -> None:
    shelf = Shelf(1, 2, 3, tells_total=False)
    assert [account.id for account in of(shelf).accounts(per_page=2)] == [1, 2, 3]

    def without_pages(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[ONE])

    assert [account.id for account in of(without_pages).accounts()] == [1]


async def test_the_async_client_walks_alike() -> None:
    http = httpx.AsyncClient(transport=httpx.MockTransport(Shelf(1, 2, 3)))
    async with AsyncClient(BASE, http=http) as client:
        assert [each.id async for each in client.accounts(per_page=2)] == [1, 2, 3]
    await http.aclose()


def test_no_secret_is_in_what_a_client_shows() -> None:
    shown = repr(Client(BASE, SignedAuth("key", "fake-secret")))
    assert shown == "Client('http://money.test/public/api', SignedAuth('key', HmacKey(***)))"
    call = repr(Client.connect("binance", "Main", api_key="key", secret="fake-secret"))
    assert "fake-secret" not in call
