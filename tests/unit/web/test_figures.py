"""Figures on pages: what a profit is a part of."""

from decimal import Decimal

import pytest

from coffers.valuation.figures import Gain
from coffers.web.figures import in_percent


@pytest.mark.parametrize(
    ("amount", "profit", "shown"),
    [
        ("110", "10", "10"),
        ("90", "-10", "-10"),
        ("100", "0", "0"),
        # Nothing was there without it: the account was opened empty, or is.
        ("500.9", "500.9", None),
        ("0", "0", None),
        # More was taken out than had been there.
        ("10", "200.36", None),
        ("100", "100.00000000000000000000000000000000001", None),
        ("100.00000000000000000000000000000000001", "100", "10"),
        (None, "1", None),
    ],
)
def test_a_profit_is_in_percent_of_what_was_there_without_it(
    amount: str | None, profit: str, shown: str | None
) -> None:
    gain = Gain(Decimal(profit), Decimal("-10" if profit.startswith("-") else shown or "-105.26"))
    found = in_percent(gain, None if amount is None else Decimal(amount))
    assert found == (None if shown is None else Decimal(shown))


def test_of_no_known_profit_there_is_no_percentage() -> None:
    assert in_percent(None, Decimal(1)) is None
