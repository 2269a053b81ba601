"""The name of an account in a balance answer: the same for the same account, never shown plain."""

from typing import Any

import ccxt
import pytest

from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.identity import identity_of
from coffers.connectors.exchange.rules import identities
from coffers.connectors.exchange.venues import family_of

ANSWERS: dict[tuple[str, str], Any] = {
    ("binance", "spot"): {"balances": [], "uid": 354937868},
    ("bybit", "funding"): {"result": {"memberId": "533285", "accountType": "FUND"}},
    ("delta", "spot"): {"result": [{"asset_id": 1, "id": 154883, "user_id": 22142}]},
    ("gate", "spot"): {"user_id": 10001, "locked": False, "balances": {}},
    ("gate", "futures"): {"total": "12.5", "currency": "USDT", "user": "6333333"},
    ("hashkey", "spot"): {"balances": [], "userId": "1732885739572845312"},
    ("htx", "spot"): {"status": "ok", "data": {"id": 1528640, "type": "spot", "list": []}},
    ("indodax", "spot"): {"success": 1, "return": {"balance": {}, "user_id": "276011"}},
    ("nado", "spot"): {"data": {"subaccount": "0x8d7d64d6cf1d4f01", "spot_balances": []}},
    ("ndax", "spot"): [{"OMSId": 1, "AccountId": 449, "ProductSymbol": "BTC"}],
    ("onetrading", "spot"): {"account_id": "4b95934f-55f1-460c-a525-bd5afc0cf071"},
    ("poloniex", "spot"): [{"accountId": "712345678", "accountType": "SPOT", "balances": []}],
    ("toobit", "spot"): {"userId": "912902020", "balances": []},
    ("weex", "spot"): {"accountType": "SPOT", "balances": [], "uid": 8886281669},
}


def venue(name: str) -> Venue:
    return Venue(name, name.title(), family_of(name))


def spot(answer: object, name: str = "binance") -> str | None:
    return identity_of(venue(name), "spot", answer)


def test_every_rule_has_an_answer_to_try_it_on() -> None:
    ruled = {(name, wallet) for name, rule in identities().items() for wallet in rule}
    assert ruled == set(ANSWERS)
    assert {name for name, _ in ruled} <= set(ccxt.exchanges)


@pytest.mark.parametrize(("name", "wallet"), ANSWERS)
def test_an_account_is_named_by_its_venues_answer(name: str, wallet: str) -> None:
    answer = ANSWERS[name, wallet]
    told = identity_of(venue(name), wallet, answer)
    assert told is not None
    assert len(told) == 32
    assert told == identity_of(venue(name), wallet, answer)


def test_two_accounts_have_two_names_and_so_has_one_number_at_two_venues() -> None:
    mine = spot({"uid": 354937868})
    assert mine != spot({"uid": 354937869})
    assert mine != spot({"uid": 354937868}, "binanceus")


def test_a_number_told_as_text_names_the_same_account() -> None:
    assert spot({"uid": 354937868}) == spot({"uid": "354937868"})


def test_the_name_does_not_show_the_venues_number() -> None:
    assert "354937868" not in str(spot({"uid": 354937868}))


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"uid": None},
        {"uid": ""},
        {"uid": 0},
        {"uid": True},
        {"uid": {"id": 1}},
        {"data": {"uid": 1}},
        [],
        [{"uid": 1}],
        None,
    ],
)
def test_an_answer_without_a_name_names_nobody(answer: object) -> None:
    assert spot(answer) is None


def test_a_venue_or_a_wallet_that_no_rule_describes_names_nobody() -> None:
    assert spot({"uid": 1}, "kraken") is None
    assert identity_of(venue("binance"), "funding", [{"uid": 1}]) is None
    assert identity_of(venue("binanceusdm"), "futures", {"uid": 1}) is None
