"""The planner of rebalancing: what it plans by hand-made examples, and what must hold for any."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers import money
from coffers.valuation.drafting import NO_PAIR
from coffers.valuation.order_sizes import CUSHION, Step, counted_on_by, fee_of, within_budget
from coffers.valuation.orders import PairLimits
from coffers.valuation.rebalancing import (
    NOTHING_HELD,
    PLANNED,
    REFUSED,
    WITHIN,
    Goal,
    Held,
    NoPriceForTarget,
    Plan,
    plan,
)

D = Decimal
PRICES = {"BTC": D(50000), "ETH": D(2500), "USDT": D(1), "SOL": D(200), "ODD": D(3)}


def pair(base: str, quote: str, **limits: str | None) -> PairLimits:
    told = {
        "amount_step": "0.00001",
        "min_amount": None,
        "max_amount": None,
        "min_cost": "5",
        "max_cost": None,
        "fee": "0.001",
        **limits,
    }
    values: Any = {name: None if text is None else D(text) for name, text in told.items()}
    return PairLimits(base, quote, **values)


USUAL = (pair("BTC", "USDT"), pair("ETH", "USDT"), pair("SOL", "USDT"))


def held(**amounts: str) -> dict[str, Held]:
    """Return holdings: "2" is free, "2/0.5" has only half a unit free."""
    found = {}
    for asset, text in amounts.items():
        owned, _, free = text.partition("/")
        found[asset] = Held(D(owned), D(free or owned))
    return found


def goal(tolerance: str = "1", *, sells_others: bool = False, **shares: str) -> Goal:
    return Goal({asset: D(share) for asset, share in shares.items()}, D(tolerance), sells_others)


def told(made: Plan) -> list[str]:
    return [f"{step.side} {step.amount} {step.base}/{step.quote}" for step in made.steps]


def shares(made: Plan) -> dict[str, float]:
    return {line.asset: round(float(line.share_after), 2) for line in made.lines}


def reasons(made: Plan) -> dict[str, str]:
    return {each.asset: each.reason for each in made.unplanned}


def test_what_is_above_its_share_is_sold_and_what_is_below_is_bought() -> None:
    made = plan(held(BTC="1", USDT="0"), PRICES, goal(BTC="50", ETH="30", USDT="20"), USUAL)

    assert (made.verdict, made.usd, made.quote) == (PLANNED, D(50000), "USDT")
    # 25,000 USDT less the fee come in; three fifths of that buy, with 0.6 % kept back.
    assert told(made) == ["sell 0.50000 BTC/USDT", "buy 5.95825 ETH/USDT"]
    assert shares(made) == {"BTC": 50.04, "ETH": 29.79, "USDT": 20.17}
    assert made.unplanned == ()


def test_a_pair_of_the_two_spares_a_trade() -> None:
    pairs = (*USUAL, pair("ETH", "BTC", min_cost="0.0001"))
    made = plan(held(BTC="1"), PRICES, goal(BTC="50", ETH="50"), pairs)

    assert told(made) == ["buy 10.00000 ETH/BTC"]
    assert shares(made) == {"BTC": 50.03, "ETH": 49.97}


def test_a_pair_that_refuses_again_and_again_is_left_out_and_the_rest_is_traded() -> None:
    pairs = (*USUAL, pair("SOL", "USDC"), pair("BTC", "USDC"), pair("ETH", "USDC"))
    wanted = goal(BTC="50", ETH="30", SOL="20")
    made = plan(held(BTC="1"), {**PRICES, "USDC": D(1)}, wanted, pairs, avoided={("SOL", "USDT")})
    # Only what ETH needs is sold, and through the currency that serves without a refusal.
    assert [(step.side, step.base, step.quote) for step in made.steps] == [
        ("sell", "BTC", "USDT"),
        ("buy", "ETH", "USDT"),
    ]
    assert made.steps[0].amount < D("0.31")
    assert {each.asset: each.reason for each in made.unplanned}["SOL"] == REFUSED


def test_what_is_brought_there_in_part_and_has_no_way_for_the_rest_is_told() -> None:
    direct = pair("SOL", "BTC", min_cost="0.0001")
    pairs = (*USUAL[:2], pair("ODD", "USDT"), direct)
    # Of SOL's 20 %, BTC has 5 to give.
    asked = held(BTC="0.5", ETH="30"), PRICES, goal(BTC="20", ETH="40", SOL="20", ODD="20")
    made = plan(*asked, pairs)
    assert 4 < shares(made)["SOL"] < 6
    assert reasons(made) == {"SOL": NO_PAIR}
    again = plan(*asked, (*pairs, pair("SOL", "USDT")), avoided={("SOL", "USDT")})
    assert reasons(again) == {"SOL": REFUSED}
    whole = plan(held(BTC="0.8", ETH="4"), PRICES, goal(BTC="60", ETH="20", SOL="20"), pairs)
    assert (told(whole)[0].split()[2], reasons(whole)) == ("SOL/BTC", {})


def test_a_pair_that_refused_an_order_is_gone_round_where_that_can_be() -> None:
    asked = held(BTC="1"), PRICES, goal(BTC="50", ETH="50")
    direct = pair("ETH", "BTC", min_cost="0.0001")
    assert [step.quote for step in plan(*asked, (*USUAL, direct)).steps] == ["BTC"]
    made = plan(*asked, (*USUAL, direct), {("ETH", "BTC")})
    assert [step.quote for step in made.steps] == ["USDT", "USDT"]
    alone = plan(*asked, (direct, *USUAL[1:]), {("ETH", "BTC")})
    assert [step.quote for step in alone.steps] == ["BTC"]


def test_within_the_tolerance_nothing_is_done() -> None:
    made = plan(held(BTC="0.51", USDT="24500"), PRICES, goal(BTC="50", USDT="50"), USUAL)

    assert (made.verdict, made.steps, made.unplanned) == (WITHIN, (), ())
    assert plan(held(BTC="0.53", USDT="24500"), PRICES, goal(BTC="50", USDT="50"), USUAL).steps


def test_an_asset_without_a_price_stops_all() -> None:
    prices = {asset: price for asset, price in PRICES.items() if asset != "ETH"}
    for amounts in (held(BTC="1", ETH="2"), held(BTC="1")):
        with pytest.raises(NoPriceForTarget, match="ETH has no price now"):
            plan(amounts, prices, goal(BTC="50", ETH="50"), USUAL)


def test_what_has_no_share_is_left_alone() -> None:
    amounts = held(BTC="1", SOL="1000", NEW="5", USDT="7")
    made = plan(amounts, PRICES, goal(BTC="50", ETH="50"), USUAL)

    assert made.usd == D(50000)
    assert [line.asset for line in made.lines] == ["BTC", "ETH"]
    # The 7 USDT are not in the portfolio: what is spent came in before.
    assert told(made) == ["sell 0.50000 BTC/USDT", "buy 9.93041 ETH/USDT"]


def test_or_it_is_sold_where_that_is_wanted() -> None:
    amounts = held(BTC="1", SOL="250", NEW="5", USDT="7")
    made = plan(amounts, PRICES, goal(BTC="50", ETH="50", sells_others=True), USUAL)

    assert made.usd == D(100007)
    assert told(made) == ["sell 249.98250 SOL/USDT", "buy 19.86222 ETH/USDT"]
    assert reasons(made) == {"NEW": "unpriced", "BTC": "too_small"}


def test_what_one_venue_alone_means_by_a_symbol_is_not_traded() -> None:
    own = "ODD@gate"
    prices = {**PRICES, own: D("0.5")}
    pairs = (*USUAL, pair(own, "USDT"), pair("SOL", own))
    has = {**held(BTC="1", USDT="0"), own: Held(D(9000), D(9000))}
    for symbol in ("ODD", "ETH"):
        made = plan(has, prices, goal(sells_others=True, BTC="50", **{symbol: "50"}), pairs)
        assert own not in {code for step in made.steps for code in (step.base, step.quote)}
        assert reasons(made)[own] == "one_venue"
    # It is no way from one to the other either.
    only = (pair("SOL", own), pair("BTC", own))
    assert plan(held(SOL="9"), prices, goal(SOL="50", BTC="50"), only).steps == ()


def test_nothing_held_is_nothing_to_do() -> None:
    made = plan({}, PRICES, goal(BTC="100"), USUAL)

    assert (made.verdict, made.usd, made.lines) == (NOTHING_HELD, D(0), ())


def test_what_lies_in_orders_counts_but_is_not_spent() -> None:
    amounts = held(BTC="1/0.1", USDT="0")
    made = plan(amounts, PRICES, goal(BTC="50", USDT="50"), USUAL)

    assert told(made) == ["sell 0.10000 BTC/USDT"]
    assert reasons(made)["BTC"] == "not_free"


def test_what_is_too_little_since_the_rest_lies_in_orders_says_so() -> None:
    made = plan(held(BTC="1/0.00005"), PRICES, goal(BTC="50", USDT="50"), USUAL)

    assert (made.steps, reasons(made)["BTC"]) == ((), "not_free")


def test_no_more_is_sold_than_what_can_be_bought() -> None:
    amounts = held(BTC="1")
    made = plan(amounts, PRICES, goal(BTC="50", ETH="25", ODD="25"), USUAL)

    assert told(made) == ["sell 0.25000 BTC/USDT", "buy 4.96520 ETH/USDT"]
    assert reasons(made) == {"ODD": "no_pair"}


def test_nothing_is_sold_for_purchases_that_would_be_too_small() -> None:
    # All fees and what is kept back taken off, five dollars are 4.96 each.
    made = plan(held(BTC="0.0004"), PRICES, goal(BTC="49.9", ETH="25", SOL="25.1"), USUAL)

    assert (told(made), reasons(made)) == ([], {"ETH": "too_small", "SOL": "too_small"})


def test_where_sales_cut_alike_would_be_too_small_fewer_are_made() -> None:
    # Seven dollars are wanted of what two assets have too much of: 3.50 of each are no order.
    amounts = held(BTC="0.00214", SOL="0.535", ETH="0.0372", ODD="31")
    made = plan(amounts, PRICES, goal(BTC="25", SOL="25", ETH="25", ODD="25"), USUAL)

    assert told(made) == ["sell 0.00014 BTC/USDT", "buy 0.00278 ETH/USDT"]
    assert reasons(made) == {"ODD": "no_pair", "SOL": "too_small"}


def test_what_is_too_small_to_be_bought_keeps_nothing_else_from_being_bought() -> None:
    amounts = held(BTC="0.0018", SOL="0.15", USDT="20")
    limits = {"min_cost": "50"}
    pairs = [pair(asset, "USDT", **limits) for asset in ("BTC", "SOL", "ETH", "ODD")]
    shares = goal(ETH="34", ODD="48", BTC="9", SOL="3", USDT="6")
    made = plan(amounts, PRICES, shares, pairs)

    assert [(step.side, step.base) for step in made.steps] == [("sell", "BTC"), ("buy", "ODD")]


def test_what_is_too_little_for_two_purchases_pays_for_one() -> None:
    amounts = held(BTC="1/0.00015")
    made = plan(amounts, PRICES, goal(BTC="50", ETH="20", SOL="30"), USUAL)

    assert told(made) == ["sell 0.00015 BTC/USDT", "buy 0.03723 SOL/USDT"]
    assert reasons(made) == {"BTC": "not_free", "ETH": "too_small"}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"min_cost": "20000"}, "too_small"),
        ({"min_amount": "0.3"}, "too_small"),
        ({"amount_step": "1"}, "too_small"),
    ],
)
def test_an_order_that_the_venue_would_refuse_is_left_out(
    limits: Mapping[str, str], reason: str
) -> None:
    pairs = (pair("BTC", "USDT", **limits),)
    made = plan(held(USDT="20000"), PRICES, goal(BTC="50", USDT="50"), pairs)

    assert (made.steps, reasons(made)["BTC"]) == ((), reason)


def test_a_larger_order_than_the_venue_takes_is_cut() -> None:
    for limits in ({"max_amount": "0.05"}, {"max_cost": "2500"}):
        pairs = (pair("BTC", "USDT", **limits),)
        made = plan(held(USDT="20000"), PRICES, goal(BTC="50", USDT="50"), pairs)
        assert (told(made), reasons(made)) == (["buy 0.05000 BTC/USDT"], {"BTC": "too_large"})


def test_a_pair_may_be_the_other_way_round() -> None:
    prices = {"EUR": D("1.25"), "USDT": D(1), "BTC": D(50000)}
    pairs = (pair("USDT", "EUR", fee="0"), pair("BTC", "USDT", fee="0"))
    made = plan(held(EUR="8000"), prices, goal(EUR="50", BTC="50"), pairs)

    assert [step.spent_asset for step in made.steps] == ["EUR", "USDT"]


def test_a_fee_that_is_not_told_is_not_none() -> None:
    pairs = (pair("BTC", "USDT", fee=None),)
    made = plan(held(BTC="1"), PRICES, goal(USDT="50", BTC="50"), pairs)

    assert made.steps[0].received == D("24875")


ASSETS = ("AAA", "BBB", "CCC", "DDD", "USDT")
_amount = st.decimals("0.01", "1000", places=4)
_limit = st.none() | st.decimals("0.0001", "50", places=4)


@st.composite
def worlds(
    draw: st.DrawFn,
) -> tuple[dict[str, Held], dict[str, Decimal], Goal, list[PairLimits]]:
    prices = {asset: draw(st.decimals("0.001", "50000", places=3)) for asset in ASSETS}
    amounts = {}
    for asset in draw(st.sets(st.sampled_from(ASSETS), min_size=1)):
        owned = draw(_amount)
        amounts[asset] = Held(owned, money.multiply(owned, draw(st.sampled_from([D(1), D("0.3")]))))
    names = sorted(draw(st.sets(st.sampled_from(ASSETS), min_size=2)))
    cuts = sorted(
        draw(st.lists(st.integers(0, 1000), min_size=len(names) - 1, max_size=len(names) - 1))
    )
    parts = [D(b - a) / 10 for a, b in zip([0, *cuts], [*cuts, 1000], strict=True)]
    target = Goal(
        dict(zip(names, parts, strict=True)),
        draw(st.decimals("0", "5", places=2)),
        draw(st.booleans()),
    )
    pairs = [
        draw(pair_limits(base, quote))
        for base in ASSETS
        for quote in ("USDT", "AAA")
        if base != quote and draw(st.booleans())
    ]
    return amounts, prices, target, pairs


@st.composite
def pair_limits(draw: st.DrawFn, base: str, quote: str) -> PairLimits:
    fee = draw(st.none() | st.sampled_from([D(0), D("0.001"), D("0.01")]))
    step = draw(st.none() | st.sampled_from([D("0.0001"), D("0.01"), D("0.5")]))
    most_amount, most_cost = (
        draw(st.none() | st.decimals("10", "100000", places=1)) for _ in range(2)
    )
    return PairLimits(base, quote, step, draw(_limit), most_amount, draw(_limit), most_cost, fee)


def found(pairs: Sequence[PairLimits], step: Step) -> PairLimits:
    return next(each for each in pairs if (each.base, each.quote) == (step.base, step.quote))


@given(worlds())
def test_no_order_spends_what_is_not_there(world: Any) -> None:
    amounts, prices, target, pairs = world
    made = plan(amounts, prices, target, pairs)
    free = {asset: each.free for asset, each in amounts.items()}
    for step in made.steps:
        has = free.get(step.spent_asset, D(0))
        cost = step.amount if step.side == "sell" else step.amount * step.price
        fee = fee_of(found(pairs, step))
        on_top = cost * (1 + fee) if step.side == "buy" else cost
        assert on_top <= has * D("1.0000000000000001")
        came = step.amount if step.side == "buy" else step.amount * step.price
        free[step.spent_asset] = has - cost
        free[step.received_asset] = free.get(step.received_asset, D(0)) + came * (1 - fee)


@given(worlds())
def test_what_is_counted_on_is_above_its_share_and_pays_for_all_that_is_planned(world: Any) -> None:
    amounts, prices, target, pairs = world
    made = plan(amounts, prices, target, pairs)
    above = {line.asset for line in made.lines if line.share > line.target}
    counted_on = counted_on_by(made.steps)
    nearly, dust = D("1.0000000000000001"), D("0.0000000001")
    for asset, amount in counted_on.items():
        assert asset in above or amount < dust
        counted_on[asset] = min(amount, amounts[asset].free if asset in above else dust)
    for step in made.steps:
        has = counted_on.get(step.spent_asset, D(0)) * nearly + dust
        assert within_budget(found(pairs, step), step.order, step.price, has) == step.order
        on_top = step.spent * (1 + step.fee) if step.side == "buy" else step.spent
        counted_on[step.spent_asset] = has - on_top
        brought = counted_on.get(step.received_asset, D(0)) + step.received
        counted_on[step.received_asset] = brought


@given(worlds())
def test_every_order_is_one_that_the_venue_takes(world: Any) -> None:
    amounts, prices, target, pairs = world
    for step in plan(amounts, prices, target, pairs).steps:
        limits = found(pairs, step)
        cost = money.multiply(step.amount, step.price)
        assert step.amount > 0
        assert limits.amount_step is None or step.amount % limits.amount_step == 0
        assert limits.min_amount is None or step.amount >= limits.min_amount
        assert limits.max_amount is None or step.amount <= limits.max_amount
        assert limits.min_cost is None or cost >= limits.min_cost
        assert limits.max_cost is None or cost <= limits.max_cost * D("1.0000000000000001")


@given(worlds())
def test_money_is_raised_before_it_is_spent_and_only_from_what_is_above(world: Any) -> None:
    amounts, prices, target, pairs = world
    made = plan(amounts, prices, target, pairs)
    above = {line.asset for line in made.lines if line.share > line.target}
    spends_raised = [step.spent_asset not in above for step in made.steps]
    assert spends_raised == sorted(spends_raised)
    below = {line.asset for line in made.lines if line.share < line.target}
    for step in made.steps:
        assert step.spent_asset in above | {made.quote}
        assert step.received_asset in below | {made.quote}


@given(worlds())
def test_what_has_no_share_is_touched_only_where_that_is_wanted(world: Any) -> None:
    amounts, prices, target, pairs = world
    made = plan(amounts, prices, target, pairs)
    touched = {asset for step in made.steps for asset in (step.base, step.quote)}
    if not target.sells_others:
        assert touched <= {*target.shares, made.quote}
        if made.quote not in target.shares:
            flow = sum(
                (step.received if step.received_asset == made.quote else D(0))
                - (step.at_most if step.spent_asset == made.quote else D(0))
                for step in made.steps
            )
            assert flow >= 0


@st.composite
def scarce_worlds(draw: st.DrawFn) -> Any:
    """Return a world in which little is free, and orders have to be about as large as that."""
    prices = {asset: D(1) for asset in ASSETS}
    amounts = {asset: Held(D(1000), draw(_amount)) for asset in ("AAA", "BBB")}
    parts = draw(st.sampled_from([(10, 10, 40, 40), (20, 0, 70, 10), (0, 5, 5, 90)]))
    target = {asset: D(part) for asset, part in zip(ASSETS, parts, strict=False) if part}
    pairs = [pair(asset, "USDT", min_cost=str(draw(_amount))) for asset in ASSETS[:4]]
    return amounts, prices, Goal(target, D(1), sells_others=True), pairs


@given(st.one_of(worlds(), scarce_worlds()))
def test_what_is_raised_for_purchases_is_spent_but_for_fees_and_steps(world: Any) -> None:
    amounts, prices, target, pairs = world
    made = plan(amounts, prices, target, pairs)
    if made.quote in {line.asset for line in made.lines}:
        return
    left, allowed = D(0), D("1E-9")
    for step in made.steps:
        if step.received_asset == made.quote:
            left += step.received
        elif step.spent_asset == made.quote:
            limits = found(pairs, step)
            unit = limits.amount_step or D("1E-8")
            unit = unit * step.price if step.side == "buy" else unit
            kept = fee_of(limits) + CUSHION if step.side == "buy" else D(0)
            left -= step.spent
            allowed += (step.spent + unit) * (1 + kept) - step.spent
    assert left <= allowed


@st.composite
def liquid_worlds(draw: st.DrawFn) -> Any:
    """Return a world in which all is free, priced and tradable in small steps."""
    amounts, prices, target, _ = draw(worlds())
    amounts = {asset: Held(each.owned, each.owned) for asset, each in amounts.items()}
    fee, step = (
        draw(st.sampled_from(["0", "0.001", "0.01"])),
        draw(st.sampled_from(["1E-8", "1E-6"])),
    )
    quotes = ("USDT", "AAA") if draw(st.booleans()) else ("USDT",)
    pairs = [
        pair(base, quote, fee=fee, amount_step=step, min_cost=None)
        for quote in quotes
        for base in ASSETS
        if base != quote and (base, quote) != ("USDT", "AAA")
    ]
    return amounts, prices, target, pairs


@given(liquid_worlds())
def test_afterwards_every_share_is_right_but_for_fees_and_steps(world: Any) -> None:
    amounts, prices, target, pairs = world
    made = plan(amounts, prices, target, pairs)
    lost = D(0)
    for step in made.steps:
        limits = found(pairs, step)
        lost += step.usd * (2 * fee_of(limits) + CUSHION)
        lost += (limits.amount_step or D(0)) * prices[step.base]
    # An order of less than one step of an asset cannot be placed.
    least = max(prices.values()) * D("1E-6") * len(ASSETS)
    for line in made.lines:
        slack = 100 * (2 * lost + least) / made.usd
        assert abs(line.share_after - line.target) <= max(target.tolerance, slack)


@given(worlds())
def test_once_done_it_is_not_done_again(world: Any) -> None:
    amounts, prices, target, pairs = world
    made = plan(amounts, prices, target, pairs)
    off = [line for line in made.lines if abs(line.share_after - line.target) > target.tolerance]
    if made.verdict == PLANNED and not off:
        later = {
            line.asset: Held(
                line.share_after * made.usd / 100 / line.price,
                line.share_after * made.usd / 100 / line.price,
            )
            for line in made.lines
        }
        bounds = Goal(target.shares, target.tolerance + D("0.0001"), target.sells_others)
        assert plan(later, prices, bounds, pairs).steps == ()


@given(worlds(), st.randoms())
def test_the_order_of_what_is_given_changes_nothing(world: Any, random: Any) -> None:
    amounts, prices, target, pairs = world
    shuffled = [list(amounts.items()), list(target.shares.items()), list(pairs)]
    for each in shuffled:
        random.shuffle(each)
    other = Goal(dict(shuffled[1]), target.tolerance, target.sells_others)
    assert plan(dict(shuffled[0]), prices, other, shuffled[2]) == plan(
        amounts, prices, target, pairs
    )
