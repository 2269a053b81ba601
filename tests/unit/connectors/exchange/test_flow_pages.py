from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from coffers.clock import DAY, Millis, iso
from coffers.connectors.exchange.client import Heard
from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.flows import MOST_PAGES
from factories import NOW
from unit.connectors.exchange.fakes import FakeExchange, ccxt_error, session
from unit.connectors.exchange.flow_fakes import (
    SINCE,
    SOMEWHERE,
    SPOT,
    binance,
    holding,
    row,
    since,
    told,
)

KUCOIN = Venue("kucoin", "KuCoin", ("kucoin",))


def spans(exchange: FakeExchange) -> list[tuple[int, int]]:
    """Return the spans that deposits were asked for of, in days before now."""
    asked = [args for name, args in exchange.asked if "deposits" in name]
    ends = [
        next(iter(args[3][name] for name in ("until", "endTime") if name in args[3]))
        for args in asked
    ]
    return [
        ((NOW - args[1]) // DAY, (NOW - end) // DAY) for args, end in zip(asked, ends, strict=True)
    ]


async def test_a_long_time_is_asked_in_windows_of_ninety_days_after_the_last_two_weeks() -> None:
    exchange = binance()
    await told(session(exchange), since(Millis(NOW - 200 * DAY)), NOW, SPOT)
    assert spans(exchange) == [(14, 0), (200, 110), (110, 20), (20, 14)]


async def test_a_pause_of_two_weeks_is_asked_in_one_stretch() -> None:
    exchange = binance()
    await told(session(exchange, KUCOIN), since(Millis(NOW - 28 * DAY)), NOW, SPOT)
    assert spans(exchange) == [(28, 21), (21, 14), (14, 7), (7, 0)]


async def test_what_a_long_time_holds_is_read_over_several_readings_and_today_in_each() -> None:
    exchange, begin, days, found = binance(_one_a_day(400)), 400, [], set[str]()
    for _ in range(3):
        asked = since(Millis(NOW - begin * DAY))
        flows = await told(session(exchange, KUCOIN), asked, NOW, SPOT)
        found |= {flow.external_id for flow in flows.flows}
        assert "day 0" in found
        days.append((flows.is_whole, flows.is_read, flows.read_until))
        begin = 0 if flows.read_until is None else (NOW - flows.read_until) // DAY
    first, second = Millis(NOW - 260 * DAY), Millis(NOW - 120 * DAY)
    assert days == [
        (False, False, first),
        (False, False, second),
        (True, True, Millis(NOW - 14 * DAY)),
    ]
    assert len(found) == 400


@pytest.mark.parametrize("days", [5, 95])
async def test_what_nobody_understands_leaves_the_flows_unknown_and_holds_up_nothing(
    days: int,
) -> None:
    odd = row(id="odd", status="WITHHELD", timestamp=NOW - days * DAY)
    exchange = binance(_one_a_day(140, odd))
    flows = await told(session(exchange, KUCOIN), since(Millis(NOW - 140 * DAY)), NOW, SPOT)
    assert (flows.is_whole, flows.is_read) == (False, True)
    assert flows.unclear_since == NOW - days * DAY
    assert len(flows.flows) == 140


async def test_where_a_history_is_refused_the_time_before_is_left_for_when_it_is_not() -> None:
    exchange = binance([], lambda *_: ccxt_error("PermissionDenied", "AuthenticationError"))
    flows = await told(session(exchange, KUCOIN), since(Millis(NOW - 140 * DAY)), NOW, SPOT)
    assert spans(exchange) == [(14, 7), (7, 0)]
    assert (flows.is_read, flows.read_until) == (False, None)


async def test_what_a_venue_never_tells_keeps_nothing_from_being_read() -> None:
    flows = await told(session(binance(), KUCOIN), since(), NOW, holding("EUR"))
    assert (flows.is_whole, flows.is_read) == (False, True)


def _one_a_day(days: int, *others: Any) -> Any:
    rows = [row(id=f"day {n}", timestamp=NOW - n * DAY) for n in range(days)]

    def inside(_code: Any, start: int, _limit: int, params: dict[str, int]) -> list[Any]:
        return [each for each in [*rows, *others] if start <= each["timestamp"] <= params["until"]]

    return inside


async def test_a_full_page_is_halved_until_nothing_can_be_missing() -> None:
    def newest_thousand(_code: Any, start: int, limit: int, params: dict[str, int]) -> list[Any]:
        rows = [row(id=f"d{n}", timestamp=SINCE + n * 60_000) for n in range(2500)]
        inside = [r for r in rows if start <= r["timestamp"] <= params["endTime"]]
        return inside[-limit:]

    flows = await told(session(binance(newest_thousand)), since(), NOW, SPOT)
    assert flows.is_whole
    assert len(flows.flows) == 2500


async def test_kraken_tells_twenty_five_however_many_are_asked_for() -> None:
    def newest(_code: Any, start: int, limit: int | None, params: dict[str, int]) -> list[Any]:
        rows = [row(id=f"d{n}", timestamp=NOW - n * 3_600_000) for n in range(40)]
        return [r for r in rows if start <= r["timestamp"] <= params["until"]][:25][:limit]

    exchange = binance(newest)
    flows = await told(
        session(exchange, Venue("kraken", "Kraken", ("kraken",))), since(), NOW, SPOT
    )
    assert (len(flows.flows), flows.is_whole) == (40, True)
    assert {args[2] for _, args in exchange.asked} == {None}


async def test_a_history_without_end_is_given_up_and_said_so() -> None:
    def always_full(*_args: Any) -> list[Any]:
        return [row(id=f"d{n}") for n in range(1000)]

    exchange = binance(always_full)
    flows = await told(session(exchange), since(), NOW, SPOT)
    assert not flows.is_whole
    assert len([name for name, _ in exchange.asked if name == "fetch_deposits"]) == MOST_PAGES


async def test_a_full_page_that_cannot_be_halved_is_said_so() -> None:
    full = [row(id=f"d{n}") for n in range(50)]
    flows = await told(session(binance(full), SOMEWHERE), since(), NOW, SPOT)
    assert not flows.is_whole
    assert len(flows.flows) == 50


@pytest.mark.parametrize(("days", "begins"), [(14, [14]), (200, [14, 200])])
async def test_a_venue_without_a_rule_is_asked_for_a_stretch_at_once_without_an_end(
    days: int, begins: list[int]
) -> None:
    exchange = binance()
    await told(session(exchange, SOMEWHERE), since(Millis(NOW - days * DAY)), NOW, SPOT)
    asked = [args for name, args in exchange.asked if name == "fetch_deposits"]
    assert asked == [(None, NOW - begin * DAY, 50, {}) for begin in begins]


async def test_the_same_row_on_two_pages_is_one_flow() -> None:
    flows = await told(session(binance([row(), row()])), since(), NOW, SPOT)
    assert len(flows.flows) == 1


def pages_of(rows: list[Any], parameter: str, start: int, step: int) -> Any:
    def answer(_code: Any, _since: Any, limit: int, params: dict[str, int]) -> list[Any]:
        first = (params.get(parameter, start) - start) * step
        return rows[first : first + limit]

    return answer


@pytest.mark.parametrize(
    ("venue", "answer"),
    [
        ("whitebit", pages_of([row(id=f"d{n}") for n in range(250)], "offset", 0, 1)),
        ("upbit", pages_of([row(id=f"d{n}") for n in range(250)], "page", 1, 100)),
    ],
)
async def test_pages_are_asked_until_one_is_not_full(venue: str, answer: Any) -> None:
    where = Venue(venue, venue, (venue,))
    flows = await told(session(binance(answer), where), since(), NOW, SPOT)
    assert (len(flows.flows), flows.is_whole) == (250, True)


async def test_an_answer_that_ccxt_thinned_out_was_full_all_the_same() -> None:
    exchange = binance()

    async def trades_mostly(*_args: Any) -> list[Any]:
        exchange.heard = Heard(200, {}, [{"id": 1}] * 50)
        return [row()]

    exchange.fetch_deposits = trades_mostly
    flows = await told(session(exchange, SOMEWHERE), since(), NOW, SPOT)
    assert (len(flows.flows), flows.is_whole) == (1, False)


@pytest.mark.parametrize(
    ("oldest", "newest", "is_whole"),
    [
        (SINCE - DAY, NOW, True),
        (SINCE + DAY, NOW, False),
        (SINCE - DAY, None, False),
        (SINCE - 2 * DAY, SINCE - 3 * DAY, False),
    ],
)
async def test_a_full_answer_that_begins_with_the_newest_and_ends_before_the_span_is_all(
    oldest: int, newest: int | None, *, is_whole: bool
) -> None:
    exchange = binance()

    async def full(*_args: Any) -> list[Any]:
        times = [newest, *[oldest] * 99]
        exchange.heard = Heard(200, {}, {"data": [{"created-at": str(at)} for at in times]})
        return [row()]

    exchange.fetch_deposits = full
    flows = await told(session(exchange, Venue("htx", "HTX", ("htx",))), since(), NOW, SPOT)
    assert flows.is_whole is is_whole


async def test_pages_of_all_that_ever_happened_end_where_the_span_begins() -> None:
    exchange, offsets = FakeExchange(), []
    exchange.has = {"fetchDepositsWithdrawals": True}

    async def trades_mostly(_code: Any, _since: Any, _limit: int, params: Any) -> list[Any]:
        offsets.append(params.get("offset", 0))
        days = len(offsets) * 4
        trade = {"type": "2", "datetime": f"{iso(Millis(NOW - days * DAY))[:19]}.123456"}
        exchange.heard = Heard(200, {}, [trade] * 1000)
        return [row(id=f"d{days}", timestamp=NOW - days * DAY)]

    exchange.fetch_deposits_withdrawals = trades_mostly
    where = Venue("bitstamp", "Bitstamp", ("bitstamp",))
    flows = await told(session(exchange, where), since(), NOW, SPOT)
    assert (flows.is_whole, offsets) == (True, [0, 1000, 2000])
    assert [flow.external_id for flow in flows.flows] == ["d8", "d4"]


@pytest.mark.parametrize("venue", ["upbit", "bithumb"])
async def test_pages_whose_times_name_an_offset_end_where_the_span_begins(venue: str) -> None:
    exchange, pages = binance(), []

    async def deposits(_code: Any, _since: Any, _limit: int, params: Any) -> list[Any]:
        pages.append(params.get("page", 1))
        at = datetime.fromtimestamp(
            (NOW - len(pages) * 4 * DAY) / 1000, timezone(timedelta(hours=9))
        )
        exchange.heard = Heard(200, {}, [{"created_at": at.isoformat(timespec="seconds")}] * 100)
        return [row(id=f"d{len(pages)}")]

    exchange.fetch_deposits = deposits
    where = Venue(venue, venue, (venue,))
    flows = await told(session(exchange, where), since(), NOW, SPOT)
    assert (flows.is_whole, pages) == (True, [1, 2, 3])


async def test_a_start_that_ccxt_would_send_as_an_id_is_not_sent() -> None:
    exchange = binance([row(), row(id="old", timestamp=SINCE - 1)])
    where = Venue("btcmarkets", "BTC Markets", ("btcmarkets",))
    flows = await told(session(exchange, where), since(), NOW, SPOT)
    assert exchange.asked[0][1] == (None, None, 200, {})
    assert [flow.external_id for flow in flows.flows] == ["d1"]
