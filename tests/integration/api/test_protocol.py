"""What the server takes from anybody who connects, before a request is one."""

import asyncio
import json
import random
import re
from collections.abc import Callable
from typing import Any

import httptools
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from coffers.api.protocol import BoundedProtocol
from coffers.api.refusing import MAX_FIELDS, MAX_HEAD
from coffers.tasks import in_task
from line import HEAD, LIST, POST, SOON, App, connected, joined
from served import listening


class Hasty(BoundedProtocol):
    head_seconds = 0.05
    body_seconds = 0.05


class HastyAtHeads(BoundedProtocol):
    head_seconds = 0.05


class Forgetful(BoundedProtocol):
    """Keeps a connection on which nothing happens for a tenth of a second."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.timeout_keep_alive = 0.1


class Piecemeal(BoundedProtocol):
    """Gets what comes in pieces of a kilobyte at most, however the network joined it."""

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), 1000):
            super().data_received(data[start : start + 1000])


TOO_LARGE = (431, "header_fields_too_large")


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X: " + b"a" * MAX_HEAD,
        HEAD + b"X: " + b"a" * MAX_HEAD + b"\r\n\r\n",
        HEAD + b"a" * MAX_HEAD,
        HEAD + b"X: y\r\n" * (MAX_FIELDS + 1) + b"\r\n",
        b"\r\n" * MAX_HEAD,
    ],
    ids=["endless", "complete", "endless name", "many fields", "empty lines"],
)
async def test_a_head_that_is_too_large(head: bytes) -> None:
    async with connected() as line:
        await line.say(head)
        assert await line.error() == TOO_LARGE


async def test_a_head_without_an_end_is_fed_to_the_parser_no_further_than_its_bound() -> None:
    fed = 0

    class Counting:
        def __init__(self, protocol: BoundedProtocol) -> None:
            self._parser = httptools.HttpRequestParser(protocol)

        def feed_data(self, data: bytes) -> None:
            nonlocal fed
            fed += len(data)
            self._parser.feed_data(data)

    class Counted(Piecemeal):
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self.parser = Counting(self)

    async with connected(http=Counted) as line:
        await line.say(HEAD + b"X: " + b"a" * 4 * MAX_HEAD)
        assert await line.error() == TOO_LARGE
    assert MAX_HEAD < fed <= MAX_HEAD + 1000


async def test_a_head_that_just_fits_in_pieces() -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 320) for number in range(MAX_FIELDS - 1))
    head = HEAD + fields + b"\r\n"
    assert MAX_HEAD - 500 < len(head) < MAX_HEAD
    async with connected() as line:
        for start in range(0, len(head), 5000):
            await line.say(head[start : start + 5000])
        assert (await line.answer())[0] == 200


async def test_heads_that_follow_each_other_are_not_one_large_head() -> None:
    async with connected() as line:
        await line.say((HEAD + b"X: " + b"a" * 4000 + b"\r\n\r\n") * 20)
        assert [(await line.answer())[0] for _ in range(20)] == [200] * 20


async def test_a_body_that_is_larger_than_a_head_may_be() -> None:
    body = b"b" * 3 * MAX_HEAD
    async with connected() as line:
        await line.say(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        status, _, answered = await line.answer()
    assert (status, answered) == (200, body)


async def test_an_address_without_an_end() -> None:
    async with connected() as line:
        await line.say(b"GET /" + b"a" * MAX_HEAD)
        assert await line.error() == (414, "uri_too_long")


async def test_trailers_without_an_end() -> None:
    async with connected(http=Piecemeal) as line:
        await line.say(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ")
        await line.say(b"a" * 4 * MAX_HEAD)
        assert await line.error() == TOO_LARGE


UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


@pytest.mark.parametrize("rest", [HEAD + b"\r\n", LIST + b"\r\n"])
@pytest.mark.parametrize("head", [HEAD, LIST, POST + b"Content-Length: 0\r\n"])
async def test_who_asks_for_another_protocol_is_answered_in_this_one(
    head: bytes, rest: bytes
) -> None:
    async with connected() as line:
        await line.say(head + UPGRADE + b"\r\n" + rest + HEAD + UPGRADE + b"\r\n")
        for _ in range(3):
            assert (await line.answer())[0] == 200
        await line.say(rest)
        assert (await line.answer())[0] == 200


@pytest.mark.parametrize("length", [b"Content-Length: 27", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("is_slow", [True, False])
async def test_a_body_of_who_asks_for_another_protocol_is_no_request(
    length: bytes, is_slow: bool
) -> None:
    # A proxy takes it as the body that it is, and the answer to it as that of whoever asks next.
    async with connected() as line:
        await line.say(POST + UPGRADE + length + b"\r\n\r\n")
        if is_slow:
            await asyncio.sleep(0.05)
        await line.say(HEAD + b"\r\n")
        assert await line.error() == (400, "bad_request")


class Named(App):
    """Answers with the names of the headers that it is handed with a request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.names = [name for name, _ in scope["headers"]]
        await super().__call__(scope, receive, send)
        self.names_afterwards = [name for name, _ in scope["headers"]]


@pytest.mark.parametrize("is_slow", [True, False])
async def test_what_follows_a_body_is_no_header(is_slow: bool) -> None:
    # A proxy that sets X-Forwarded-For may hand on what a client wrote behind its body.
    app = Named()
    async with connected(app) as line:
        await line.say(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        if is_slow:
            await asyncio.sleep(0.05)
        await line.say(b"0\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n")
        assert (await line.answer())[2] == b"a"
    assert app.names == app.names_afterwards == [b"host", b"transfer-encoding"]


@pytest.mark.parametrize(
    "request_text",
    [
        b"FETCH / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        HEAD + b"bad name : x\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nnot-a-size\r\n",
    ],
)
async def test_what_is_no_http(request_text: bytes) -> None:
    async with connected() as line:
        await line.say(request_text)
        assert await line.error() == (400, "bad_request")


async def test_a_request_id_is_kept_where_it_came_in_time() -> None:
    async with connected() as line:
        await line.say(HEAD + b"X-Request-Id: mine\r\nX: " + b"a" * MAX_HEAD)
        _, headers, _ = await line.answer()
    assert headers["x-request-id"] == "mine"


async def test_a_fault_does_not_cut_the_answer_to_an_earlier_request() -> None:
    app = App()
    app.may_answer.clear()
    async with connected(app) as line:
        await line.say(POST + b"Content-Length: 5\r\n\r\nfirst" + b"FETCH")
        app.may_answer.set()
        status, _, body = await line.answer()
        assert (status, body) == (200, b"first")
        assert await line.rest() == b""


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with connected(http=Hasty) as line:
        assert await line.rest() == b""


@pytest.mark.parametrize("half", [b"G", HEAD, HEAD + b"X: a"])
async def test_a_head_that_is_never_finished(half: bytes) -> None:
    async with connected(http=Hasty) as line:
        await line.say(half)
        assert await line.error() == (408, "request_timeout")


async def test_a_head_that_comes_byte_by_byte_has_no_more_time() -> None:
    async with connected(http=Hasty) as line:

        async def trickle() -> None:
            await line.say(HEAD + b"X: ")
            while True:
                await line.say(b"a")
                await asyncio.sleep(0.01)

        trickling = asyncio.create_task(trickle())
        assert await line.error() == (408, "request_timeout")
        trickling.cancel()


async def test_a_body_that_stands_still() -> None:
    async with connected(http=Hasty) as line:
        await line.say(POST + b"Content-Length: 9\r\n\r\nhalf")
        assert await line.error() == (408, "request_timeout")


async def test_a_body_that_stands_still_after_its_answer_only_ends_the_connection() -> None:
    app = App()
    app.reads_bodies = False
    async with connected(app, Hasty) as line:
        await line.say(POST + b"Content-Length: 9\r\n\r\n")
        assert (await line.answer())[0] == 200
        await line.say(b"half")
        assert await line.rest() == b""


async def test_the_rest_of_a_body_after_its_answer_does_not_hold_the_connection() -> None:
    app = App()
    app.reads_bodies = False
    async with connected(app, Forgetful) as line:
        await line.say(POST + b"Content-Length: 4\r\n\r\n")
        assert (await line.answer())[0] == 200
        await line.say(b"rest")
        assert await line.rest() == b""


async def test_an_empty_line_after_an_answer_does_not_hold_the_connection() -> None:
    async with connected(http=Hasty) as line:
        await line.say(HEAD + b"\r\n")
        assert (await line.answer())[0] == 200
        await line.say(b"\r\n")
        assert await line.error() == (408, "request_timeout")


async def test_a_connection_kept_alive_is_none_that_says_nothing() -> None:
    async with connected(http=Hasty) as line:
        await line.say(HEAD + b"\r\n")
        assert (await line.answer())[0] == 200
        assert await line.stays_open()
        await line.say(HEAD + b"\r\n")
        assert (await line.answer())[0] == 200


@pytest.mark.parametrize("after", [b"", HEAD, b"\r\n"])
async def test_a_client_that_waits_for_its_answer_is_not_late(after: bytes) -> None:
    app = App()
    app.may_answer.clear()
    async with connected(app, Hasty) as line:
        await line.say(HEAD + b"\r\n" + after)
        assert await line.stays_open()
        app.may_answer.set()
        assert (await line.answer())[0] == 200


async def test_a_body_that_moves_on_has_time() -> None:
    async with connected(http=HastyAtHeads) as line:
        await line.say(POST + b"Content-Length: 8\r\n\r\nhalf")
        assert await line.stays_open()
        await line.say(b"half")
        assert (await line.answer())[2] == b"halfhalf"


class QuickThenSlow(App):
    """Answers the first request at once, and the next one after a while."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reads_bodies = False
        await super().__call__(scope, receive, send)
        self.may_answer.clear()
        asyncio.get_running_loop().call_later(0.5, self.may_answer.set)


async def test_a_connection_on_which_a_second_answer_is_awaited_is_not_idle() -> None:
    async with connected(QuickThenSlow(), Forgetful) as line:
        await line.say(2 * (HEAD + b"\r\n"))
        assert [(await line.answer())[0] for _ in range(2)] == [200, 200]


class PatientAtBodies(Forgetful):
    body_seconds = 5


async def test_a_body_that_outlasts_its_answer_leaves_time_for_the_next_request() -> None:
    app = App()
    app.reads_bodies = False
    async with connected(app, PatientAtBodies) as line:
        await line.say(POST + b"Content-Length: 6\r\n\r\n")
        assert (await line.answer())[0] == 200
        for _ in range(6):
            await asyncio.sleep(0.04)
            await line.say(b"x")
        await asyncio.sleep(0.02)
        await line.say(HEAD + b"\r\n")
        assert (await line.answer())[0] == 200


@pytest.mark.parametrize("is_ready", [True, False])
@pytest.mark.parametrize("first", [HEAD, LIST])
async def test_lists_that_come_together_are_answered_in_their_order(
    first: bytes, is_ready: bool
) -> None:
    app = App()
    if not is_ready:
        app.may_answer.clear()
    async with connected(app) as line:
        await line.say(first + b"\r\n" + 300 * (LIST + b"\r\n"))
        await asyncio.sleep(0.02)
        app.may_answer.set()
        assert {(await line.answer())[0] for _ in range(301)} == {200}


class Limited(App):
    """Gives a list a tenth of a second, which it does not keep."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/":
            await in_task()
            try:
                async with asyncio.timeout(0.1):
                    await asyncio.sleep(SOON)
            except TimeoutError:
                self.is_limited = True
        await super().__call__(scope, receive, send)
        # Longer than what follows it on the connection.
        await asyncio.sleep(0.2)
        self.has_ended = True

    is_limited = has_ended = False


@pytest.mark.parametrize("before", [b"", HEAD + b"\r\n"])
async def test_a_limit_of_time_is_that_of_the_list_alone(before: bytes) -> None:
    app = Limited()
    async with connected(app) as line:
        await line.say(before + LIST + b"\r\n")
        for _ in range(2 if before else 1):
            assert (await line.answer())[0] == 200
        assert app.is_limited
        await asyncio.sleep(0.3)
        assert app.has_ended


@pytest.mark.parametrize("is_ready", [True, False])
async def test_a_client_that_leaves_a_list_that_waits_harms_nobody(is_ready: bool) -> None:
    app = App()
    async with listening(app, BoundedProtocol) as base:
        app.may_answer.clear()
        async with joined(base) as line:
            await line.say(LIST + b"\r\n")
            await asyncio.sleep(0.02)
        if is_ready:
            app.may_answer.set()
        await asyncio.sleep(0.02)
        app.may_answer.set()
        async with joined(base) as line:
            await line.say(LIST + b"\r\n")
            assert (await line.answer())[0] == 200


class Mirror:
    """Answers with the request as it came to it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        parts = ("method", "raw_path", "query_string", "http_version", "headers")
        told = repr(([scope[part] for part in parts], body)).encode()
        headers = [(b"content-length", b"%d" % len(told))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": told})


class Cut(BoundedProtocol):
    """Gets what comes in the pieces that a bar ends."""

    def data_received(self, data: bytes) -> None:
        for piece in data.split(b"|"):
            if piece:
                super().data_received(piece)


SIGNED = LIST + b"Apikey: k\r\nSignature: s\r\n\r\n"
REQUESTS = [
    *6 * [SIGNED],
    LIST + b"Apikey: k\r\nSignature: t\r\n\r\n",
    LIST.replace(b" HTTP", b"?page=2 HTTP") + b"\r\n",
    LIST.replace(b"GET", b"HEAD").replace(b"ver1/accounts", b"ver1/users") + b"\r\n",
    LIST.replace(b"GET", b"POST") + b"Content-Length: 5\r\n\r\n" + b"12|345",
    LIST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    LIST + b"Expect: 100-continue\r\n\r\n",
    LIST.replace(b"1.1", b"2.0") + b"Connection: keep-alive\r\n\r\n",
    LIST.replace(b"1.1", b"2.0") + b"Connection: keep-alive\r\n\r\n",
    b"\r\n" + SIGNED,
    SIGNED + SIGNED,
    HEAD + b"\r\n",
]


@pytest.mark.parametrize("seed", range(12))
async def test_requests_that_come_again_are_those_that_a_parser_finds(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    said = b""
    for request in chance.choices(REQUESTS, k=60):
        cut = chance.randrange(len(request)) if chance.random() < 0.2 else 0
        bar = b"|" if chance.random() < 0.9 else b""
        said += request[:cut] + b"|" * (cut > 0) + request[cut:] + bar
    said += b"|" + SIGNED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    found = []
    for http, data in ((Cut, said), (HttpToolsProtocol, said.replace(b"|", b""))):
        async with listening(Mirror(), http) as base, joined(base) as line:
            await line.say(data)
            found.append(without_dates(await line.rest()))
    assert found[0].count(b" 200 OK") > 60
    assert found[0] == found[1]


def without_dates(answers: bytes) -> bytes:
    return re.sub(rb"date: [^\r]*\r\n", b"", answers)


@pytest.mark.parametrize("level", ["info", "debug"])
async def test_who_sends_no_request_fills_no_log(
    level: str, logs_of_a_process: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    logs_of_a_process(level)
    async with connected() as line:
        await line.say(b"no request\r\n\r\n")
        assert (await line.error())[0] == 400
    async with connected() as line:
        await line.say(HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        await line.answer()
    said = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    warned = [each["event"] for each in said if each["level"] == "warning"]
    assert bool(warned) == (level == "debug")
