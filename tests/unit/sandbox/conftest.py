from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from coffers.sandbox.answering import healthy
from coffers.sandbox.call import Call
from coffers.sandbox.demo import DemoKey, demo_keys
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.signing import sign

NOW = 1_760_000_000_123


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(seed=7, now=lambda: NOW)


@pytest.fixture
def saver() -> DemoKey:
    return demo_keys()[0]


@pytest.fixture
def trader() -> DemoKey:
    return demo_keys()[1]


@pytest.fixture
def american() -> DemoKey:
    return demo_keys()[2]


@pytest.fixture
def signed(exchange: Exchange) -> Callable[..., Call]:
    """Makes signed requests of a demo key, at the exchange's present moment."""

    def make(key: DemoKey, method: str, path: str, **params: object) -> Call:
        sent = urlencode({"timestamp": exchange.now(), **params})
        text = f"{sent}&signature={sign(key.secret, sent)}"
        query, body = (text, "") if method == "GET" else ("", text)
        return Call(key.venue, method, path, query, body, key.key, "127.0.0.1")

    return make


@pytest.fixture
def ask(exchange: Exchange) -> Callable[[Call], tuple[int, Any]]:
    """Asks the exchange; gives status and decoded body."""

    def tell(call: Call) -> tuple[int, Any]:
        answer = healthy(exchange, call)
        return answer.status, msgspec.json.decode(answer.body)

    return tell


@pytest.fixture
def public(ask: Callable[[Call], tuple[int, Any]]) -> Callable[..., Any]:
    """Asks a public path of Binance; gives the decoded body."""

    def tell(path: str, **params: object) -> Any:
        return ask(Call("binance", "GET", path, urlencode(params)))[1]

    return tell
