"""Credentials as users give them: tidied, or each wrong field named with what is expected."""

from dataclasses import replace

import pytest

from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import Market, load_catalogue
from coffers.portfolio.fields import tidied
from coffers.secret import Secret

NOTHING = Credentials("", Secret(""))
WALLET = "0x" + "AB" * 20


def market(code: str) -> Market:
    found = load_catalogue().get(code)
    assert found is not None
    return found


def test_blanks_around_are_not_part_of_a_credential() -> None:
    given = Credentials(" key ", Secret(" secret\n"), Secret(" words "), subaccount_name="  ")
    tidy, faults = tidied(given, market("okex"))
    assert faults == {}
    assert tidy == Credentials("key", Secret("secret"), Secret("words"))


def test_an_address_alone_opens_what_is_read_by_it() -> None:
    tidy, faults = tidied(replace(NOTHING, address=WALLET), market("hyperliquid"))
    assert faults == {}
    assert (tidy.address, tidy.secret) == (WALLET.lower(), Secret(""))


def test_a_private_key_is_refused_where_the_address_is_enough() -> None:
    given = replace(NOTHING, secret=Secret("0x" + "12" * 32), address=WALLET)
    _, faults = tidied(given, market("hyperliquid"))
    assert faults == {
        "secret": ["is not needed at Hyperliquid and is better kept to yourself: give address"]
    }


def test_every_missing_field_is_named_with_where_to_find_it() -> None:
    _, faults = tidied(NOTHING, market("derive"))
    assert set(faults) == {"address", "secret"}
    assert "session key" in faults["secret"][0]


@pytest.mark.parametrize(
    ("code", "given", "field", "told"),
    [
        ("derive", {"secret": Secret("fake")}, "secret", "64 hexadecimal"),
        ("hyperliquid", {"address": "vitalik.eth"}, "address", "0x and 40"),
        ("dydx", {"address": WALLET}, "address", "dydx1"),
        ("revolutx", {"secret": Secret("fake")}, "secret", "PEM"),
        ("woofipro", {"secret": Secret("fake-secret")}, "secret", "base58"),
        ("ndax", {"customer_id": "anna"}, "customer_id", "whole number"),
        ("binance", {"customer_id": "4711"}, "customer_id", "not asked for by Binance"),
        ("binance", {"passphrase": Secret("words")}, "passphrase", "not needed at Binance"),
        ("binance", {"address": WALLET}, "address", "give secret, api_key"),
    ],
)
def test_a_field_of_the_wrong_form_or_that_nobody_asked_for_is_named(
    code: str, given: dict[str, object], field: str, told: str
) -> None:
    _, faults = tidied(replace(NOTHING, **given), market(code))  # type: ignore[arg-type]
    assert told in faults[field][0]
    assert "fake" not in faults[field][0].replace("fake words", "")


def test_a_field_that_may_be_left_out_is_taken_where_it_is_given() -> None:
    given = Credentials("", Secret("bearer"))
    for customer in (None, "4711"):
        tidy, faults = tidied(replace(given, customer_id=customer), market("grvt"))
        assert (tidy.customer_id, faults) == (customer, {})
