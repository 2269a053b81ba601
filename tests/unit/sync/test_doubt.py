"""A reading that lost most of what was known waits for a second one that agrees."""

from decimal import Decimal

from coffers.clock import Millis
from coffers.connectors.reading import Reading
from coffers.sync.doubt import fingerprint, is_doubtful
from coffers.valuation.model import Flow, Position, Price

PRICES = {
    "BTC": Price(Decimal(1), Decimal(60_000), (), (), Millis(0)),
    "USDT": Price(Decimal("0.00001"), Decimal(1), (), (), Millis(0)),
}


def held(asset: str, amount: str, wallet: str = "spot") -> Position:
    return Position(wallet, asset, asset, Decimal(amount))


def reading(*positions: Position, flows: tuple[Flow, ...] = ()) -> Reading:
    return Reading(at=Millis(0), wallets=frozenset({"spot"}), positions=positions, flows=flows)


def test_a_first_reading_is_believed_even_when_empty() -> None:
    assert not is_doubtful([], reading(), PRICES)


def test_an_empty_reading_of_a_filled_account_is_doubtful() -> None:
    assert is_doubtful([held("BTC", "1")], reading(), PRICES)


def test_a_reading_of_less_than_half_the_worth_is_doubtful() -> None:
    known = [held("BTC", "1"), held("USDT", "1000")]
    assert is_doubtful(known, reading(held("USDT", "1000")), PRICES)
    assert not is_doubtful(known, reading(held("BTC", "0.6")), PRICES)


def test_a_withdrawal_that_the_venue_tells_explains_the_loss() -> None:
    flow = Flow("w1", "out", "BTC", "BTC", Decimal(1), Decimal(0), "BTC", Millis(0))
    known = [held("BTC", "1"), held("USDT", "1000")]
    assert not is_doubtful(known, reading(held("USDT", "1000"), flows=(flow,)), PRICES)


def test_without_prices_the_number_of_assets_counts() -> None:
    known = [held("A", "1"), held("B", "1"), held("C", "1")]
    assert is_doubtful(known, reading(held("A", "1")), {})
    assert not is_doubtful(known, reading(held("A", "1"), held("B", "1")), {})


def test_wallets_that_were_not_read_do_not_count() -> None:
    known = [held("BTC", "1", wallet="funding")]
    assert not is_doubtful(known, reading(held("USDT", "1")), PRICES)


def test_readings_agree_when_they_show_the_same_assets() -> None:
    one, other = reading(held("BTC", "1")), reading(held("BTC", "0.9"))
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(reading(held("USDT", "1")))


def test_what_is_held_as_before_is_never_doubtful_even_of_one_who_owes_more_than_he_has() -> None:
    owing = Position("spot", "BTC", "BTC", Decimal(0), borrowed=Decimal(1))
    assert not is_doubtful([owing], reading(owing), PRICES)
