"""What an order on paper brings: nothing comes of nothing, and the fee is all that it costs."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers import money
from coffers.portfolio.paper_fills import PLACES, fill
from coffers.store.paper import Side

UNIT = Decimal(1).scaleb(-PLACES)

amounts = st.decimals("0.000000000001", "1e15", places=PLACES)
prices = st.decimals("0.000000000001", "10000000", places=15).filter(lambda price: price > 0)
fees = st.decimals("0", "0.1", places=6)
sides = st.sampled_from(("buy", "sell"))


def test_a_purchase_pays_the_price_and_loses_the_fee_of_what_comes_in() -> None:
    bought = fill("buy", Decimal(50_000), Decimal(1), Decimal("0.001"), amount=Decimal("0.2"))
    assert (bought.spent, bought.received, bought.fee) == (
        Decimal(10_000),
        Decimal("0.1998"),
        Decimal("0.0002"),
    )


def test_a_sale_does_so_the_other_way_round() -> None:
    sold = fill("sell", Decimal(50_000), Decimal(1), Decimal("0.001"), amount=Decimal("0.2"))
    assert (sold.spent, sold.received, sold.fee) == (Decimal("0.2"), Decimal(9990), Decimal(10))


@pytest.mark.parametrize(
    ("side", "spent", "received"), [("buy", "100", "0.002"), ("sell", "0.002", "100")]
)
def test_so_much_of_the_quote_is_met_exactly(side: Side, spent: str, received: str) -> None:
    done = fill(side, Decimal(50_000), Decimal(1), Decimal(0), quote_amount=Decimal(100))
    assert (done.spent, done.received) == (Decimal(spent), Decimal(received))


def test_what_does_not_come_out_even_is_rounded_against_the_owner() -> None:
    bought = fill("buy", Decimal(3), Decimal(7), Decimal(0), amount=Decimal(1))
    assert bought.spent == Decimal("0.428571428572")
    sold = fill("sell", Decimal(3), Decimal(7), Decimal(0), amount=Decimal(1))
    assert sold.received == Decimal("0.428571428571")


@given(side=sides, base=prices, quote=prices, fee=fees, amount=amounts, of_quote=st.booleans())
def test_worth_before_is_worth_after_and_the_fee(
    side: Side, base: Decimal, quote: Decimal, fee: Decimal, amount: Decimal, of_quote: bool
) -> None:
    asked = {"quote_amount" if of_quote else "amount": amount}
    done = fill(side, base, quote, fee, **asked)
    paid_in, paid_out = (quote, base) if side == "buy" else (base, quote)
    before = money.multiply(done.spent, paid_in)
    after = money.multiply(money.add(done.received, done.fee), paid_out)
    lost = money.subtract(before, after)
    assert 0 <= lost < money.multiply(UNIT, max(paid_in, paid_out))


@given(side=sides, base=prices, quote=prices, fee=fees, amount=amounts, of_quote=st.booleans())
def test_nothing_is_negative_or_finer_than_the_last_place(
    side: Side, base: Decimal, quote: Decimal, fee: Decimal, amount: Decimal, of_quote: bool
) -> None:
    done = fill(side, base, quote, fee, **{"quote_amount" if of_quote else "amount": amount})
    assert done.spent > 0
    for each in (done.spent, done.received, done.fee):
        assert each >= 0
        assert money.quotient_down(each, Decimal(1), PLACES) == each
    gross = money.add(done.received, done.fee)
    assert money.subtract(done.fee, money.multiply(gross, fee)) < UNIT


@given(base=prices, quote=prices, fee=fees, amount=amounts)
def test_there_and_back_never_brings_more_than_there_was(
    base: Decimal, quote: Decimal, fee: Decimal, amount: Decimal
) -> None:
    there = fill("sell", base, quote, fee, amount=amount)
    if there.received:
        back = fill("buy", base, quote, fee, quote_amount=there.received)
        assert back.received <= amount
