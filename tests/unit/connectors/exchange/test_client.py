import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from coffers.connectors.exchange.client import (
    NOTHING_HEARD,
    Heard,
    Listening,
    NotJson,
    Unsignable,
    exact_json,
    heard_by,
    routed,
)
from coffers.connectors.exchange.sending import Answer


def test_a_bare_number_keeps_every_digit() -> None:
    body = '{"a": 0.1234567890123456789012345, "b": 5.426e-05, "c": 12345678901234567890}'
    parsed = exact_json(body)
    assert parsed == {
        "a": "0.1234567890123456789012345",
        "b": "5.426e-05",
        "c": 12345678901234567890,
    }
    assert Decimal("5.426e-05") == Decimal("0.00005426")


@pytest.mark.parametrize(
    "body",
    [
        '{"a": "\\ud83d", "b": 1.50}',
        '{"a": 1, "a": 2E+5, "b": -0, "c": -0.0}',
        "[123456789012345678901234567890, 18446744073709551616, -9223372036854775809]",
        ' [true, null, "\\u00e9\\n"]\n',
    ],
)
def test_json_is_read_as_the_standard_library_reads_it(body: str) -> None:
    assert exact_json(body) == json.loads(body, parse_float=str)


@pytest.mark.parametrize("body", ['{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', "<html>"])
def test_what_is_no_json_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="."):
        exact_json(body)


def test_the_gateway_keeps_the_host_the_path_and_the_query_as_they_were_signed() -> None:
    url = "https://api.binance.com/api/v3/account?x=a%2Fb&signature=ff"
    assert routed(url, "http://127.0.0.1:9000", "binance") == (
        "http://127.0.0.1:9000/binance/api.binance.com/api/v3/account?x=a%2Fb&signature=ff"
    )


def test_a_port_of_the_venue_stays_in_the_path() -> None:
    url = "https://api.ndax.io:8443/AP/GetUserAccounts"
    assert routed(url, "http://gw", "ndax") == "http://gw/ndax/api.ndax.io:8443/AP/GetUserAccounts"


def test_without_a_gateway_the_venue_itself_is_called() -> None:
    assert routed("https://api.kraken.com/0", None, "kraken") == "https://api.kraken.com/0"


class Plain:
    """What is left of ccxt's class here."""

    id = "binance"
    timeout = 10_000
    session = None

    def __init__(self, status: int = 200, text: str = "{}") -> None:
        self.status, self.text = status, text
        self.sent: list[tuple[str, str, dict[str, str], str | None]] = []
        self.refused: object = None

    def prepare_request_headers(self, headers: dict[str, str] | None) -> dict[str, str]:
        return {**(headers or {}), "User-Agent": "x"}

    def parse_json(self, text: str) -> object:
        with suppress(ValueError):
            return self.on_json_response(text) if text[:1] in ("{", "[") else None
        return None

    def handle_errors(self, *args: object) -> None:
        self.refused = args
        if self.status == 429:
            raise ConnectionRefusedError

    def handle_http_status_code(self, *_args: object) -> None:
        if self.status == 503:
            raise ConnectionResetError

    def sign(self, *_args: object) -> object:
        raise self.refused  # type: ignore[misc]

    def calculate_rate_limiter_cost(self, *_args: object) -> object:
        return self.number("1.5") > 1

    def extend(self, *args: dict[str, object]) -> dict[str, object]:
        return {name: value for arg in args for name, value in arg.items()}


class Client(Listening, Plain):
    gateway = "http://gw"
    number = str


URL = "https://api.binance.com/time"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client()

    async def send(_session: object, method: str, *rest: Any) -> Answer:
        url, headers, body, seconds = rest
        assert seconds == 10
        made.sent.append((method, url, headers, body))
        return Answer(made.status, "Told", {"Retry-After": "3"}, made.text)

    monkeypatch.setattr("coffers.connectors.exchange.client.send", send)
    return made


def test_a_calls_cost_is_reckoned_with_and_amounts_stay_exact() -> None:
    client = Client()
    assert client.calculate_rate_limiter_cost("public", "GET", "path", {}) is True
    assert client.number is str


def test_nothing_is_merged_as_nothing() -> None:
    assert Client().extend({"a": 1}, None, {"b": 2}) == {"a": 1, "b": 2}


async def test_a_request_is_sent_as_it_was_signed_by_way_of_the_gateway(client: Client) -> None:
    await client.fetch(URL, "POST", {"X-Key": "1"}, "a=1")
    headers = {"X-Key": "1", "User-Agent": "x"}
    assert client.sent == [("POST", "http://gw/binance/api.binance.com/time", headers, "a=1")]


@pytest.mark.parametrize(
    ("text", "answer"),
    [('{"a": 1.50}', {"a": "1.50"}), ("[]", []), ("{}", {}), ("1760000000000", "1760000000000")],
)
async def test_json_and_whole_numbers_pass(client: Client, text: str, answer: object) -> None:
    client.text = text
    assert await client.fetch(URL) == answer


@pytest.mark.parametrize("text", ["<html>Maintenance</html>", "", '{"a": ', '"disabled"', "1.5"])
async def test_anything_else_is_no_answer(client: Client, text: str) -> None:
    client.text = text
    with pytest.raises(NotJson):
        await client.fetch(URL)
    assert (client.heard.status, client.heard.answer) == (200, None)


async def test_a_word_is_an_answer_where_the_venue_has_such(client: Client) -> None:
    client.id, client.text = "hyperliquid", '"unifiedAccount"'
    assert await client.fetch(URL) == '"unifiedAccount"'
    assert client.heard.answer == "unifiedAccount"


async def test_ccxt_is_asked_what_an_answer_means(client: Client) -> None:
    client.text = '{"code": 7}'
    await client.fetch(URL, body="a=1")
    url, sent = "http://gw/binance/api.binance.com/time", {"User-Agent": "x"}
    heads = {"Retry-After": "3"}
    told = (200, "Told", url, "GET", heads, '{"code": 7}', {"code": 7}, sent, "a=1")
    assert client.refused == told
    assert client.last_http_response == '{"code": 7}'


@pytest.mark.parametrize(
    ("status", "error"), [(429, ConnectionRefusedError), (503, ConnectionResetError)]
)
async def test_status_headers_and_body_are_kept_for_whoever_asks_why(
    client: Client, status: int, error: type[Exception]
) -> None:
    client.status, client.text = status, '{"code": 7}'
    with pytest.raises(error) as raised:
        await client.fetch(URL)
    heard = heard_by(raised.value, NOTHING_HEARD)
    assert heard == client.heard == Heard(status, {"Retry-After": "3"}, {"code": 7})


async def test_a_new_call_forgets_the_last_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.fetch(URL)

    async def lost(*_args: object) -> Answer:
        raise TimeoutError

    monkeypatch.setattr("coffers.connectors.exchange.client.send", lost)
    with pytest.raises(TimeoutError):
        await client.fetch(URL)
    assert client.heard is NOTHING_HEARD


def test_a_secret_of_the_wrong_form_is_told_apart() -> None:
    client = Client()
    client.refused = ValueError("Incorrect padding")
    with pytest.raises(Unsignable):
        client.sign("path")


def test_other_errors_of_signing_pass() -> None:
    client = Client()
    client.refused = ConnectionError()
    with pytest.raises(ConnectionError):
        client.sign("path")
