"""What credentials are called at each market, and that none is called so in vain."""

import pytest

from coffers.markets.catalogue import load_catalogue
from coffers.markets.fields import SECRET_FIELDS, field_of, own_fields

MARKETS = [market for market in load_catalogue() if market.venue]


def test_a_field_without_a_word_of_its_own_has_the_common_one() -> None:
    market = load_catalogue().get("binance")
    assert field_of(market, "api_key").told == "API key"
    assert field_of(None, "api_key").told == "API key"
    assert field_of(market, "retina_scan").told == "retina scan"


def test_a_venue_s_own_word_comes_with_its_hint() -> None:
    found = field_of(load_catalogue().get("derive"), "secret")
    assert found.form == "evm_key"
    assert found.told == (
        "Private key of a session key (of a session key, never that of the wallet itself)"
    )


def test_every_special_field_is_one_that_a_market_of_the_venue_asks_for() -> None:
    for venue, fields in own_fields().items():
        asked = {
            name
            for market in MARKETS
            if market.venue == venue
            for name in (*market.required_fields, *market.optional_fields)
        }
        assert set(fields) <= asked, venue


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.code)
def test_a_private_key_is_asked_for_as_a_secret_and_says_which_one_is_meant(market: object) -> None:
    for name in market.required_fields:  # type: ignore[attr-defined]  # a market
        field = field_of(market, name)  # type: ignore[arg-type]  # the same
        if field.form in {"evm_key", "stark_key", "base58_key", "pem"}:
            assert name in SECRET_FIELDS
            assert field.hint
