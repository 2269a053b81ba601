from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from coffers.clock import DAY, HOUR, MINUTE, ManualClock, Millis
from coffers.connectors.exchange.balances import Holdings
from coffers.connectors.exchange.doubts import Doubts
from coffers.connectors.exchange.fiat import FiatOrders, FiatRows
from coffers.connectors.exchange.flow_rows import Flows
from coffers.connectors.exchange.flows import read_flows
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ReadRequest
from coffers.valuation.model import Position
from factories import NOW
from unit.connectors.exchange.fakes import BINANCE, FakeExchange, ccxt_error

SINCE = Millis(NOW - 10 * DAY)
EUROS = {"EUR": Decimal(5)}
ORDER = {"orderNo": "7d76d611", "fiatCurrency": "EUR", "amount": "20.00", "createTime": NOW - DAY}


def parsed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "id": row["orderNo"],
            "currency": row["fiatCurrency"],
            "amount": row["amount"],
            "timestamp": row["createTime"],
            "type": row["type"],
            "status": row.get("status", "ok"),
            "fee": None,
            "info": row,
        }
        for row in rows
    ]


def talk(answer: Any = None, *, clock: ManualClock | None = None) -> VenueSession:
    exchange = FakeExchange(
        request=answer or (lambda *_: {"data": [ORDER]}),
        fetch_deposits=lambda *_: [],
        fetch_withdrawals=lambda *_: [],
    )
    exchange.has = {"fetchDeposits": True, "fetchWithdrawals": True}
    exchange.options = {"legalMoney": {"EUR": True}}
    exchange.apiKey = "fake-key"
    exchange.parse_transactions = parsed
    prototype = SimpleNamespace(options={})
    return VenueSession(BINANCE, exchange, prototype, clock or ManualClock(NOW))


async def asked(orders: FiatOrders, session: VenueSession, held: Any = EUROS) -> FiatRows:
    return await orders.read(session, held, SINCE, NOW)


def kinds(session: VenueSession) -> list[int]:
    return [args[3]["transactionType"] for name, args in session.exchange.asked]


async def test_each_reading_asks_for_one_kind_and_then_rests_for_an_hour() -> None:
    clock = ManualClock(NOW)
    orders, session = FiatOrders(), talk(clock=clock)
    for _ in range(4):
        await asked(orders, session)
        clock.advance(MINUTE)
    assert kinds(session) == [0, 1]
    clock.advance(HOUR)
    await asked(orders, session)
    await asked(orders, session)
    assert kinds(session) == [0, 1, 0, 1]


async def test_what_a_clock_ahead_asked_puts_nothing_off() -> None:
    clock = ManualClock(Millis(NOW + 24 * HOUR))
    orders, session = FiatOrders(), talk(clock=clock)
    await asked(orders, session)
    clock.set(NOW)
    await asked(orders, session)
    await asked(orders, session)
    assert not orders.is_free(session)
    assert kinds(session) == [0, 0, 1]


async def test_it_is_asked_sooner_where_what_is_held_changed() -> None:
    clock = ManualClock(NOW)
    orders, session = FiatOrders(), talk(clock=clock)
    await asked(orders, session)
    await asked(orders, session)
    clock.advance(Millis(5 * MINUTE))
    await asked(orders, session, {"EUR": Decimal(6)})
    assert kinds(session) == [0, 1]
    clock.advance(Millis(6 * MINUTE))
    await asked(orders, session, {"EUR": Decimal(6)})
    assert kinds(session) == [0, 1, 0]


async def test_it_tells_when_a_kind_was_told_before_whatever_failed_meanwhile() -> None:
    clock, orders = ManualClock(NOW), FiatOrders()
    broken: list[Any] = []

    def answer(*_args: Any) -> Any:
        return ccxt_error("DDoSProtection", "NetworkError", "BaseError") if broken else {"data": []}

    session, before = talk(answer, clock=clock), []
    for hours in range(4):
        broken[:] = [True] if hours == 1 else []
        for _ in ("in", "out"):
            told = await asked(orders, session)
            before.append((told.direction, told.told_before))
        clock.advance(HOUR)
    assert [at for direction, at in before if direction == "in"] == [
        *(None, NOW, NOW),
        NOW + 2 * HOUR,
    ]


async def test_the_call_costs_the_venue_no_pause() -> None:
    session = talk()
    await asked(FiatOrders(), session)
    ((name, args),) = session.exchange.asked
    assert (name, args[:3], args[4]) == (
        "request",
        ("fiat/orders", ["sapi"], "GET"),
        {"cost": 1},
    )
    assert (args[3]["beginTime"], args[3]["endTime"]) == (SINCE, NOW)


async def test_with_money_of_states_the_flows_are_known_once_both_kinds_were_told() -> None:
    orders, session = FiatOrders(), talk()
    assert not (await asked(orders, session)).is_whole
    assert (await asked(orders, session)).is_whole


async def test_without_money_of_states_an_account_is_not_left_in_doubt() -> None:
    assert (await asked(FiatOrders(), talk(), {})).is_whole


async def test_a_refusal_leaves_those_flows_unknown_and_is_not_repeated_at_once() -> None:
    orders = FiatOrders()
    session = talk(lambda *_: ccxt_error("DDoSProtection", "NetworkError", "BaseError"))
    for _ in range(3):
        told = await asked(orders, session)
        assert (told.rows, told.is_whole) == ((), False)
    assert kinds(session) == [0, 1]


async def test_an_answer_without_rows_tells_nothing() -> None:
    orders, session = FiatOrders(), talk(lambda *_: {"code": "000000"})
    await asked(orders, session)
    assert not (await asked(orders, session)).is_whole


async def test_keys_do_not_share_what_is_remembered() -> None:
    orders, one, other = FiatOrders(), talk(), talk()
    other.exchange.apiKey = "fake-key-2"
    await asked(orders, one)
    await asked(orders, other)
    assert kinds(one) == kinds(other) == [0]


async def flows(orders: FiatOrders, session: VenueSession) -> Flows:
    holdings = Holdings(frozenset({"spot"}), (Position("spot", "EUR", "EUR", Decimal(5)),), {})
    return await read_flows(session, ReadRequest(SINCE), NOW, holdings, orders)


async def test_fiat_orders_are_flows_of_the_account() -> None:
    orders, session = FiatOrders(), talk()
    into, out = await flows(orders, session), await flows(orders, session)
    assert [(f.direction, f.external_id, f.asset, f.amount) for f in into.flows] == [
        ("in", "7d76d611", "EUR", Decimal("20.00"))
    ]
    assert [(f.direction, f.external_id) for f in out.flows] == [("out", "7d76d611")]
    assert (into.is_whole, out.is_whole) == (False, True)


async def test_an_order_that_makes_no_sense_leaves_the_flows_unknown() -> None:
    told = await flows(FiatOrders(), talk(lambda *_: {"data": [{**ORDER, "amount": "x"}]}))
    assert (told.flows, told.is_whole) == ((), False)


async def test_an_order_that_nobody_understands_stays_unclear_while_none_are_asked_for() -> None:
    def answer(*args: Any) -> object:
        is_in = args[3]["transactionType"] == 0
        return {"data": [{**ORDER, "status": "Finished"}] if is_in else []}

    clock = ManualClock(NOW)
    orders, session, doubts = FiatOrders(), talk(answer, clock=clock), Doubts()
    for _ in range(4):
        told = await flows(orders, session)
        doubts = doubts.after(ReadRequest(SINCE), told)
        assert not told.is_whole
        assert doubts.unclear_since == ORDER["createTime"]
        clock.advance(5 * MINUTE)


async def test_after_a_restart_an_unclear_order_is_in_doubt_until_its_kind_was_asked_for() -> None:
    left = Doubts(unclear_since=NOW - DAY)
    orders, session = FiatOrders(), talk(lambda *_: {"data": []})
    left = left.after(ReadRequest(SINCE), await flows(orders, session))
    assert left
    assert not left.after(ReadRequest(SINCE), await flows(orders, session))
