import json
from decimal import Decimal

import pytest

from coffers.connectors.exchange.client import (
    NOTHING_HEARD,
    Listening,
    NotJson,
    Unsignable,
    exact_json,
    routed,
)


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

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.urls: list[str] = []

    async def fetch(self, url: str, *_rest: object) -> object:
        self.urls.append(url)
        return self.answer

    def sign(self, *_args: object) -> object:
        raise self.answer  # type: ignore[misc]

    def on_rest_response(self, *args: object) -> str:
        return str(args[5]).strip()

    def calculate_rate_limiter_cost(self, *_args: object) -> object:
        return self.number("1.5") > 1

    def extend(self, *args: dict[str, object]) -> dict[str, object]:
        return {name: value for arg in args for name, value in arg.items()}


class Client(Listening, Plain):
    gateway = "http://gw"
    number = str


def test_a_calls_cost_is_reckoned_with_and_amounts_stay_exact() -> None:
    client = Client({})
    assert client.calculate_rate_limiter_cost("public", "GET", "path", {}) is True
    assert client.number is str


def test_nothing_is_merged_as_nothing() -> None:
    assert Client({}).extend({"a": 1}, None, {"b": 2}) == {"a": 1, "b": 2}


@pytest.mark.parametrize("answer", [{"a": 1}, [], {}, "1760000000000"])
async def test_json_and_whole_numbers_pass(answer: object) -> None:
    client = Client(answer)
    assert await client.fetch("https://api.binance.com/time") == answer
    assert client.urls == ["http://gw/binance/api.binance.com/time"]


@pytest.mark.parametrize("answer", ["<html>Maintenance</html>", "", '{"a": ', None, b"x"])
async def test_anything_else_is_no_answer(answer: object) -> None:
    with pytest.raises(NotJson):
        await Client(answer).fetch("https://api.binance.com/time")


def test_status_headers_and_body_are_kept_for_whoever_asks_why() -> None:
    client = Client(None)
    body = client.on_rest_response(429, "Slow", "url", "GET", {"Retry-After": "3"}, ' {"code": 7} ')
    assert client.on_json_response(body) == {"code": 7}
    assert (client.heard.status, client.heard.answer) == (429, {"code": 7})
    assert client.heard.headers["Retry-After"] == "3"


def test_a_page_is_heard_without_an_answer() -> None:
    client = Client(None)
    client.on_rest_response(403, "No", "url", "GET", {}, "<html>")
    with pytest.raises(ValueError, match="."):
        client.on_json_response("<html>")
    assert (client.heard.status, client.heard.answer) == (403, None)


async def test_a_new_call_forgets_the_last_answer() -> None:
    client = Client({})
    client.on_rest_response(429, "Slow", "url", "GET", {}, "{}")
    await client.fetch("https://api.binance.com/time")
    assert client.heard is NOTHING_HEARD


def test_a_secret_of_the_wrong_form_is_told_apart() -> None:
    with pytest.raises(Unsignable):
        Client(ValueError("Incorrect padding")).sign("path")


def test_other_errors_of_signing_pass() -> None:
    with pytest.raises(ConnectionError):
        Client(ConnectionError()).sign("path")
