"""What orders of a plan may spend, by what is written down of those before."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import msgspec

from coffers.connectors.trading import TradingDesk
from coffers.portfolio.budgets import Budget, read_terms
from coffers.portfolio.operation_notes import PricingContext
from coffers.store.operations import Step
from coffers.valuation.model import Meanings, Price, PriceBook
from coffers.valuation.orders import PairLimits, Terms
from factories import NOW

D = Decimal
STEP = D("0.001")


def pair(base: str, quote: str = "USDT") -> PairLimits:
    return PairLimits(base, quote, STEP, None, None, D(5), None, D("0.001"))


def price(usd: str) -> Price:
    return Price(D(1), D(usd), (), (), NOW)


class Codes:
    def asset_of(self, code: str) -> str:
        return code


BOOK = PriceBook(1, NOW, {"BTC": price("50000"), "ETH": price("2500"), "USDT": price("1")})


def budget(known: PriceBook | None = BOOK, **counted_on: str) -> Budget:
    amounts = {code: D(amount) for code, amount in counted_on.items()}
    terms = Terms(amounts, {code: code for code in ("BTC", "ETH", "USDT")})
    written = msgspec.json.encode(terms).decode()
    return at(PricingContext(known, {}, D("0.05"), "gate"), read_terms(written))


def at(known: PricingContext, terms: Terms) -> Budget:
    pairs = (pair("BTC"), pair("ETH"))
    return Budget(terms, pairs, known, cast("TradingDesk", Codes()))


def order(side: str, base: str, amount: str, state: str = "planned", **told: str) -> Step:
    numbers: Any = {name: D(text) for name, text in told.items() if name != "fee_asset"}
    step = Step(0, "order", base, "USDT", side, D(amount), "id", cast("Any", state), **numbers)
    return replace(step, fee_asset=told.get("fee_asset"))


PURCHASE = order("buy", "ETH", "4")


def amount(*before: Step, known: PriceBook | None = BOOK, **counted_on: str) -> Decimal:
    """Return how much of a purchase of 4 ETH at 2,500 USDT is paid for; 0 for none."""
    step = budget(known, **counted_on).paid(PURCHASE, D(2500), [*before, PURCHASE])
    assert (step.state, step.why is None) in {("planned", step == PURCHASE), ("skipped", False)}
    return D(0) if step.state == "skipped" or step.amount is None else step.amount


def sold(cost: str | None, state: str = "filled", **told: str) -> Step:
    costs = {} if cost is None else {"cost": cost}
    return order("sell", "BTC", "1", state, filled="1", **costs, **told)


def test_a_purchase_is_paid_by_what_was_counted_on_and_what_came_in() -> None:
    fee = {"fee": "100", "fee_asset": "USDT"}
    assert amount(USDT="10010") == 4
    assert amount(sold("10110", **fee)) == 4
    assert amount(sold("5110", **fee), USDT="5000") == 4
    # 4,000 USDT buy so much with the fee and half a percent kept back.
    assert amount(sold("4100", **fee)) == D("1.590")
    assert amount(sold("4000", fee="1", fee_asset="BNB")) == D("1.590")


def test_what_came_in_is_known_for_certain_or_counts_for_nothing() -> None:
    for state in ("planned", "refused", "skipped", "sent", "unknown"):
        assert amount(order("sell", "BTC", "1", state)) == 0, state
    assert amount() == 0
    # What is filled of an order that still waits came in.
    assert amount(sold("4000", "open", fee="0", fee_asset="USDT")) == D("1.590")
    # A fee that is not told is the pair's, and was taken of it: 3,996 are left.
    assert amount(sold("4000")) == D("1.588")
    # One of nothing was told.
    assert amount(sold("3999", fee="0", fee_asset="USDT")) == D("1.590")
    # Without a cost the worst that an order is placed at.
    part = replace(sold(None, fee="0", fee_asset="USDT"), amount=D("0.1"), filled=D("0.1"))
    assert amount(part) == D("1.888")
    assert amount(part, known=None) == 0


def test_what_others_spent_or_may_have_is_not_spent_again() -> None:
    fee = {"fee": "2", "fee_asset": "USDT"}
    assert amount(
        order("buy", "BTC", "1", "filled", filled="1", cost="998", **fee), USDT="5000"
    ) == (D("1.590"))
    for state in ("sent", "unknown", "open"):
        # 0.02 BTC cost 1,050 USDT at the most, and a thousandth.
        assert amount(order("buy", "BTC", "0.02", state), USDT="5051.05") == D("1.590"), state
    for state in ("refused", "skipped", "planned"):
        assert amount(order("buy", "BTC", "1", state), USDT="10010") == 4, state
    assert amount(order("buy", "BTC", "0.02", "unknown"), known=None, USDT="50000") == 0


def test_too_little_for_the_smallest_order_and_what_is_not_traded_is_skipped() -> None:
    assert amount(USDT="4.99") == 0
    step = order("buy", "SOL", "1")
    found = budget(USDT="1000").paid(step, D(100), [step])
    assert found.state == "skipped"
    assert found.why == "the exchange does not trade SOL/USDT now"


def test_no_more_is_sold_than_was_counted_on() -> None:
    sale = order("sell", "BTC", "1")
    before = order("sell", "BTC", "0.3", "filled", filled="0.3")
    assert budget(BTC="1").paid(sale, D(1), [sale]) == sale
    cut = budget(BTC="1").paid(sale, D(50000), [before, sale])
    assert (cut.amount, cut.why) == (D("0.700"), "cut from 1.0 to what 0.7 BTC pay for")
    assert budget().paid(sale, D(50000), [sale]).state == "skipped"


def test_an_order_is_not_placed_in_another_asset_than_was_planned() -> None:
    terms = Terms({"USDT": D(10010)}, {"ETH": "ETH", "USDT": "USDT"})
    apart = PriceBook(2, NOW, BOOK.prices, meanings=Meanings({"gate": {"ETH": None}}))
    found = at(PricingContext(apart, {}, D("0.05"), "gate"), terms).paid(
        PURCHASE, D(2500), [PURCHASE]
    )
    assert found.state == "skipped"
    assert found.why == "ETH was planned as ETH, and is ETH@gate by the newest prices"
    elsewhere = at(PricingContext(apart, {}, D("0.05"), "kraken"), terms)
    assert elsewhere.paid(PURCHASE, D(2500), [PURCHASE]) == PURCHASE


def test_an_operation_of_an_older_release_has_counted_on_nothing() -> None:
    assert read_terms(None) == Terms({}, {})
    found = at(PricingContext(BOOK, {}, D("0.05")), read_terms(None)).paid(
        PURCHASE, D(2500), [PURCHASE]
    )
    assert found.state == "skipped"
    assert found.why == "it was planned by an older release; the next run plans anew"
