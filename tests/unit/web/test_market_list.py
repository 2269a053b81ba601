"""Markets to choose from: in groups, by words in their names."""

import pytest

from coffers.markets.catalogue import load_catalogue
from coffers.markets.chains import joined, shipped_chains
from coffers.web.market_list import choices_of

CATALOGUE = joined(load_catalogue(), shipped_chains())


def found(text: str) -> set[str]:
    return {each.code for group in choices_of(CATALOGUE, text).groups for each in group.choices}


def test_every_market_that_can_be_connected_is_in_one_group() -> None:
    groups = choices_of(CATALOGUE, "").groups
    assert [group.id for group in groups] == ["exchanges", "wallets", "own"]
    codes = [each.code for group in groups for each in group.choices]
    assert len(codes) == len(set(codes))
    assert {"binance", "trx", "manual", "paper_trading"} <= set(codes)
    assert choices_of(CATALOGUE, "").known == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("  OKX ", "okex"),
        ("kucoin fut", "kucoinfutures"),
        ("ethereum wallet", "ethereumwallet"),
        ("by hand", "manual"),
        ("PAPER", "paper_trading"),
    ],
)
def test_all_words_must_be_in_some_name_of_a_market(text: str, code: str) -> None:
    assert code in found(text)
    assert len(found(text)) < 10


def test_what_is_known_and_cannot_be_connected_is_named() -> None:
    told = choices_of(CATALOGUE, "bitmex")
    assert (told.groups, told.known, told.meant) == ((), ("BitMEX",), None)


def test_what_was_perhaps_meant_is_suggested() -> None:
    meant = choices_of(CATALOGUE, "krakn").meant
    assert meant is not None
    assert meant.code == "kraken"
    assert choices_of(CATALOGUE, "zzzzzz").meant is None
