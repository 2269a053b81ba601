"""Every example body that was collected is used, or it is said why it cannot be."""

from collections import Counter
from typing import Any

import pytest

from coffers.connectors.reading import ConnectorFailure
from integration.connectors.further import told_of
from integration.connectors.replay import loaded

FURTHER = loaded("further_bodies.json")["cases"]
DERIVATIVES = loaded("derivatives.json")
ALONE = loaded("bodies.json")["cases"]

COLLECTED = {
    "fetch_balance": 71,
    "fetch_ticker": 32,
    "fetch_tickers": 31,
    "fetch_deposits": 19,
    "fetch_withdrawals": 20,
    "fetch_ledger": 18,
    "fetch_positions": 24,
}
"""How many examples there are in the library's comments of each call that a reading makes.

Of those of trades, transfers between one's own wallets and lists of sub-accounts nothing becomes a
reading, a flow or a price: they are no part of this.
"""

USABLE = [case for case in FURTHER if "expected" in case]


def named(case: dict[str, Any]) -> str:
    return f"{case['venue']}-{case['method']}-{case['label']}".replace(" ", "_")


@pytest.mark.parametrize("case", USABLE, ids=named)
async def test_a_body_with_the_right_call_around_it_is_read_as_by_hand(
    case: dict[str, Any],
) -> None:
    assert await told_of(case) == case["expected"]


def test_every_body_is_used_or_it_is_said_why_it_cannot_be() -> None:
    found = Counter(case["method"] for case in [*ALONE, *FURTHER])
    assert found == COLLECTED
    for case in [*ALONE, *FURTHER]:
        ways = {"expected", "parsed", "replayed_in", "unusable"} & case.keys()
        assert ways - {"parsed"} if case in FURTHER else ways, named(case)
        assert case.get("unusable", "a.").endswith(".")


def test_a_body_that_is_said_to_be_in_a_reading_is_there() -> None:
    for case in [*ALONE, *FURTHER]:
        code = case.get("replayed_in")
        assert code is None or DERIVATIVES[code]["answers"], named(case)


def test_few_bodies_cannot_be_used() -> None:
    unusable = [named(case) for case in [*ALONE, *FURTHER] if "unusable" in case]
    assert len(unusable) == 11


@pytest.mark.parametrize("venue", ["okx", "polymarket"])
async def test_a_balance_that_cannot_be_taken_is_a_failure_and_no_balance(venue: str) -> None:
    (case,) = (
        case
        for case in FURTHER
        if (case["venue"], case["method"]) == (venue, "fetch_balance") and "unusable" in case
    )
    with pytest.raises(ConnectorFailure):
        await told_of(case)
