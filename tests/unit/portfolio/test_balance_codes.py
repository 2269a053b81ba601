"""Venues' codes and our names of assets, as plans and orders need them."""

from decimal import Decimal

from coffers.portfolio.balance_codes import Codes, Tradable
from coffers.valuation.model import Position
from coffers.valuation.order_sizes import Step
from coffers.valuation.orders import PairLimits, PlannedOrder
from coffers.valuation.rebalancing import Held

D = Decimal


def pair(base: str, quote: str) -> PairLimits:
    return PairLimits(base, quote, None, None, None, None, None, None)


def tradable(*pairs: PairLimits, **assets: str) -> Tradable:
    codes = {code for each in pairs for code in (each.base, each.quote)}
    return Tradable(pairs, {code: assets.get(code, code) for code in codes})


def lies(code: str, asset: str, free: str, in_orders: str = "0") -> Position:
    return Position("spot", asset, code, D(free), D(in_orders))


def sale(base: str, quote: str) -> Step:
    one = D(1)
    return Step(base, quote, "sell", one, one, one, one, one, one, one, is_whole=True)


def test_orders_are_in_the_venues_codes_and_plans_in_ours() -> None:
    codes = Codes(tradable(pair("XXBT", "ZUSD"), XXBT="BTC", ZUSD="USD"), [], {})
    assert codes.pairs == [pair("BTC", "USD")]
    assert codes.order(sale("BTC", "USD")) == PlannedOrder("XXBT", "ZUSD", "sell", D(1))


def test_what_lies_under_another_code_counts_and_is_not_for_sale() -> None:
    positions = [lies("BTC", "BTC", "1", "0.5"), lies("LDBTC", "BTC", "3"), lies("NEW", "NEW", "2")]
    codes = Codes(tradable(pair("BTC", "USDT")), positions, {})
    assert codes.held() == {"BTC": Held(D("4.5"), D(1)), "NEW": Held(D(2), D(0))}


def test_of_two_codes_of_an_asset_the_one_that_is_held_more_is_traded() -> None:
    pairs = (pair("ETH", "USDT"), pair("ETH2", "USDT"), pair("ETH2", "BTC"))
    positions = [lies("ETH", "ETH", "1"), lies("ETH2", "ETH", "5")]
    codes = Codes(tradable(*pairs, ETH2="ETH"), positions, {})
    assert codes.pairs == [pair("ETH", "USDT"), pair("ETH", "BTC")]
    assert codes.order(sale("ETH", "BTC")).base == "ETH2"
    assert codes.held() == {"ETH": Held(D(6), D(5))}


def test_what_the_user_says_of_a_code_comes_first() -> None:
    codes = Codes(tradable(pair("LUNA", "USDT")), [lies("LUNA", "LUNC", "7")], {})
    assert codes.pairs == [pair("LUNC", "USDT")]
    assert codes.order(sale("LUNC", "USDT")).base == "LUNA"


def test_what_the_user_says_of_a_code_comes_first_while_none_of_it_is_held() -> None:
    codes = Codes(tradable(pair("LUNA", "USDT")), [lies("USDT", "USDT", "9")], {"LUNA": "LUNC"})
    assert codes.pairs == [pair("LUNC", "USDT")]
    assert codes.order(sale("LUNC", "USDT")).base == "LUNA"
