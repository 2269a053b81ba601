import asyncio
from decimal import DivisionByZero
from types import SimpleNamespace

import pytest

from coffers.connectors.reading import ConnectorFailure, FailureKind
from unit.connectors.exchange.fakes import FakeExchange, ccxt_error, session


def drifted() -> Exception:
    return ccxt_error("InvalidNonce", "NetworkError", "OperationFailed", "BaseError")


def adjustable(*answers: object) -> FakeExchange:
    def set_clock() -> int:
        exchange.options["timeDifference"] = 250
        return 250

    exchange = FakeExchange(fetch_balance=list(answers), load_time_difference=set_clock)
    exchange.options = {"adjustForTimeDifference": True, "timeDifference": 0}
    exchange.has = {"fetchTime": True}
    return exchange


async def test_a_clock_that_is_off_is_set_and_the_call_made_again() -> None:
    exchange = adjustable(drifted(), {"BTC": 1})
    talk = session(exchange)
    assert await talk.ask("fetch_balance") == {"BTC": 1}
    assert talk.prototype.options == {"timeDifference": 250}
    names = [name for name, _ in exchange.asked]
    assert names == ["fetch_balance", "load_time_difference", "fetch_balance"]


async def test_a_clock_that_stays_off_is_a_failure() -> None:
    with pytest.raises(ConnectorFailure) as caught:
        await session(adjustable(drifted(), drifted())).ask("fetch_balance")
    assert caught.value.kind is FailureKind.CLOCK_DRIFT


async def test_a_venue_that_numbers_its_requests_is_just_asked_again() -> None:
    exchange = FakeExchange(fetch_balance=[drifted(), {"BTC": 1}])
    assert await session(exchange).ask("fetch_balance") == {"BTC": 1}


async def test_no_other_failure_is_tried_again() -> None:
    exchange = FakeExchange(fetch_balance=[KeyError("x"), {}])
    with pytest.raises(ConnectorFailure):
        await session(exchange).ask("fetch_balance")
    assert len(exchange.asked) == 1


async def test_a_cancellation_passes() -> None:
    def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await session(FakeExchange(fetch_balance=cancelled)).ask("fetch_balance")


def test_a_session_shows_no_secret() -> None:
    talk = session(FakeExchange(), hidden=("fake-secret-1",))
    talk.exchange = SimpleNamespace(heard=None)
    assert "fake-secret-1" not in repr(talk)


@pytest.mark.parametrize(
    ("error", "is_unsent"),
    [
        (ccxt_error("ArgumentsRequired", "ExchangeError", "BaseError"), True),
        (ccxt_error("RequestTimeout", "NetworkError", "BaseError"), False),
        (KeyError("x"), False),
        (DivisionByZero(), True),
    ],
)
async def test_what_the_library_itself_refused_was_never_sent(
    error: Exception, is_unsent: bool
) -> None:
    talk = session(FakeExchange(create_order=[error]))
    with pytest.raises(ConnectorFailure):
        await talk.ask_once("create_order")
    assert talk.is_unsent is is_unsent


async def test_an_answer_that_broke_off_was_sent() -> None:
    error = ccxt_error("ExchangeError", "BaseError")
    error.__cause__ = ccxt_error("ClientPayloadError", "ClientError")
    talk = session(FakeExchange(create_order=[error]))
    with pytest.raises(ConnectorFailure):
        await talk.ask_once("create_order")
    assert not talk.is_unsent
