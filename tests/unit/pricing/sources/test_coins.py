import re

from coffers.pricing.currencies import DISPLAY_CURRENCIES, FIAT
from coffers.pricing.sources.coins import coin_ids


def test_the_most_traded_coins_are_known_by_their_symbols() -> None:
    ids = coin_ids()
    assert len(ids) >= 200
    assert (ids["BTC"], ids["BNB"], ids["AVAX"]) == ("bitcoin", "binancecoin", "avalanche-2")


def test_each_symbol_means_one_coin_and_each_coin_has_one_symbol() -> None:
    ids = coin_ids()
    assert len(set(ids.values())) == len(ids)
    assert [each for each in ids.values() if not re.fullmatch(r"[a-z0-9-]+", each)] == []
    assert [symbol for symbol in ids if symbol != symbol.upper()] == []


def test_what_exchanges_use_for_different_things_is_left_out() -> None:
    assert not coin_ids().keys() & {*FIAT, "HOT", "BEAM", "NEIRO"}


def test_every_display_currency_is_a_coin_of_the_table_or_states_money() -> None:
    assert {*DISPLAY_CURRENCIES} - {"USD", *FIAT} <= coin_ids().keys()
