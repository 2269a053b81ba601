"""The walk back: every window, page and kind of history, resumed anywhere, to its end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from coffers.clock import DAY, MINUTE, ManualClock, Millis
from coffers.connectors.exchange.failures import UNTOLD, Venue
from coffers.connectors.exchange.fiat import FiatOrders
from coffers.connectors.exchange.past_flows import CALLS, LONGEST_REST, read_past_flows
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.past import PastFlows, PastRequest
from coffers.connectors.reading import ConnectorFailure, FailureKind
from factories import NOW
from unit.connectors.exchange.fakes import FakeExchange, ccxt_error, session
from unit.connectors.exchange.flow_fakes import SOMEWHERE, binance, row

KUCOIN = Venue("kucoin", "KuCoin", ("kucoin",))
US = Venue("binanceus", "Binance US", ("binanceus",))
"""Windows of 90 days, pages of 1000, no orders of states' money; from 2019 on."""

SPOT = frozenset({"spot"})


def year(number: int) -> Millis:
    return Millis(round(datetime(number, 1, 1, tzinfo=UTC).timestamp() * 1000))


@dataclass
class Walked:
    """What a walk brought, step by step."""

    steps: list[PastFlows] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [flow.external_id for step in self.steps for flow in step.flows]

    @property
    def is_whole(self) -> bool:
        return all(step.is_whole for step in self.steps)

    @property
    def last(self) -> PastFlows:
        return self.steps[-1]


async def walk(where: VenueSession, before: Millis = NOW, most: int = 900) -> Walked:
    """Walk to the end, two minutes between two steps."""
    walked, fiat, cursor = Walked(), FiatOrders(), None
    assert isinstance(where.clock, ManualClock)
    while not walked.steps or cursor is not None:
        assert len(walked.steps) < most, "the walk does not end"
        request = PastRequest(before, cursor)
        walked.steps.append(await read_past_flows(where, request, SPOT, fiat))
        cursor = walked.last.cursor
        where.clock.advance(2 * MINUTE)
    return walked


def history(*rows: dict[str, Any]) -> Callable[..., Any]:
    """Return a history that tells what lies in the span, the newest first."""

    def answer(_code: Any, start: int | None, limit: int, params: dict[str, int]) -> list[Any]:
        end = params.get("endTime", NOW)
        found = [one for one in rows if (start or 0) <= one["timestamp"] <= end]
        return sorted(found, key=lambda one: -one["timestamp"])[:limit]

    return answer


def calls(exchange: FakeExchange, name: str = "fetch_deposits") -> list[Any]:
    return [args for asked, args in exchange.asked if asked == name]


async def test_windows_go_back_without_a_gap_to_the_year_of_the_venue() -> None:
    old = row(id="old", timestamp=year(2019) + DAY)
    steady = [row(id=f"d{n}", timestamp=NOW - n * 300 * DAY) for n in range(1, 8)]
    exchange = binance(history(*steady, old))
    walked = await walk(session(exchange, US))
    spans = [(args[1], args[3]["endTime"]) for args in calls(exchange)]
    assert spans[0] == (NOW - 90 * DAY, NOW)
    assert all(later[0] == earlier[1] for later, earlier in pairwise(spans))
    assert spans[-1][0] == year(2019)
    assert sorted(walked.ids) == sorted(["old", *(f"d{n}" for n in range(1, 8))])
    assert walked.is_whole
    assert (walked.last.known_since, walked.last.ends_at) == (year(2019), year(2019))


async def test_a_step_makes_a_few_calls_and_the_next_one_goes_on_from_there() -> None:
    exchange = binance()
    step = await read_past_flows(session(exchange, US), PastRequest(NOW), SPOT, FiatOrders())
    assert len(exchange.asked) == CALLS
    assert step.known_since == NOW - 3 * 90 * DAY
    again = binance()
    after = PastRequest(NOW, step.cursor)
    await read_past_flows(session(again, US), after, SPOT, FiatOrders())
    assert calls(again)[0][3]["endTime"] == step.known_since


async def test_a_walk_is_the_same_however_often_a_step_is_lost() -> None:
    rows = [row(id=f"d{n}", timestamp=NOW - n * 50 * DAY) for n in range(1, 40)]
    whole = await walk(session(binance(history(*rows)), US))
    where, cursor, found = session(binance(history(*rows)), US), None, set()
    for _ in range(100):
        request = PastRequest(NOW, cursor)
        lost = await read_past_flows(where, request, SPOT, FiatOrders())
        step = await read_past_flows(where, request, SPOT, FiatOrders())
        assert step == lost
        found |= {flow.external_id for flow in step.flows}
        cursor = step.cursor
        if cursor is None:
            break
    assert found == set(whole.ids)


async def test_an_account_that_rested_for_two_years_is_walked_beyond() -> None:
    rows = [row(id="old", timestamp=NOW - 800 * DAY)]
    assert (await walk(session(binance(history(*rows)), US))).ids == ["old"]


async def test_a_very_long_rest_ends_the_walk_and_it_says_where() -> None:
    exchange = binance()
    walked = await walk(session(exchange, US))
    assert walked.ids == []
    assert year(2019) < walked.last.known_since <= NOW - LONGEST_REST
    assert len(calls(exchange)) == 13


async def test_what_readings_look_at_is_not_brought() -> None:
    rows = [row(id="theirs", timestamp=NOW), row(id="ours", timestamp=NOW - 1)]
    assert (await walk(session(binance(history(*rows)), US))).ids == ["ours"]


async def test_what_is_under_way_is_left_out() -> None:
    pending = row(status="pending", timestamp=NOW - DAY)
    walked = await walk(session(binance(history(pending)), US))
    assert walked.ids == []
    assert walked.is_whole


async def test_a_full_window_is_halved_until_it_is_told_whole() -> None:
    rows = [row(id=f"d{n}", timestamp=NOW - DAY - n * 60_000) for n in range(2500)]
    walked = await walk(session(binance(history(*rows)), US))
    assert len(set(walked.ids)) == 2500
    assert walked.is_whole


async def test_pages_are_turned_across_steps() -> None:
    rows = [row(id=f"d{n}") for n in range(1_000)]

    def answer(_code: Any, _since: Any, limit: int, params: dict[str, int]) -> list[Any]:
        first = params.get("offset", 0)
        return rows[first : first + limit]

    where = Venue("whitebit", "WhiteBIT", ("whitebit",))
    walked = await walk(session(binance(answer), where))
    assert walked.ids == [f"d{n}" for n in range(1_000)]
    assert len(walked.steps) == 2
    assert walked.is_whole


async def test_a_venue_that_ignores_the_page_ends_all_the_same_and_says_so() -> None:
    where = Venue("whitebit", "WhiteBIT", ("whitebit",))
    full = [row(id=f"d{n}") for n in range(100)]
    walked = await walk(session(binance(lambda *_: full), where))
    assert not walked.is_whole
    assert len(set(walked.ids)) == 100


async def test_a_venue_without_windows_or_pages_says_when_it_left_something_out() -> None:
    few = await walk(session(binance([row()]), SOMEWHERE))
    assert (few.ids, few.is_whole, len(few.steps)) == (["d1"], True, 1)
    many = await walk(session(binance([row(id=f"d{n}") for n in range(50)]), SOMEWHERE))
    assert not many.is_whole


async def test_windows_of_a_week_are_walked_to_the_end() -> None:
    exchange = binance()
    walked = await walk(session(exchange, KUCOIN))
    assert walked.last.known_since <= NOW - LONGEST_REST
    assert len(calls(exchange)) == -(-LONGEST_REST // (7 * DAY))


async def test_a_venue_that_tells_nothing_is_not_asked() -> None:
    exchange = FakeExchange()
    walked = await walk(session(exchange, SOMEWHERE))
    assert exchange.asked == []
    assert (walked.last.known_since, walked.is_whole) == (NOW, False)


async def test_histories_of_a_wallet_that_is_not_read_are_not_asked() -> None:
    exchange = binance()
    request = PastRequest(NOW)
    step = await read_past_flows(
        session(exchange, US), request, frozenset({"futures"}), FiatOrders()
    )
    assert (exchange.asked, step.cursor, step.is_whole) == ([], None, False)


async def test_a_history_that_the_key_may_not_see_does_not_hold_up_the_other() -> None:
    denied = ccxt_error("PermissionDenied", "AuthenticationError", "ExchangeError", text="no")
    exchange = binance(lambda *_: denied, history(row(id="w1", type="withdrawal")))
    walked = await walk(session(exchange, US))
    assert (walked.ids, walked.is_whole) == (["w1"], False)


async def test_a_key_that_may_see_no_history_is_told_so() -> None:
    denied = ccxt_error("PermissionDenied", "AuthenticationError", "ExchangeError", text="no")
    exchange = binance(lambda *_: denied, lambda *_: denied)
    with pytest.raises(ConnectorFailure) as failure:
        await walk(session(exchange, US))
    assert failure.value.kind in UNTOLD


@pytest.mark.parametrize("name", ["RateLimitExceeded", "ExchangeNotAvailable", "RequestTimeout"])
async def test_an_outage_leaves_no_gap_but_ends_the_step(name: str) -> None:
    fault = ccxt_error(name, "NetworkError", "OperationFailed", "BaseError", text="later")
    exchange = binance(lambda *_: [], lambda *_: fault)
    with pytest.raises(ConnectorFailure):
        await walk(session(exchange, US))


async def test_an_answer_that_is_no_history_leaves_no_gap_but_ends_the_step() -> None:
    exchange = binance()

    async def junk(*_args: Any) -> Any:
        return {"html": "maintenance"}

    exchange.fetch_deposits = junk
    with pytest.raises(ConnectorFailure) as failure:
        await walk(session(exchange, US))
    assert failure.value.kind is FailureKind.UNEXPECTED_ANSWER


async def test_one_senseless_row_of_years_ago_does_not_end_the_walk() -> None:
    rows = [row(id="odd", amount=None), row(id="good")]
    walked = await walk(session(binance(history(*rows)), US))
    assert (walked.ids, walked.is_whole) == (["good"], False)


async def test_dates_are_put_on_our_clock() -> None:
    exchange = binance(history(row(timestamp=NOW - 2 * DAY)))
    exchange.options["timeDifference"] = 5_000
    walked = await walk(session(exchange, US))
    assert [flow.at for step in walked.steps for flow in step.flows] == [NOW - 2 * DAY + 5_000]
    assert calls(exchange)[0][3]["endTime"] == NOW - 5_000


def fiat_row(name: str, at: int) -> dict[str, Any]:
    return row(id=name, currency="EUR", timestamp=at, amount="100", txid=None, info={})


async def test_state_money_is_asked_for_by_a_step_of_its_own() -> None:
    exchange = binance()
    orders = [fiat_row("eur1", NOW - 100 * DAY)]

    def told(*args: Any) -> Any:
        params = args[3]
        inside = [
            one
            for one in orders
            if params["beginTime"] <= one["timestamp"] <= params["endTime"]
            and params["transactionType"] == 0
        ]
        return {"data": inside}

    exchange.__dict__["_methods"]["request"] = told
    walked = await walk(session(exchange))
    assert walked.ids == ["eur1"]
    # 13 windows of 90 days are the three years of rest, 15 with those up to the one order.
    orders_asked = calls(exchange, "request")
    assert (len(calls(exchange)), len(orders_asked)) == (13, 2 * 15)
    assert {params["transactionType"] for *_, params, _cost in orders_asked} == {0, 1}
    names = [name for name, _ in exchange.asked]
    assert names.index("request") > max(
        place for place, name in enumerate(names) if name != "request"
    )
    assert len(walked.steps) >= len(orders_asked)
    assert {step.known_since for step in walked.steps[9:]} == {walked.last.known_since}


@pytest.mark.parametrize(
    ("mro", "is_gap"),
    [
        (("PermissionDenied", "AuthenticationError", "ExchangeError", "BaseError"), True),
        (("RateLimitExceeded", "NetworkError", "OperationFailed", "BaseError"), False),
    ],
)
async def test_state_money_that_the_key_may_not_see_is_a_gap_and_an_outage_is_none(
    mro: tuple[str, ...], is_gap: bool
) -> None:
    exchange = binance()
    exchange.__dict__["_methods"]["request"] = lambda *_: ccxt_error(*mro, text="no")
    if is_gap:
        assert not (await walk(session(exchange))).is_whole
        return
    with pytest.raises(ConnectorFailure) as failure:
        await walk(session(exchange))
    assert failure.value.kind is FailureKind.RATE_LIMITED


async def test_state_money_waits_for_the_minute_of_a_reading() -> None:
    exchange, fiat = binance(), FiatOrders()
    where = session(exchange)
    clock, cursor = where.clock, None
    assert isinstance(clock, ManualClock)
    while 'coins_since":null' in (cursor or 'coins_since":null'):
        coins = await read_past_flows(where, PastRequest(NOW, cursor), SPOT, fiat)
        cursor = coins.cursor
    await fiat.read(where, {"EUR": Decimal(1)}, NOW, NOW)
    asked = len(exchange.asked)
    waiting = await read_past_flows(where, PastRequest(NOW, cursor), SPOT, fiat)
    assert (waiting.cursor, waiting.flows, len(exchange.asked)) == (cursor, (), asked)
    clock.advance(2 * MINUTE)
    gone_on = await read_past_flows(where, PastRequest(NOW, cursor), SPOT, fiat)
    assert [name for name, _ in exchange.asked[asked:]] == ["request"]
    assert gone_on.cursor != cursor
    # And a reading after it waits in turn.
    await fiat.read(where, {"EUR": Decimal(2)}, NOW, NOW)
    assert len(exchange.asked) == asked + 1


async def test_a_transaction_is_kept_and_a_text_that_is_none_is_not() -> None:
    rows = [row(id="d1"), row(id="d2", txid=""), row(id="d3", txid="x" * 201)]
    walked = await walk(session(binance(history(*rows)), US))
    told = {flow.external_id: flow.txid for step in walked.steps for flow in step.flows}
    assert told == {"d1": "0xaa", "d2": None, "d3": None}
