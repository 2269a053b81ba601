"""What holds for every answer, whichever application gives it."""

import logging
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from coffers import metrics
from coffers.access.call import MAX_BODY
from coffers.api.door import ClientGone
from coffers.api.edge import FAIL, Edge
from coffers.errors import NotFound
from coffers.store.errors import StoreUnavailable


def scope(method: str = "GET", path: str = "/x", query: bytes = b"", **headers: str) -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


class Sent:
    """Collects what an application sends."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def __call__(self, message: Any) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages[1:])


async def nothing() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


NOBODY: Any = None
"""Nobody is let in here whose language could be asked for."""


async def asked(app: Any, request: Scope, receive: Any = nothing) -> Sent:
    sent = Sent()
    await Edge(answering, {"/x": app}, NOBODY)(request, receive, sent)
    return sent


def chunks(*sizes: int) -> Any:
    left = list(sizes)

    async def receive() -> Any:
        size = left.pop(0)
        return {"type": "http.request", "body": b"x" * size, "more_body": bool(left)}

    return receive


async def reading(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["more_body"]:
        continue
    await answering(_scope, receive, send)


async def test_each_answer_has_a_request_id_of_its_own() -> None:
    first, second = [await asked(answering, scope()) for _ in range(2)]
    assert first.headers[b"x-request-id"] != second.headers[b"x-request-id"]
    assert len(first.headers[b"x-request-id"]) == 24


async def test_a_callers_own_request_id_is_kept() -> None:
    sent = await asked(answering, scope(x_request_id="trace-1.A_b"))
    assert sent.headers[b"x-request-id"] == b"trace-1.A_b"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>"])
async def test_an_odd_request_id_is_replaced(given: str) -> None:
    sent = await asked(answering, scope(x_request_id=given))
    assert sent.headers[b"x-request-id"] != given.encode()


async def test_head_is_asked_as_get_and_answered_without_the_body() -> None:
    methods = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        methods.append(scope["method"])
        await answering(scope, receive, send)

    request = scope("HEAD")
    sent = await asked(noting, request)
    assert (methods, sent.body, sent.headers[b"content-length"]) == (["GET"], b"", b"5")
    assert request["method"] == "HEAD"


async def test_a_fault_becomes_the_wires_error() -> None:
    async def failing(*_: Any) -> None:
        raise NotFound("no such thing")

    sent = await asked(failing, scope())
    assert (sent.status, sent.body) == (
        404,
        b'{"error":"not_found","error_description":"Not Found"}',
    )
    assert sent.headers[b"cache-control"] == b"no-store"


async def test_an_unforeseen_fault_is_logged_and_says_nothing() -> None:
    async def failing(*_: Any) -> None:
        raise RuntimeError("a secret detail")

    with capture_logs() as logs:
        sent = await asked(failing, scope())
    assert sent.status == 500
    assert b"secret" not in sent.body
    assert sent.headers[b"x-request-id"] in sent.body
    assert [event["request_id"].encode() for event in logs] == [sent.headers[b"x-request-id"]]


async def test_what_is_away_is_logged_in_the_same_words_for_all_requests() -> None:
    async def failing(*_: Any) -> None:
        raise StoreUnavailable("the database is away")

    with capture_logs() as logs:
        statuses = [(await asked(failing, scope())).status for _ in range(2)]
    assert statuses == [503, 503]
    told = {"event": "request not answered", "reason": "the database is away", "seldom": True}
    error = {"error": "service_unavailable", "log_level": "warning"}
    assert logs == [told | error] * 2


async def test_an_answer_that_breaks_off_is_not_completed() -> None:
    async def breaking(scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        await asked(breaking, scope())


async def test_an_application_may_hand_a_fault_over() -> None:
    async def handing(scope: Scope, _receive: Receive, _send: Send) -> None:
        await scope[FAIL](NotFound("x"))

    assert (await asked(handing, scope())).status == 404


async def test_a_client_that_left_gets_no_answer() -> None:
    async def leaving(*_: Any) -> None:
        raise ClientGone

    assert (await asked(leaving, scope())).messages == []


async def test_a_body_that_is_announced_too_long_is_refused_unread() -> None:
    async def never() -> Any:
        raise AssertionError

    sent = await asked(reading, scope(content_length=str(MAX_BODY + 1)), never)
    assert sent.status == 413


async def test_a_body_in_chunks_is_bounded_too() -> None:
    request = scope(transfer_encoding="chunked")
    assert (await asked(reading, request, chunks(MAX_BODY, 1))).status == 413
    assert (await asked(reading, request, chunks(MAX_BODY - 1, 1))).status == 200


async def test_an_address_that_is_too_long_is_refused() -> None:
    assert (await asked(answering, scope(query=b"x" * 20_000))).status == 414


async def test_requests_are_counted_by_route_and_never_by_raw_path() -> None:
    def counted(route: str) -> float:
        metrics.waiting.write()
        labels = {"route": route, "status": "200"}
        return metrics.REGISTRY.get_sample_value("coffers_requests_total", labels) or 0

    before = counted("/x"), counted("unknown")
    await asked(answering, scope())
    await asked(answering, scope(path="/accounts/secret"))
    assert (counted("/x"), counted("unknown")) == (before[0] + 1, before[1] + 1)
    assert counted("/accounts/secret") == 0


async def test_the_access_log_is_for_debugging_and_names_no_raw_path(
    caplog: pytest.LogCaptureFixture,
) -> None:
    request = scope(path="/secret", query=b"secret=1", apikey="secret")
    with capture_logs() as logs:
        await asked(answering, request)
        assert logs == []
        with caplog.at_level(logging.DEBUG, "coffers.api"):
            await asked(answering, request)
    assert [event["route"] for event in logs] == ["unknown"]
    assert "secret" not in str(logs)


async def test_what_is_no_request_goes_to_the_inner_application() -> None:
    seen = []

    async def inner(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    await Edge(inner, {}, NOBODY)({"type": "lifespan"}, nothing, Sent())
    assert seen == ["lifespan"]
