"""`GET /public/api/v1/stream`, over real connections: in order, resumed, bounded, ended."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from coffers import metrics
from coffers.api import stream_routes
from coffers.clock import DAY, Millis, iso
from coffers.portfolio.events import KEPT, EventLog
from coffers.portfolio.tokens import Tokens
from coffers.serving import feeds, lasting, streams
from coffers.store.engine import Store
from coffers.store.events import Event, EventFilter, NewEvent
from factories import NOW
from served import Caller, Served, add_account, add_book, listening, serving
from sse import STREAM, streaming


@pytest.fixture
async def served(store: Store) -> AsyncIterator[Served]:
    async with serving(store) as running:
        yield running


@pytest.fixture
async def base(served: Served) -> AsyncIterator[str]:
    async with listening(served.app) as url:
        yield url


@pytest.fixture
async def ann(served: Served) -> Caller:
    return await served.caller()


async def happened(served: Served, who: Caller, *kinds: Any, size: int = 0, **of: Any) -> None:
    data = {"filling": "x" * size} if size else {}
    about = {"account_id": 7, "mode": "real", **of}
    async with served.services.store.transaction() as tx:
        found = [NewEvent(kind, Millis(NOW), data, **about) for kind in kinds]
        await tx.events.add(who.user.id, found)


def ended(reason: str) -> float:
    return metrics.streams_ended.labels(reason)._value.get()


async def test_a_stream_opens_now_and_tells_what_comes(
    served: Served, base: str, ann: Caller
) -> None:
    await happened(served, ann, "deposit", "deposit")
    async with streaming(base, ann) as heard:
        opening = await heard.next()
        assert opening is not None
        assert (opening.event, opening.id, opening.data) == (
            "open",
            "2",
            {"mode": "real", "after": 2},
        )
        assert heard.retry == "3000"
        headers = heard.response.headers
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "no-transform" in headers["cache-control"]
        assert "content-encoding" not in headers
        await happened(served, ann, "withdrawal")
        message = await heard.of_kind("withdrawal")
        assert message.id == "3"
        assert message.data == {
            "id": 3,
            "kind": "withdrawal",
            "account_id": 7,
            "mode": "real",
            "at": iso(NOW),
            "data": {},
        }


async def test_a_reader_that_comes_again_misses_nothing_and_gets_nothing_twice(
    served: Served, base: str, ann: Caller
) -> None:
    found: list[int] = []
    async with streaming(base, ann) as heard:
        opening = await heard.next()
        assert opening is not None
        last = opening.id
    for burst in (3, streams.READ_AT_ONCE + 5, 1):
        await happened(served, ann, *["deposit"] * burst)
        async with streaming(base, ann, last_event_id=str(last)) as heard:
            found += await heard.changes(burst)
            await happened(served, ann, "withdrawal")
            found += await heard.changes(1)
            last = heard.last_id
    assert found == list(range(1, len(found) + 1))
    async with streaming(base, ann, f"after={last}") as heard:
        await happened(served, ann, "deposit")
        assert await heard.changes(1) == [len(found) + 1]


async def test_events_that_are_written_while_readers_come_and_go_are_all_told(
    served: Served, base: str, ann: Caller
) -> None:
    async def write() -> None:
        for _ in range(60):
            await happened(served, ann, "deposit", "balances_changed")
            await asyncio.sleep(0.01)

    async def read() -> list[int]:
        found: list[int] = []
        while len(found) < 120:
            async with streaming(base, ann, f"after={len(found)}") as heard:
                found += await heard.changes(min(17, 120 - len(found)))
        return found

    *read_by, _ = await asyncio.gather(read(), read(), read(), write())
    assert read_by == [list(range(1, 121))] * 3


async def test_filters_and_modes_hold_in_the_stream(served: Served, base: str, ann: Caller) -> None:
    async with (
        streaming(base, ann, "kind=deposit&after=0") as deposits,
        streaming(base, ann, forced_mode="paper") as paper,
    ):
        assert (await paper.of_kind("open")).data["mode"] == "paper"
        await happened(served, ann, "withdrawal", "deposit")
        await happened(served, ann, "deposit", mode="paper")
        await happened(served, ann, "deposit")
        assert await deposits.changes(2) == [2, 4]
        assert await paper.changes(1) == [3]


async def test_new_prices_are_told_with_the_worth_of_all(
    served: Served, base: str, ann: Caller
) -> None:
    store = served.services.store
    await add_book(store)
    await add_account(store, ann.user, held={"BTC": "0.5"})
    await add_account(store, ann.user, "Odd", held={"ODD": "1", "USDT": "10"})
    async with streaming(base, ann) as heard:
        first = (await heard.of_kind("prices")).data
        assert first == {
            "epoch": 1,
            "at": iso(NOW),
            "btc_amount": "0.5002",
            "usd_amount": "25010.0",
            "display_amount": "25010.0",
            "display_currency": "USD",
            "accounts": 2,
            "incomplete": 1,
        }
        await add_book(store, NOW + 1, BTC="60000")
        message = await heard.of_kind("prices")
        assert (message.data["epoch"], message.data["usd_amount"]) == (2, "30010.0")
        assert message.id is None


async def test_who_stayed_away_too_long_is_told_of_the_gap(
    served: Served, base: str, ann: Caller
) -> None:
    await happened(served, ann, "deposit", "deposit")
    served.clock.advance(KEPT + 1)
    await EventLog(served.services.store).forget_old(served.clock.now())
    async with streaming(base, ann, "after=1") as heard:
        assert (await heard.of_kind("gap")).data == {"after": 1}
        await happened(served, ann, "deposit")
        assert await heard.changes(1) == [3]
    # A database that was put back to an earlier state: the reader is ahead of it.
    async with streaming(base, ann, last_event_id="99") as heard:
        assert (await heard.of_kind("open")).id == "3"
        await heard.of_kind("gap")
        await happened(served, ann, "deposit")
        assert await heard.changes(1) == [4]


async def test_silence_is_broken_by_comments(
    served: Served, base: str, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_routes, "BEAT_SECONDS", 0.05)
    async with streaming(base, ann) as heard:
        await heard.next()
        soon = asyncio.create_task(heard.next())
        await asyncio.sleep(0.3)
        await happened(served, ann, "deposit")
        await soon
        assert heard.comments[:2] == ["still here", "still here"]


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_a_stream_ends_with_its_token(
    served: Served, base: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PASSES_EVERY", 0.1)
    bob = await served.caller("bob", expires="1d")
    before = ended("token")
    async with streaming(base, bob) as heard:
        await heard.next()
        if how == "revoked":
            tokens = Tokens(served.services.store, served.services.vault, served.clock)
            await tokens.revoke(bob.user.id, bob.api_key)
        else:
            served.clock.advance(DAY)
        assert await heard.next() is None
    assert ended("token") == before + 1


async def test_a_stream_ends_with_its_token_before_a_slow_reader_has_come_to_the_present(
    served: Served, base: str, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PASSES_EVERY", 0.1)
    monkeypatch.setattr(stream_routes, "READ_AT_ONCE", 1)
    await happened(served, ann, *["deposit"] * 100)
    usual = EventLog.page

    async def slow(*asked: Any) -> Any:
        await asyncio.sleep(0.1)
        return await usual(*asked)

    monkeypatch.setattr(EventLog, "page", slow)
    async with streaming(base, ann, "after=0") as heard:
        assert await heard.changes(1) == [1]
        tokens = Tokens(served.services.store, served.services.vault, served.clock)
        await tokens.revoke(ann.user.id, ann.api_key)
        count = 1
        while await heard.next() is not None:
            count += 1
    assert count < 100


async def test_what_is_forgotten_before_a_slow_reader_comes_to_it_is_a_gap(
    served: Served, base: str, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_routes, "READ_AT_ONCE", 1)
    await happened(served, ann, *["deposit"] * 3)
    usual, pages = EventLog.page, 0

    async def page(log: EventLog, *asked: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages == 2:
            await log.forget_old(Millis(NOW + KEPT + 1))
        return await usual(log, *asked)

    monkeypatch.setattr(EventLog, "page", page)
    async with streaming(base, ann, "after=0") as heard:
        told = [await heard.next() for _ in range(3)]
    assert [each and (each.event, each.id) for each in told] == [
        ("open", "0"),
        ("deposit", "1"),
        ("gap", None),
    ]
    assert told[2] is not None
    assert told[2].data == {"after": 1}


async def test_thousands_of_events_at_once_reach_a_reader_who_takes_them(
    served: Served, base: str, ann: Caller
) -> None:
    async with streaming(base, ann) as heard:
        await heard.next()
        await happened(served, ann, *["balances_changed"] * (3 * feeds.MOST_WAITING))
        assert await heard.changes(3 * feeds.MOST_WAITING) == list(
            range(1, 3 * feeds.MOST_WAITING + 1)
        )


async def test_the_server_ends_with_its_streams_ended_in_order(served: Served, ann: Caller) -> None:
    before = ended("shutdown")
    async with AsyncExitStack() as opened:
        server = AsyncExitStack()
        base = await server.enter_async_context(listening(served.app))
        heard = [await opened.enter_async_context(streaming(base, ann)) for _ in range(3)]
        for each in heard:
            await each.next()
        async with asyncio.timeout(5):
            await server.aclose()
        assert [await each.next() for each in heard] == [None] * 3
    assert ended("shutdown") == before + 3


async def test_a_token_and_a_process_hold_so_many_streams_and_no_more(store: Store) -> None:
    async with (
        serving(store, stream_limit=6) as served,
        listening(served.app) as base,
        AsyncExitStack() as opened,
        httpx.AsyncClient(base_url=base) as http,
    ):
        ann, bob = await served.caller(), await served.caller("bob")
        for who in [ann] * streams.PER_PASS + [bob]:
            await opened.enter_async_context(streaming(base, who))
        for who, status, error in (
            (ann, 429, "too_many_streams"),
            (bob, 503, "service_unavailable"),
        ):
            answer = await http.get(STREAM, headers=who.headers(STREAM))
            assert (answer.status_code, answer.json()["error"]) == (status, error)
            assert answer.headers["retry-after"] == "30"
        await opened.aclose()
        given_up = time.monotonic() + 10
        while metrics.streams._value.get():
            assert time.monotonic() < given_up
            await asyncio.sleep(0.05)
        async with streaming(base, ann):
            pass


async def test_a_user_holds_so_many_streams_by_any_number_of_tokens(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PER_USER", 3)
    async with (
        serving(store) as served,
        listening(served.app) as base,
        AsyncExitStack() as opened,
        httpx.AsyncClient(base_url=base) as http,
    ):
        ann = await served.caller()
        others = [await served.caller() for _ in range(3)]
        for who in others:
            await opened.enter_async_context(streaming(base, who))
        answer = await http.get(STREAM, headers=ann.headers(STREAM))
        assert (answer.status_code, answer.json()["error"]) == (429, "too_many_streams")
        assert "This user has 3" in answer.json()["error_description"]
        async with streaming(base, await served.caller("bob")):
            pass


async def test_a_reader_that_takes_nothing_is_closed_and_holds_up_nobody(
    served: Served, base: str, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting, "SEND_SECONDS", 0.5)
    monkeypatch.setattr(lasting, "LAST_SECONDS", 0.1)
    before = ended("slow")
    host, _, port = base.removeprefix("http://").partition(":")
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((host, int(port)))
        lines = [f"GET {STREAM} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in ann.headers(STREAM).items()]
        deaf.sendall("\r\n".join([*lines, "", ""]).encode())
        async with streaming(base, ann) as heard:
            await heard.next()
            count, found = 0, 0
            async with asyncio.timeout(60):
                while ended("slow") == before:
                    await happened(served, ann, *["balances_changed"] * 50, size=50_000)
                    count += 50
                    found += len(await heard.changes(50))
            assert found == count
    assert metrics.streams._value.get() <= 1


async def test_a_reader_that_leaves_ends_its_stream_whatever_it_asked_for_behind_it(
    served: Served, base: str, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_routes, "BEAT_SECONDS", 0.05)
    before = ended("client")
    host, _, port = base.removeprefix("http://").partition(":")
    lines = [f"GET {STREAM} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in ann.headers(STREAM).items()]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join([*lines, "", ""]).encode() * 2)
    await reader.readuntil(b"open")
    writer.transport.abort()
    given_up = time.monotonic() + 10
    while ended("client") == before:
        assert time.monotonic() < given_up
        await asyncio.sleep(0.05)
    assert served.services.streams._of_users[ann.user.id] == 0


async def priced(_reader: feeds.Reader, _epoch: int) -> bytes:
    return b""


async def test_who_is_too_far_behind_is_ended_to_come_again(monkeypatch: Any) -> None:
    monkeypatch.setattr(feeds, "MOST_WAITING", 2)
    reader = feeds.Reader(1, feeds.Pass("token", 1), "real", "USD", EventFilter())
    feed = feeds.Feed(reader, priced)
    for number in (1, 2):
        feed.offer(Event(1, number, "deposit", 7, "real", NOW, "{}"))
    assert feed.ending is None
    feed.offer(Event(1, 3, "deposit", 7, "real", NOW, "{}"))
    assert feed.ending == "slow"
    assert await feed.next(1) is None


async def test_only_the_head_is_told_where_only_the_head_is_asked_for(
    served: Served, base: str, ann: Caller
) -> None:
    async with httpx.AsyncClient(base_url=base) as http:
        answer = await http.head(STREAM, headers=ann.headers(STREAM))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_bad_places_and_bad_tokens_are_refused(served: Served, ann: Caller) -> None:
    for headers in ({"Last-Event-ID": "x"}, {"Last-Event-ID": "-1"}, {"Last-Event-ID": "9" * 30}):
        answer = await served.get(ann, STREAM, headers)
        assert (answer.status_code, list(answer.json()["error_attributes"])) == (
            400,
            ["last_event_id"],
        )
    assert (await served.get(ann, f"{STREAM}?kind=x")).status_code == 400
    blind = await served.caller(permissions=("accounts_write",))
    assert (await served.get(blind, STREAM)).status_code == 403
    assert (await served.http.get(STREAM)).status_code == 401
