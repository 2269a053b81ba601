from decimal import Decimal

import pytest

from coffers.clock import Millis
from coffers.pricing.sources.coingecko import CoinGecko
from coffers.pricing.sources.source import SourceFailure, SourcePrice
from unit.pricing.sources.recorded import answer

GECKO = CoinGecko()
ASKED = ("BTC", "ALGO", "SHIB", "BTT", "ETH")


def test_prices_come_with_every_digit_and_their_own_time() -> None:
    told = GECKO.told(answer("coingecko"), ASKED)
    assert told["BTC"] == SourcePrice(Decimal("111234.5678901234567"), Millis(1_759_999_970_000))
    assert told["ALGO"].usd == Decimal("0.21034510000000002")
    assert told["SHIB"].usd == Decimal("0.000012345")
    assert told["BTT"].usd == Decimal("5.4E-7")
    assert told["ETH"].usd == Decimal(4321)


def test_what_has_no_price_no_time_or_is_worth_nothing_is_absent() -> None:
    assert GECKO.told(answer("coingecko"), ("KDA", "EVMOS", "USTC", "WBTC", "XRP")) == {}


def test_only_what_was_asked_for_is_told() -> None:
    assert GECKO.told(answer("coingecko"), ("ETH",)).keys() == {"ETH"}


def test_the_question_is_the_same_whatever_somebody_holds() -> None:
    target = GECKO.target(("ALGO",))
    assert target == GECKO.target(("XMR", "ZEC"))
    assert "bitcoin" in target
    assert len(target) < 4096


def test_an_id_that_a_user_gave_is_asked_for_beside_the_table() -> None:
    target = GECKO.target(("ALGO", "coingecko:abc-2", "coingecko:bitcoin"))
    assert ",abc-2&" in target
    assert target.count("bitcoin,") == GECKO.target(()).count("bitcoin,")
    assert GECKO.knows("coingecko:abc-2")
    assert not GECKO.knows("coingecko:no id")
    assert not GECKO.knows("coingecko:")
    told = GECKO.told(answer("coingecko"), ("coingecko:ethereum",))
    assert told["coingecko:ethereum"].usd == Decimal(4321)


def test_one_question_grows_by_so_many_ids_at_most() -> None:
    many = tuple(f"coingecko:{'x' * 12}-{n}" for n in range(1000))
    assert len(GECKO.target(many)) < 5000


def test_only_coins_of_the_table_are_known() -> None:
    assert GECKO.knows("ALGO")
    assert not GECKO.knows("algo")
    assert not GECKO.knows("EUR")
    assert not GECKO.knows("ethereum:0xdAC17F958D2ee523a2206206994597C13D831ec7")


@pytest.mark.parametrize("odd", [[], "x", None, 5])
def test_an_answer_of_another_form_is_a_failure(odd: object) -> None:
    with pytest.raises(SourceFailure, match="coingecko answered in a form"):
        GECKO.told(odd, ASKED)


@pytest.mark.parametrize("odd", [True, [], {}, "much", "-1", "1e999", "NaN"])
def test_a_price_that_is_no_number_above_zero_is_absent(odd: object) -> None:
    assert GECKO.told({"ethereum": {"usd": odd, "last_updated_at": 1}}, ("ETH",)) == {}
    assert GECKO.told({"ethereum": odd}, ("ETH",)) == {}
