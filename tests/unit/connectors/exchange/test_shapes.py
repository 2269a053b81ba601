import pytest

from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.rules import shapes
from coffers.connectors.exchange.shapes import check_shape
from coffers.connectors.reading import ConnectorFailure, FailureKind

OF_NO_RULE = Venue("somewhere", "Somewhere", ("somewhere",))


def venue(name: str) -> Venue:
    return Venue(name, name.title(), (name,))


def refuses(where: Venue, answer: object, *, is_empty: bool = True) -> bool:
    try:
        check_shape(where, "spot", answer, is_empty=is_empty)
    except ConnectorFailure as failure:
        return failure.kind is FailureKind.UNEXPECTED_ANSWER
    return False


@pytest.mark.parametrize("name", sorted(shapes()))
@pytest.mark.parametrize("junk", [{}, None, "", {"code": 0}, {"data": None}, {"msg": "down"}])
def test_junk_is_no_balance_of_any_venue(name: str, junk: object) -> None:
    assert refuses(venue(name), junk)


def test_a_row_without_the_field_that_tells_its_wallet_is_no_row() -> None:
    assert refuses(venue("bitfinex"), [[]])
    assert refuses(venue("latoken"), [{}])
    assert not refuses(venue("latoken"), [{"type": "ACCOUNT_TYPE_WALLET"}])


def test_an_answer_that_always_names_its_currencies_must_name_one() -> None:
    assert refuses(venue("coincheck"), {"success": True, "jpy": "0"}, is_empty=True)
    assert not refuses(venue("coincheck"), {"success": True, "jpy": "0"}, is_empty=False)


def test_all_parts_of_a_rule_must_fit() -> None:
    assert refuses(venue("delta"), {"result": []})
    assert not refuses(venue("delta"), {"success": True, "result": []})


def test_an_answer_that_further_pages_follow_is_no_whole_balance() -> None:
    rows = [{"currency": "BTC"}]
    assert refuses(venue("coinbase"), {"accounts": rows, "has_next": True, "size": 1})
    assert refuses(venue("coinbase"), {"accounts": rows, "has_next": True}, is_empty=False)
    assert not refuses(venue("coinbase"), {"accounts": rows, "has_next": False}, is_empty=False)


def test_a_list_that_the_library_put_in_place_of_none_is_no_empty_account() -> None:
    assert refuses(venue("coinbase"), {"accounts": [], "has_next": False, "cursor": None})
    assert not refuses(venue("coinbase"), {"accounts": [], "has_next": False, "size": "0"})


def test_a_venue_with_one_kind_of_account_has_one_rule_whatever_it_is_called() -> None:
    for wallet in ("spot", "futures", "contracts"):
        with pytest.raises(ConnectorFailure):
            check_shape(venue("dydx"), wallet, {"subaccount": None}, is_empty=False)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("binance", {"balances": []}),
        ("kraken", {"error": [], "result": {}}),
        ("okx", {"code": "0", "data": [{"details": []}]}),
        ("kucoin", {"code": "200000", "data": []}),
        ("upbit", []),
        ("bybit", {"result": {"list": [{"coin": []}]}}),
    ],
)
def test_an_account_that_is_really_empty_may_be_so(name: str, answer: object) -> None:
    assert not refuses(venue(name), answer)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("binance", {"balances": [{"asset": "BTC"}]}),
        ("okx", {"data": [{"details": [{"ccy": "BTC"}]}]}),
        ("kraken", {"result": {"XXBT": {}}}),
    ],
)
def test_entries_of_which_nothing_was_understood_are_no_empty_account(
    name: str, answer: object
) -> None:
    assert refuses(venue(name), answer)


def test_wallets_of_another_kind_do_not_count_where_a_venue_sends_all_at_once() -> None:
    assert not refuses(venue("bitfinex"), [["margin", "BTC", "1", "0", "1"]])


def test_an_error_keyed_like_a_currency_is_no_balance() -> None:
    assert refuses(venue("whitebit"), {"code": 0, "message": "down"}, is_empty=False)
    assert not refuses(venue("whitebit"), {"BTC": {"available": "1"}}, is_empty=False)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        "text",
        {"ok": True},
        {"data": [], "error": "down"},
        {"data": [], "success": False},
        {"data": [], "status": "error"},
    ],
)
def test_a_venue_without_a_rule_must_send_something_that_does_not_complain(answer: object) -> None:
    assert refuses(OF_NO_RULE, answer)


def test_a_venue_without_a_rule_may_be_empty_in_an_envelope() -> None:
    assert not refuses(OF_NO_RULE, {"code": 0, "data": []})
    assert not refuses(OF_NO_RULE, [{"asset": "BTC"}], is_empty=False)


def test_the_rule_of_the_nearest_relative_counts() -> None:
    us = Venue("binanceus", "Binance US", ("binanceus", "binance"))
    assert refuses(us, [])
    assert not refuses(us, {"balances": []})
