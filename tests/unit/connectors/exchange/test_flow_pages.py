from typing import Any

import pytest

from coffers.clock import DAY, Millis
from coffers.connectors.exchange.client import Heard
from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.flows import MOST_PAGES
from factories import NOW
from unit.connectors.exchange.fakes import session
from unit.connectors.exchange.flow_fakes import SINCE, SOMEWHERE, SPOT, binance, row, since, told


async def test_a_long_time_is_asked_in_windows_of_ninety_days() -> None:
    exchange = binance()
    await told(session(exchange), since(Millis(NOW - 200 * DAY)), NOW, SPOT)
    spans = [(args[1], args[3]["endTime"]) for name, args in exchange.asked if "dep" in name]
    assert spans == [
        (NOW - 200 * DAY, NOW - 110 * DAY),
        (NOW - 110 * DAY, NOW - 20 * DAY),
        (NOW - 20 * DAY, NOW),
    ]


async def test_a_full_page_is_halved_until_nothing_can_be_missing() -> None:
    def newest_thousand(_code: Any, start: int, limit: int, params: dict[str, int]) -> list[Any]:
        rows = [row(id=f"d{n}", timestamp=SINCE + n * 60_000) for n in range(2500)]
        inside = [r for r in rows if start <= r["timestamp"] <= params["endTime"]]
        return inside[-limit:]

    flows = await told(session(binance(newest_thousand)), since(), NOW, SPOT)
    assert flows.is_whole
    assert len(flows.flows) == 2500


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


async def test_a_venue_without_a_rule_is_asked_once_without_an_end() -> None:
    exchange = binance()
    await told(session(exchange, SOMEWHERE), since(Millis(NOW - 200 * DAY)), NOW, SPOT)
    assert [args for _, args in exchange.asked] == 2 * [(None, NOW - 200 * DAY, 50, {})]


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


async def test_a_start_that_ccxt_would_send_as_an_id_is_not_sent() -> None:
    exchange = binance([row(), row(id="old", timestamp=SINCE - 1)])
    where = Venue("btcmarkets", "BTC Markets", ("btcmarkets",))
    flows = await told(session(exchange, where), since(), NOW, SPOT)
    assert exchange.asked[0][1] == (None, None, 200, {})
    assert [flow.external_id for flow in flows.flows] == ["d1"]
