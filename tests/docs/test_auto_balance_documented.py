"""The example of auto-balance is what the planner does, and its numbers are the program's."""

import re
from decimal import Decimal

import pytest

from coffers.clock import DAY, HOUR, MINUTE
from coffers.money import plain, rounded
from coffers.portfolio.balance_plans import AVOIDED_FOR, REFUSALS
from coffers.portfolio.balancer import BACK_OFF, FAILURES_ALLOWED
from coffers.portfolio.portfolios import USUAL_TOLERANCE
from coffers.valuation import drafting, order_sizes, rebalancing
from coffers.valuation.orders import PairLimits
from coffers.valuation.rebalancing import Goal, Held, plan

Pages = dict[str, str]
D = Decimal


@pytest.fixture
def page(pages: Pages) -> str:
    return pages["docs/auto-balance.md"]


def _short(number: Decimal) -> str:
    return plain(number).removesuffix(".0")


def test_the_example_is_what_is_planned(page: str) -> None:
    example = page.partition("## An example\n")[2].partition("\n## ")[0]
    prices = {"BTC": D(50000), "ETH": D(2500), "USDT": D(1)}
    pairs = [
        PairLimits(base, "USDT", D("0.00001"), None, None, None, None, D("0.001"))
        for base in ("BTC", "ETH")
    ]
    goal = Goal({"BTC": D(50), "ETH": D(30), "USDT": D(20)}, D(USUAL_TOLERANCE))
    made = plan({"BTC": Held(D(1), D(1))}, prices, goal, pairs)

    told = re.findall(
        r"^\| (\w+) \| (\d+) % \| (\d) \| (\d+) % \| ([\d.]+) % \|", example, re.MULTILINE
    )
    assert told == [
        (
            line.asset,
            _short(line.target),
            _short(line.owned),
            _short(line.share),
            _short(rounded(line.share_after, 4)),
        )
        for line in made.lines
    ]
    orders = re.findall(
        r"^\| (\w+) ([\d.]+) (\w+)/(\w+) \| ([\d.]+) (\w+) \| ([\d.]+) (\w+) \|",
        example,
        re.MULTILINE,
    )
    assert orders == [
        (
            step.side,
            _short(step.amount),
            step.base,
            step.quote,
            _short(step.spent),
            step.spent_asset,
            _short(step.received),
            step.received_asset,
        )
        for step in made.steps
    ]


def test_every_reason_is_told_and_no_other(page: str) -> None:
    told = page.partition("### What is not planned\n")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)) == {
        drafting.NO_PAIR,
        order_sizes.NOT_FREE,
        order_sizes.TOO_SMALL,
        order_sizes.TOO_LARGE,
        rebalancing.UNPRICED,
        rebalancing.ONE_VENUE,
        rebalancing.REFUSED,
    }
    assert REFUSALS == 3
    assert "their orders in three runs" in told
    assert AVOIDED_FOR == DAY


def test_waits_and_shares_are_those_of_the_program(page: str) -> None:
    first, longest = BACK_OFF.first // MINUTE, BACK_OFF.longest // HOUR
    assert (
        f"after {first} minutes, the next time after twice as long, up to {longest} hours" in page
    )
    assert f"After {FAILURES_ALLOWED}\nfailures in a row" in page
    assert f"Another {_short(order_sizes.CUSHION * 100)} % is kept back" in page
    assert f"no fee, {_short(order_sizes.ASSUMED_FEE * 100)} % is taken" in page
