"""Figures agree with the published example digit for digit, and keep their promises."""

import json
import weakref
from bisect import bisect_right
from dataclasses import replace
from decimal import Decimal
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers import money
from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.valuation.amounts import in_usd
from coffers.valuation.figures import (
    DisplayCurrency,
    Figures,
    Gain,
    sheet_of,
    summary_of,
)
from coffers.valuation.history import MONTH, History, net_inflow
from coffers.valuation.model import Flow, Snapshot, Value
from factories import figures_of

EXAMPLE = json.loads(
    (Path(__file__).parents[2] / "data/compat/list_accounts_example.json").read_text()
)[0]
NOW = Millis(1_700_000_000_000)
USD = DisplayCurrency("USD", lambda _at: Decimal(1))

amounts = st.decimals(min_value=0, max_value="1e9", places=8)


def value(btc: object, usd: object) -> Value:
    return Value(Decimal(str(btc)), Decimal(str(usd)))


def snapshot(at: int, btc: object, usd: object) -> Snapshot:
    return Snapshot(Millis(at), value(btc, usd))


def flow(at: int, btc: object, usd: object, direction: str = "in", known: bool = True) -> Flow:
    return Flow(
        external_id=f"{direction}-{at}",
        direction="in" if direction == "in" else "out",
        asset="USDT",
        venue_code="USDT",
        amount=Decimal(1),
        fee=Decimal(0),
        fee_asset="USDT",
        at=Millis(at),
        value=value(btc, usd) if known else None,
    )


def example_history() -> tuple[Value, History]:
    """The example's inputs: its value now, its two baselines and its two opening deposits."""
    now = value(EXAMPLE["btc_amount"], EXAMPLE["usd_amount"])
    day = Value(
        money.subtract(now.btc, Decimal(EXAMPLE["day_profit_btc"])),
        money.subtract(now.usd, Decimal(EXAMPLE["day_profit_usd"])),
    )
    month = value(
        money.subtract(now.btc, Decimal(EXAMPLE["btc_profit"])), Decimal("28.06740754304")
    )
    opening = snapshot(NOW - 2 * MONTH, "0.000828538740745393", "24.00")
    points = (Snapshot(Millis(NOW - MONTH), month), Snapshot(Millis(NOW - DAY), day))
    return now, History(opening, points)


def test_the_published_example_digit_for_digit() -> None:
    now, history = example_history()
    figures = figures_of(NOW, now, history, USD)
    shown = {
        "btc_amount": figures.btc.amount,
        "usd_amount": figures.usd.amount,
        "day_profit_btc": figures.btc.day.profit,
        "day_profit_usd": figures.usd.day.profit,
        "day_profit_btc_percentage": money.rounded(figures.btc.day.percentage, 2),
        "day_profit_usd_percentage": money.rounded(figures.usd.day.percentage, 2),
        "btc_profit": figures.btc.month.profit,
        "usd_profit": figures.usd.month.profit,
        "btc_profit_percentage": money.rounded(figures.btc.month.percentage, 2),
        "usd_profit_percentage": money.rounded(figures.usd.month.percentage, 2),
    }
    for field, number in shown.items():
        assert money.plain(number) == EXAMPLE[field], field
    display = {
        "primary_display_currency_profit_percentage": money.rounded(
            figures.display.month.percentage, 2
        ),
        "primary_display_currency_profit": figures.display.month.profit,
        "day_profit_primary_display_currency_percentage": money.rounded(
            figures.display.day.percentage, 4
        ),
        "day_profit_primary_display_currency": figures.display.day.profit,
        "primary_display_currency_amount": figures.display.amount,
    }
    for field, number in display.items():
        assert money.plain(number) == EXAMPLE[field]["amount"], field
    # Sent through binary floats upstream: the subtraction of two numbers of 15 digits leaves the
    # last digit of this one uncertain by two.
    assert abs(figures.btc.total - Decimal(EXAMPLE["total_btc_profit"])) < Decimal("2.1e-18")
    assert f"{figures.usd.total:.15g}" == f"{Decimal(EXAMPLE['total_usd_profit']):.15g}"
    upstream = Decimal(str(EXAMPLE["total_primary_display_currency_profit"]["amount"]))
    assert f"{figures.display.total:.15g}" == f"{upstream:.15g}"


def test_a_baseline_between_two_snapshots_is_interpolated_in_time() -> None:
    history = History(
        snapshot(NOW - 3 * DAY, 1, 100),
        (snapshot(NOW - DAY - HOUR, 1, 100), snapshot(NOW - DAY + 2 * HOUR, 1, 130)),
    )
    figures = figures_of(NOW, value(1, 150), history, USD)
    assert figures.usd.day.profit == 40


def test_a_baseline_after_the_last_reading_lies_on_the_way_to_now() -> None:
    history = History(snapshot(NOW - 2 * DAY, 1, 100), ())
    assert figures_of(NOW, value(1, 120), history, USD).usd.day.profit == 10


def test_an_account_younger_than_the_window_starts_from_its_first_snapshot() -> None:
    history = History(snapshot(NOW - HOUR, 2, 100), ())
    figures = figures_of(NOW, value(1, 110), history, USD)
    assert (figures.usd.day.profit, figures.usd.month.profit, figures.usd.total) == (10, 10, 10)
    assert (figures.btc.day.profit, figures.btc.day.percentage) == (-1, -50)


def test_deposits_and_withdrawals_are_not_profit() -> None:
    history = History(
        snapshot(NOW - 40 * DAY, 1, 100),
        (),
        (flow(NOW - 35 * DAY, 1, 50), flow(NOW - HOUR, "0.5", 30, "out")),
    )
    figures = figures_of(NOW, value("1.5", 125), history, USD)
    assert figures.usd.total == 125 - 100 - 50 + 30
    assert figures.btc.total == 0


def test_a_deposit_between_the_snapshots_around_the_baseline_is_counted_once() -> None:
    at = NOW - DAY
    history = History(
        snapshot(NOW - 2 * DAY, 1, 100),
        (snapshot(at - HOUR, 1, 100), snapshot(at + HOUR, 1, 600)),
        (flow(at - HOUR // 2, 0, 500),),
    )
    assert figures_of(NOW, value(1, 600), history, USD).usd.day.profit == 0


def pasts() -> st.SearchStrategy[History]:
    """Return pasts of some days and weeks, with flows of which some are worth an unknown amount."""
    moments = st.integers(0, 2 * MONTH // HOUR).map(lambda hours: NOW - hours * HOUR)
    snapshots = st.dictionaries(moments, st.tuples(amounts, amounts), min_size=1, max_size=6)
    flows = st.dictionaries(
        moments, st.tuples(amounts, amounts, st.sampled_from(["in", "out"]), st.booleans())
    )

    def past(worths: dict[int, tuple[Decimal, Decimal]], moved: dict[int, Any]) -> History:
        first, *later = (snapshot(at, *worths[at]) for at in sorted(worths))
        after = [flow(at, *told) for at, told in moved.items() if at > first.at]
        return History(first, tuple(later), tuple(after))

    return st.builds(past, snapshots, flows)


def test_what_a_past_keeps_never_changes_a_figure() -> None:
    # Of more digits than a quotient has.
    third = money.multiply(money.divide(Decimal(1), Decimal(3)), Decimal("1.23456789"))
    opening, *later = (
        snapshot(NOW - hours * HOUR, money.multiply(third, Decimal(hours % 7 + 1)), hours % 13)
        for hours in (980, 735, 700, 60, 31)
    )
    flows = (
        flow(NOW - 750 * HOUR, 1, 50),
        flow(NOW - 31 * HOUR, "0.5", 30, "out"),
        flow(NOW - 12 * HOUR, "0.25", 20),
    )
    past = History(opening, tuple(later), flows)
    # Before, at and after each moment at which a window begins at a point, or a flow comes.
    moments = [
        Millis(at + window + beside)
        for at in {point.at for point in (opening, *later, *flows)}
        for window in (0, DAY, MONTH)
        for beside in (-1, 0, 1)
    ]
    worth = value(3, 140)
    alone = {at: figures_of(at, worth, replace(past), USD) for at in moments}
    for first, at in product(moments, moments):
        kept = replace(past)
        figures_of(first, value(9, 900), kept, USD)
        assert figures_of(at, worth, kept, USD) == alone[at]


class GrowingRates:
    """Rates that come one by one, each good for a time; `asked` counts the questions."""

    generations = count(1)

    def __init__(self, *rates: tuple[int, str], good_for: int = 400 * DAY) -> None:
        self.generation = next(self.generations)
        self.good_for = good_for
        self.moments = [at for at, _ in rates]
        self.rates = [Decimal(rate) for _, rate in rates]
        self.asked = 0

    def rate_at(self, at: Millis) -> Decimal | None:
        self.asked += 1
        place = bisect_right(self.moments, at)
        is_known = place and at - self.moments[place - 1] <= self.good_for
        return self.rates[place - 1] if is_known else None

    def add(self, at: int, rate: str) -> None:
        self.moments.append(at)
        self.rates.append(Decimal(rate))

    def euro(self) -> DisplayCurrency:
        return DisplayCurrency("EUR", self.rate_at, Millis(self.moments[-1]), self.generation)


@given(
    pasts(),
    st.lists(st.integers(1, 20 * HOUR), min_size=1, max_size=6),
    st.integers(0, 45),
    st.booleans(),
    st.sampled_from([DAY, 20 * DAY, 400 * DAY]),
)
def test_what_a_past_keeps_of_a_display_currency_never_changes_a_figure(
    past: History, gaps: list[int], days_known: int, is_valued_late: bool, good_for: int
) -> None:
    if is_valued_late:
        flows = tuple(replace(each, valued_at=Millis(each.at + 3 * HOUR)) for each in past.flows)
        past = replace(past, flows=flows)
    # Snapshots and flows may be of moments whose rate is not the last word yet.
    known_to = NOW - days_known * DAY
    early = [(known_to - days * DAY, f"0.9{days}") for days in range(60, 0, -7)]
    rates = GrowingRates(*early, (known_to, "0.8"), good_for=good_for)
    kept, at, worth = replace(past), known_to, value(3, 140)
    for number, gap in enumerate(gaps):
        for as_of in (at, at + gap // 2, NOW):
            euro = rates.euro()
            alone = figures_of(Millis(as_of), worth, replace(past), euro)
            assert figures_of(Millis(as_of), worth, kept, euro) == alone
        at += gap
        rates.add(at, f"0.{number + 1}7")


_BEGINNING = snapshot(NOW - 60 * DAY, 1, 50)
_EARLY = flow(NOW - 50 * DAY, 1, 50)


@pytest.mark.parametrize(
    "past",
    [
        History(_BEGINNING, (), (flow(NOW - 2 * DAY, 1, 50),)),
        History(_BEGINNING, (), (replace(_EARLY, valued_at=Millis(NOW - 2 * DAY)),)),
        History(_BEGINNING, (snapshot(NOW - 4 * DAY, 1, 60), snapshot(NOW - HOUR, 2, 70))),
        History(snapshot(NOW - 20 * DAY, 1, 50), (snapshot(NOW - 2 * DAY, 2, 70),)),
        History(snapshot(NOW - 2 * DAY, 1, 50), ()),
    ],
    ids=["flow", "valued later", "end of a line", "begin of a line", "opening"],
)
def test_what_a_later_rate_may_change_is_not_kept(past: History) -> None:
    rates = GrowingRates((NOW - 100 * DAY, "0.9"), (NOW - 3 * DAY, "0.8"))
    before = figures_of(NOW, value(3, 140), past, rates.euro())
    rates.add(NOW - 2 * DAY - HOUR, "0.5")
    after = figures_of(NOW, value(3, 140), past, rates.euro())
    assert after == figures_of(NOW, value(3, 140), replace(past), rates.euro())
    assert after.display != before.display


def test_a_past_of_which_a_rate_was_lacking_is_asked_for_again() -> None:
    # The next snapshot has no rate yet, since the last one is of more than a day before.
    later = (snapshot(NOW - 2 * DAY, 1, 60), snapshot(NOW + HOUR, 2, 70))
    past = History(_BEGINNING, later)
    hourly = [(NOW - hours * HOUR, "0.9") for hours in range(62 * 24, 24, -1)]
    rates = GrowingRates(*hourly, (NOW - 24 * HOUR + MINUTE, "0.8"), good_for=DAY)
    assert figures_of(NOW, value(3, 140), past, rates.euro()).display.day is None
    rates.add(NOW - 1, "0.5")
    found = figures_of(NOW, value(3, 140), past, rates.euro())
    assert found.display.day is not None
    assert found == figures_of(NOW, value(3, 140), replace(past), rates.euro())


def test_amounts_of_which_nothing_is_said_are_not_kept() -> None:
    history, factor = History(_BEGINNING, ()), [Decimal(2)]

    def amount(_at: Millis, _btc: Decimal, usd: Decimal) -> Decimal:
        return money.multiply(usd, factor[0])

    before = history.standing(NOW, Decimal(300), amount)
    factor[0] = Decimal(3)
    after = history.standing(NOW, Decimal(450), amount)
    assert before is not None
    assert after is not None
    assert (before.opening[1], after.opening[1]) == (100, 150)


def test_a_past_keeps_no_rates_alive() -> None:
    history, rates = History(_BEGINNING, ()), GrowingRates((NOW - 100 * DAY, "0.9"), (NOW, "0.8"))
    figures_of(NOW, value(3, 140), history, rates.euro())
    kept = weakref.ref(rates)
    del rates
    assert kept() is None


def test_a_new_price_asks_for_no_rate_of_the_past_again() -> None:
    flows = tuple(flow(NOW - hours * HOUR, 1, 50) for hours in range(2, 900))
    history = History(snapshot(NOW - 980 * HOUR, 1, 1), (snapshot(NOW - 100 * HOUR, 2, 9),), flows)
    rates = GrowingRates((NOW - 1_000 * HOUR, "0.9"), (NOW, "0.8"))
    figures_of(NOW, value(3, 140), history, rates.euro())
    rates.add(NOW + HOUR, "0.7")
    rates.asked = 0
    later = figures_of(Millis(NOW + HOUR), value(4, 150), history, rates.euro())
    assert later.display.amount == 105
    assert rates.asked < 5
    # Read anew, they may be others, and nothing is kept of those before.
    other = GrowingRates((NOW - 1_000 * HOUR, "0.5"), (NOW, "0.8"))
    anew = figures_of(NOW, value(3, 140), history, other.euro())
    assert anew == figures_of(NOW, value(3, 140), replace(history), other.euro())


def test_what_does_not_change_gains_nothing_however_many_digits_it_has() -> None:
    third = money.multiply(money.divide(Decimal(1), Decimal(3)), Decimal("1.23456789"))
    moments = (NOW - 40 * DAY, NOW - 31 * DAY, NOW - 2 * DAY, NOW - HOUR)
    opening, *later = (snapshot(at, third, third) for at in moments)
    history = History(opening, tuple(later))
    kept = figures_of(NOW, value(third, third), history, USD).btc
    assert (kept.day, kept.month, kept.total) == (Gain(Decimal(0), Decimal(0)),) * 2 + (0,)
    emptied = History(
        opening,
        tuple(snapshot(each.at, 0, 0) for each in later),
        (flow(NOW - 35 * DAY, third, third, "out"),),
    )
    gone = figures_of(NOW, value(0, 0), emptied, USD).btc
    assert (gone.day, gone.month, gone.total) == (Gain(Decimal(0), Decimal(0)),) * 2 + (0,)


@given(pasts(), st.sampled_from([0, 1, -1, DAY, MONTH, -DAY]), amounts)
def test_a_window_that_begins_at_a_point_has_its_value(
    history: History, beside: int, worth: Decimal
) -> None:
    for point in (history.opening, *history.snapshots):
        figures_of(Millis(point.at + DAY + beside), value(worth, worth), history, USD)
        found = figures_of(Millis(point.at + DAY), value(worth, worth), history, USD)
        inflow = net_inflow(
            [each for each in history.flows if each.at > point.at], Millis(point.at + DAY), in_usd
        )
        gained = money.subtract(money.subtract(worth, point.value.usd), inflow)
        assert found.usd.day.profit == gained


def test_an_unknown_value_leaves_every_figure_unknown() -> None:
    figures = figures_of(NOW, None, History(snapshot(NOW - DAY, 1, 1), ()), USD)
    assert (figures.usd.amount, figures.usd.day, figures.usd.total) == (None, None, None)


def test_a_value_without_history_has_an_amount_and_no_profit() -> None:
    figures = figures_of(NOW, value(1, 100), None, USD)
    assert figures.usd.amount == 100
    assert figures.usd.day is None


def test_a_flow_of_unknown_worth_is_told() -> None:
    history = History(snapshot(NOW - DAY, 1, 100), (), (flow(NOW - HOUR, 0, 0, known=False),))
    assert history.has_unvalued_flows
    assert figures_of(NOW, value(1, 100), history, USD).usd.total == 0


def test_another_display_currency_uses_the_rate_of_each_moment() -> None:
    rates = {NOW: Decimal("0.8"), NOW - 2 * DAY: Decimal("0.5")}
    euro = DisplayCurrency("EUR", rates.get)
    history = History(snapshot(NOW - 2 * DAY, 1, 100), ())
    figures = figures_of(NOW, value(1, 100), history, euro)
    assert figures.display.amount == 80
    assert figures.display.total == 30
    assert figures.usd.total == 0


def test_a_missing_rate_leaves_the_display_figures_unknown_and_the_others_whole() -> None:
    rates = {NOW: Decimal("0.8")}
    history = History(snapshot(NOW - 2 * DAY, 1, 100), ())
    figures = figures_of(NOW, value(1, 100), history, DisplayCurrency("EUR", rates.get))
    assert figures.display.amount == 80
    assert figures.display.total is None
    assert figures.usd.total == 0
    no_rate = figures_of(NOW, value(1, 100), history, DisplayCurrency("EUR", lambda _at: None))
    assert no_rate.display.amount is None


def test_accounts_that_lack_a_rate_are_told_in_columns_as_alone() -> None:
    rates = {NOW: Decimal("0.8"), NOW - 40 * DAY: Decimal("0.7"), NOW - 2 * DAY: Decimal("0.6")}
    pasts = [
        None,
        History(snapshot(NOW - 2 * DAY, 1, 100), ()),
        History(snapshot(NOW - 3 * DAY, 1, 100), ()),
        History(snapshot(NOW - 40 * DAY, 1, 100), (snapshot(NOW - 12 * HOUR, 1, 100),)),
        History(snapshot(NOW - 40 * DAY, 1, 100), (snapshot(NOW - 2 * DAY, 1, 100),)),
    ]
    moments, worths = [NOW] * 5 + [Millis(NOW - 1)], [value(1, 110)] * 5 + [None]
    for code in ("EUR", "USD", "BTC"):
        display = DisplayCurrency(code, rates.get)
        sheet = sheet_of(moments, worths, [*pasts, pasts[1]], display)
        assert sheet.lacks_rate == [sheet.row(place).lacks_rate for place in range(6)]
        assert sheet.lacks_rate == [False, False, code == "EUR", code == "EUR", False, False]


@pytest.mark.parametrize("code", ["USD", "BTC", "EUR"])
def test_gains_can_be_left_out_of_some_accounts(code: str) -> None:
    past = History(snapshot(NOW - 40 * DAY, 1, 100), (snapshot(NOW - 2 * DAY, 1, 100),))
    display = DisplayCurrency(code, lambda _at: Decimal("0.8"))
    whole = sheet_of([NOW] * 2, [value(1, 110)] * 2, [past] * 2, display)
    hidden = whole.without_gains([True, False])
    assert hidden.row(1) == whole.row(1)
    for told, before in (
        (getattr(hidden.row(0), name), getattr(whole.row(0), name))
        for name in ("btc", "usd", "display")
    ):
        assert (told.day, told.month) == (None, None)
        assert None not in {told.amount, told.total, before.day, before.month}
        assert (told.amount, told.total) == (before.amount, before.total)
    assert hidden.lacks_rate == [False, False]


def test_btc_as_display_currency_is_the_btc_figures() -> None:
    history = History(snapshot(NOW - 2 * DAY, 1, 100), ())
    figures = figures_of(NOW, value(2, 90), history, DisplayCurrency("BTC", lambda _at: None))
    assert figures.display == figures.btc


histories = st.builds(
    lambda opening, later: History(
        snapshot(NOW - 40 * DAY, *opening),
        tuple(
            snapshot(NOW - (len(later) - index) * DAY, btc, usd)
            for index, (btc, usd) in enumerate(later)
        ),
    ),
    st.tuples(amounts, amounts),
    st.lists(st.tuples(amounts, amounts), max_size=30),
)
values = st.builds(value, amounts, amounts)


@given(histories, values, st.tuples(amounts, amounts))
def test_a_deposit_changes_no_profit_at_the_moment_it_lands(
    history: History, now: Value, deposit: tuple[Decimal, Decimal]
) -> None:
    before = figures_of(NOW, now, history, USD)
    landed = History(history.opening, history.snapshots, (flow(NOW, *deposit),))
    after = figures_of(NOW, now.plus(Value(*deposit)), landed, USD)
    for currency in ("btc", "usd"):
        old, new = getattr(before, currency), getattr(after, currency)
        assert (old.day.profit, old.month.profit, old.total) == (
            new.day.profit,
            new.month.profit,
            new.total,
        )


@given(st.lists(st.tuples(histories, values), min_size=1, max_size=4))
def test_the_summary_is_the_sum_of_its_accounts(
    accounts: list[tuple[History, Value]],
) -> None:
    parts = [figures_of(NOW, now, history, USD) for history, now in accounts]
    whole = summary_of(parts, "USD")
    assert whole.usd.amount == money.total(part.usd.amount for part in parts)
    assert whole.btc.day.profit == money.total(part.btc.day.profit for part in parts)
    assert whole.display.total == money.total(part.usd.total for part in parts)


@given(histories, values, st.decimals(min_value=0, max_value=1, places=4))
def test_splitting_an_account_in_two_changes_no_total(
    history: History, now: Value, share: Decimal
) -> None:
    rest = money.subtract(Decimal(1), share)

    def part(of: Decimal) -> Figures:
        def scaled(whole: Value) -> Value:
            return Value(money.multiply(whole.btc, of), money.multiply(whole.usd, of))

        past = History(
            Snapshot(history.opening.at, scaled(history.opening.value)),
            tuple(Snapshot(point.at, scaled(point.value)) for point in history.snapshots),
        )
        return figures_of(NOW, scaled(now), past, USD)

    whole = figures_of(NOW, now, history, USD)
    halves = summary_of([part(share), part(rest)], "USD")
    assert halves.usd.amount == whole.usd.amount
    assert halves.usd.total == whole.usd.total
    assert halves.btc.total == whole.btc.total


def test_a_summary_with_an_unknown_account_is_unknown() -> None:
    known = figures_of(NOW, value(1, 1), None, USD)
    unknown = figures_of(NOW, None, None, USD)
    assert summary_of([known, unknown], "USD").usd.amount is None


@pytest.mark.parametrize("window", ["day", "month"])
def test_a_percentage_of_a_zero_base_is_zero(window: str) -> None:
    history = History(snapshot(NOW - 60 * DAY, 0, 0), ())
    figures = figures_of(NOW, value(0, 0), history, USD)
    assert getattr(figures.usd, window).percentage == 0


@given(histories, values, st.lists(st.integers(0, 40 * DAY), min_size=1, max_size=12))
def test_what_was_reckoned_before_changes_no_figures(
    history: History, now: Value, ages: list[int]
) -> None:
    for moment in (Millis(NOW + DAY - age) for age in sorted(ages, reverse=True)):
        anew = History(history.opening, history.snapshots)
        assert figures_of(moment, now, history, USD) == figures_of(moment, now, anew, USD)


@pytest.mark.parametrize("begun", [Decimal(1), Decimal("1." + "123456789" * 9)])
def test_a_profit_is_that_of_the_straight_line_to_the_last_digit(begun: Decimal) -> None:
    history = History(snapshot(NOW - 3 * DAY, begun, 100), (snapshot(NOW - HOUR, "1.3", "101"),))
    for at in (NOW + 5, NOW, NOW + HOUR):
        since, span = at - DAY - (NOW - 3 * DAY), 3 * DAY - HOUR
        past = money.divide(
            money.add(
                money.multiply(begun, Decimal(span - since)),
                money.multiply(Decimal("1.3"), Decimal(since)),
            ),
            Decimal(span),
        )
        gain = figures_of(Millis(at), value(2, 90), history, USD).btc.day
        assert gain is not None
        assert gain.profit == money.subtract(Decimal(2), past)
