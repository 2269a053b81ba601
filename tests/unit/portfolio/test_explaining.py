"""An explanation alone is enough to reckon every figure that the account shows."""

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coffers.clock import DAY, HOUR, Millis
from coffers.portfolio import explaining
from coffers.portfolio.account_forms import plain_figures
from coffers.portfolio.explaining import explained
from coffers.portfolio.inputs import Inputs
from coffers.portfolio.worked import Worked, table_of
from coffers.valuation.choices import NO_CHOICES
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.history import History
from coffers.valuation.model import Flow, Position, Price, PriceBook, Snapshot, Value
from factories import NOW, account, price

EXACT = Context(prec=4000)
QUOTIENT = Context(prec=50, rounding=ROUND_HALF_EVEN)
PLACES = Context(prec=4000, rounding=ROUND_HALF_UP)
OLDEST = 40 * DAY


def amounts(least: int = 0) -> st.SearchStrategy[Decimal]:
    return st.decimals(least, 10**9, places=8)


def values() -> st.SearchStrategy[Value]:
    return st.builds(Value, amounts(), amounts())


def moments() -> st.SearchStrategy[int]:
    return st.integers(1, OLDEST).map(lambda back: Millis(NOW - back))


@st.composite
def pasts(draw: st.DrawFn) -> History | None:
    moments_ = sorted(draw(st.sets(moments(), max_size=8)))
    if not moments_:
        return None
    snapshots = tuple(Snapshot(Millis(at), draw(values())) for at in moments_)
    flows = [
        Flow(
            external_id=f"f{n}",
            direction=draw(st.sampled_from(["in", "out"])),
            asset="BTC",
            venue_code="BTC",
            amount=Decimal(1),
            fee=Decimal(0),
            fee_asset="BTC",
            at=Millis(at),
            value=draw(st.none() | values()),
            valued_at=draw(st.none() | st.just(Millis(at + HOUR))),
        )
        for n, at in enumerate(sorted(draw(st.lists(moments(), max_size=6))))
        if at > snapshots[0].at
    ]
    return History(snapshots[0], snapshots, tuple(flows))


@st.composite
def made(draw: st.DrawFn) -> tuple[Worked, list[Position], DisplayCurrency]:
    assets = draw(st.lists(st.sampled_from(["BTC", "ETH", "SOL", "NEW"]), unique=True))
    held = [
        Position(wallet, asset, asset, draw(amounts()), borrowed=draw(amounts()))
        for asset in assets
        for wallet in draw(
            st.sampled_from([["spot"], ["spot", "funding"], ["spot", "spam", "unlisted"]])
        )
    ]
    prices: dict[str, Price] = {
        asset: replace(
            price(str(draw(amounts())), str(draw(amounts()))),
            sources=draw(st.sampled_from([("one",), ("one", "two")])),
        )
        for asset in assets
        if asset != "NEW"
    }
    at = Millis(NOW - draw(st.integers(0, HOUR)))
    history = draw(pasts())
    rate = draw(st.sampled_from([Decimal("0.8"), Decimal(1) / Decimal(3)]))
    known_from = NOW - draw(st.sampled_from([0, 20 * DAY, 99 * DAY]))
    display = DisplayCurrency(
        draw(st.sampled_from(["USD", "BTC", "EUR"])),
        lambda moment: EXACT.add(rate, Decimal(moment % 7)) if moment >= known_from else None,
    )
    inputs = Inputs.of(held, (), NO_CHOICES, history, (Millis(0), Millis(NOW)))
    book = draw(st.sampled_from([PriceBook(5, at, prices), None]))
    return table_of([account()], [inputs], [book], display, NOW).worked()[0], held, display


def moment_of(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def plain(number: Decimal, places: int | None = None) -> str:
    """Write a number as the house does, by other means."""
    if places is not None:
        number = number.quantize(Decimal(1).scaleb(-places), context=PLACES)
    whole, _, part = f"{number:f}".partition(".")
    part = part.rstrip("0") or "0"
    return f"{whole}.{part}" if number else "0.0"


def reckoned_again(told: dict[str, Any]) -> dict[str, Any]:
    """Return the figures that follow from an explanation, with nothing but decimals."""
    figures = {name: _currency(told, name) for name in ("btc", "usd")}
    code = told["figures"]["display"]["currency"]
    return {**figures, "display": {"currency": code, **_currency(told, "display")}}


def _currency(told: dict[str, Any], name: str) -> dict[str, Any]:
    shown = told["figures"][name]
    code = shown.get("currency", name)
    as_of = told["as_of"]
    if shown["amount"] is None:
        return {"amount": None, "day": None, "month": None, "total_profit": None}
    now = _worth(told, code, shown)
    figures: dict[str, Any] = {"amount": plain(now), "day": None, "month": None}
    if shown["opening"] is None:
        return {**figures, "total_profit": None}
    latest = EXACT.subtract(now, _inflow(told, name, as_of))
    opening = _earned(told, name, code, shown["opening"])
    for window, days, places in (("day", 1, 4 if name == "display" else 2), ("month", 30, 2)):
        if shown[window] is not None:
            assert moment_of(as_of) - moment_of(shown[window]["since"]) == days * DAY
            before = _baseline(told, name, code, shown[window])
            figures[window] = _gain(now, EXACT.subtract(latest, before), places)
    return {**figures, "total_profit": plain(EXACT.subtract(latest, opening))}


def _worth(told: dict[str, Any], code: str, shown: dict[str, Any]) -> Decimal:
    field = "btc" if code.lower() == "btc" else "usd"
    total = Decimal(0)
    for holding in told["holdings"]:
        parts = holding["wallets"]
        owned = Decimal(0)
        for part in parts:
            owned = EXACT.add(owned, Decimal(part["amount"]))
        assert plain(owned) == holding["amount"]
        if holding["state"] == "priced":
            unit = Decimal(holding["price"][field])
            worth = EXACT.multiply(Decimal(holding["amount"]), unit)
            assert plain(worth) == holding[f"{field}_value"]
            total = EXACT.add(total, worth)
    if code == "EUR":
        return EXACT.multiply(total, Decimal(shown["rate"]))
    return total


def _in_currency(code: str, row: dict[str, Any]) -> Decimal:
    if code.lower() == "btc":
        return Decimal(row["btc_value"])
    usd = Decimal(row["usd_value"])
    return EXACT.multiply(usd, Decimal(row["rate"])) if code == "EUR" else usd


def _inflow(told: dict[str, Any], name: str, until: str) -> Decimal:
    code = told["figures"][name].get("currency", name)
    older = told["earlier_flows"]
    total = Decimal(older["net_inflow"][name]) if older else Decimal(0)
    for flow in told["flows"]:
        if flow["is_counted"] and flow["at"] <= until:
            worth = _in_currency(code, flow)
            change = EXACT.add if flow["direction"] == "in" else EXACT.subtract
            total = change(total, worth)
    return total


def _earned(told: dict[str, Any], name: str, code: str, point: dict[str, Any]) -> Decimal:
    opening = told["figures"][name]["opening"]["at"]
    inflow = Decimal(0) if point["at"] == opening else _inflow(told, name, point["at"])
    assert plain(inflow) == point["net_inflow"]
    earned = EXACT.subtract(_in_currency(code, point), inflow)
    assert plain(earned) == point["earned"]
    return earned


def _baseline(told: dict[str, Any], name: str, code: str, window: dict[str, Any]) -> Decimal:
    earlier = _earned(told, name, code, window["earlier"])
    if window["later"] is None:
        return earlier
    later = _earned(told, name, code, window["later"])
    start, at, end = (
        Decimal(moment_of(text))
        for text in (window["earlier"]["at"], window["since"], window["later"]["at"])
    )
    if earlier == later or end <= start:
        return earlier
    weighted = EXACT.add(
        EXACT.multiply(earlier, end - at), EXACT.multiply(later, EXACT.subtract(at, start))
    )
    return QUOTIENT.divide(weighted, end - start)


def _gain(now: Decimal, profit: Decimal, places: int) -> dict[str, str]:
    base = EXACT.subtract(now, profit)
    share = EXACT.multiply(QUOTIENT.divide(profit, base), Decimal(100)) if base else Decimal(0)
    return {"profit": plain(profit), "percentage": plain(share, places)}


@given(made())
def test_the_figures_follow_from_their_explanation(
    case: tuple[Worked, list[Position], DisplayCurrency],
) -> None:
    worked, held, display = case
    told = explained(worked, held, display, NOW)
    assert reckoned_again(told) == plain_figures(worked.view.figures)


@given(made())
def test_a_long_past_of_flows_is_summed_up_without_loss(
    case: tuple[Worked, list[Position], DisplayCurrency],
) -> None:
    worked, held, display = case
    before = explaining.MOST_FLOWS
    explaining.MOST_FLOWS = 1
    try:
        told = explained(worked, held, display, NOW)
    finally:
        explaining.MOST_FLOWS = before
    assert reckoned_again(told) == plain_figures(worked.view.figures)


def test_a_flow_that_enters_by_a_snapshot_after_the_figures_moment_is_counted() -> None:
    worth = Value(Decimal(1), Decimal(1))
    opening = Snapshot(Millis(NOW - 9 * DAY), worth)
    later = Snapshot(Millis(NOW - 1), worth)
    flow = Flow(
        "f", "in", "BTC", "BTC", Decimal(1), Decimal(0), "BTC", Millis(NOW - 2), value=worth
    )
    history = History(opening, (opening, later), (flow,))
    inputs = Inputs.of((), (), NO_CHOICES, history, (Millis(0), Millis(NOW)))
    display = DisplayCurrency("USD", lambda _at: Decimal(1))
    at = Millis(NOW - HOUR)
    read = account()
    read = replace(read, sync=replace(read.sync, read_at=at))
    (worked,) = table_of([read], [inputs], [PriceBook(5, at, {})], display, NOW).worked()
    told = explained(worked, [], display, NOW)
    assert told["flows"][0]["is_counted"]  # type: ignore[index]
    assert reckoned_again(told) == plain_figures(worked.view.figures)


def test_wallets_of_another_reading_are_not_told() -> None:
    held = [Position("spot", "BTC", "BTC", Decimal(2))]
    inputs = Inputs.of(held, (), NO_CHOICES, None, (Millis(0), Millis(NOW)))
    display = DisplayCurrency("USD", lambda _at: Decimal(1))
    book = PriceBook(1, NOW, {"BTC": price("1", "9")})
    (worked,) = table_of([account()], [inputs], [book], display, NOW).worked()
    (known,) = explained(worked, held, display, NOW)["holdings"]  # type: ignore[misc]
    assert known["wallets"] == [{"wallet": "spot", "venue_code": "BTC", "amount": "2.0"}]
    (later,) = explained(worked, [], display, NOW)["holdings"]  # type: ignore[misc]
    assert (later["amount"], later["wallets"]) == ("2.0", None)
