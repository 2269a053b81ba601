from decimal import Decimal

import pytest

from coffers import money
from coffers.clock import from_iso
from coffers.pricing.currencies import FIAT
from coffers.pricing.sources.frankfurter import Frankfurter
from coffers.pricing.sources.source import SourceFailure
from unit.pricing.sources.recorded import answer

ECB = Frankfurter()


def test_the_dollar_per_unit_is_the_quotient_of_two_published_rates() -> None:
    told = ECB.told(answer("frankfurter"), ("PLN", "JPY"))
    assert told["PLN"].usd == money.divide(Decimal("1.1627"), Decimal("4.2533"))
    assert told["JPY"].usd == money.divide(Decimal("1.1627"), Decimal("177.45"))


def test_the_euro_is_worth_what_the_dollars_rate_says() -> None:
    assert ECB.told(answer("frankfurter"), ("EUR",))["EUR"].usd == Decimal("1.1627")


def test_a_rate_is_as_old_as_the_beginning_of_its_day() -> None:
    (told,) = ECB.told(answer("frankfurter"), ("CHF",)).values()
    assert told.at == from_iso("2025-10-08T00:00:00Z")


def test_currencies_without_a_rate_are_absent() -> None:
    assert ECB.told(answer("frankfurter"), ("ARS", "NGN")) == {}


def test_all_rates_are_asked_for_whatever_is_wanted() -> None:
    assert ECB.target(("PLN",)) == ECB.target(FIAT) == "/v1/latest"


def test_only_states_money_is_known() -> None:
    assert ECB.knows("EUR")
    assert not ECB.knows("BTC")


@pytest.mark.parametrize(
    "changes",
    [{"base": "USD"}, {"date": None}, {"date": "today"}, {"rates": []}, {"rates": {"PLN": "4.2"}}],
)
def test_an_answer_of_another_form_is_a_failure(changes: dict[str, object]) -> None:
    recorded = answer("frankfurter")
    assert isinstance(recorded, dict)
    with pytest.raises(SourceFailure):
        ECB.told({**recorded, **changes}, ("PLN",))
