"""Credentials on a ccxt instance: what reading needs and no more, under ccxt's names."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import ccxt
import pytest

from coffers.connectors.exchange.credentials import (
    fields_of,
    fingerprint,
    hidden_texts,
    set_credentials,
)
from coffers.connectors.exchange.rules import credential_rules
from coffers.connectors.reading import Credentials
from coffers.secret import Secret

GIVEN = Credentials("fake-key", Secret("fake-secret"), Secret("fake-words"), customer_id="77")
WALLET = "0x" + "ab" * 20
KEY = "0x" + "12" * 32
ITS_ADDRESS = ccxt.aster().eth_get_address_from_private_key(KEY)
STARK_ADDRESS = "0x" + "ab" * 32


def set_on(venue: str, credentials: Credentials, *required: str) -> Any:
    exchange = SimpleNamespace(
        id=venue, requiredCredentials=dict.fromkeys(required, True), options={}
    )
    set_credentials(exchange, credentials)
    return exchange


def test_a_venue_gets_what_it_requires_and_no_more() -> None:
    exchange = set_on("acme", GIVEN, "apiKey", "secret", "uid")
    assert (exchange.apiKey, exchange.secret, exchange.uid) == ("fake-key", "fake-secret", "77")
    assert not hasattr(exchange, "password")


def test_a_wallet_is_its_address_and_a_private_key() -> None:
    given = Credentials("", Secret(KEY), address=WALLET)
    exchange = set_on("derive", given, "walletAddress", "privateKey")
    assert (exchange.walletAddress, exchange.privateKey) == (WALLET, KEY)


@pytest.mark.parametrize("venue", ["dydx", "hyperliquid", "lighter", "nado", "pacifica"])
def test_a_venue_that_is_read_by_address_gets_no_key_even_if_there_is_one(venue: str) -> None:
    given = Credentials("fake-key", Secret(KEY), address=WALLET)
    exchange = set_on(venue, given, "privateKey")
    assert exchange.walletAddress == WALLET
    assert not hasattr(exchange, "privateKey")


@pytest.mark.parametrize("venue", ["extended", "grvt", "hibachi"])
def test_a_key_that_bears_its_right_is_the_secret_and_no_private_key_is_asked_for(
    venue: str,
) -> None:
    exchange = set_on(venue, Credentials("", Secret("bearer")), "apiKey", "privateKey")
    assert exchange.apiKey == "bearer"
    assert exchange.requiredCredentials == {"apiKey": True, "privateKey": False}


def test_the_table_of_the_class_is_not_changed() -> None:
    table = {"apiKey": True, "privateKey": True}
    exchange = SimpleNamespace(id="extended", requiredCredentials=table, options={})
    set_credentials(exchange, Credentials("", Secret("bearer")))
    assert table == {"apiKey": True, "privateKey": True}


def test_an_api_wallet_signs_for_the_wallet_that_the_money_is_in() -> None:
    exchange = ccxt.aster()
    exchange.options["builderFee"] = False
    set_credentials(exchange, Credentials("", Secret(KEY), address=WALLET))
    url = exchange.sign("v3/balance", ["fapiPrivate", 1.0], "GET", {})["url"]
    assert f"user={WALLET}&signer={ITS_ADDRESS}" in url
    assert "signature=0x" in url


def test_a_key_of_paradex_itself_is_used_where_the_address_is_one_of_paradex() -> None:
    given = Credentials("", Secret(KEY), address=STARK_ADDRESS)
    exchange = set_on("paradex", given, "walletAddress", "privateKey")
    assert exchange.options["paradexAccount"] == {"address": STARK_ADDRESS, "privateKey": KEY}


def test_with_a_wallet_s_address_paradex_gets_the_wallet_s_key() -> None:
    given = Credentials("", Secret(KEY), address=WALLET)
    exchange = set_on("paradex", given, "walletAddress", "privateKey")
    assert (exchange.privateKey, exchange.options) == (KEY, {})


def test_a_trading_account_may_be_named_at_grvt() -> None:
    exchange = set_on("grvt", Credentials("", Secret("bearer"), customer_id="47"), "privateKey")
    assert exchange.options == {"accountId": "47"}


def test_what_was_not_given_stays_unset() -> None:
    given = Credentials("fake-key", Secret("fake-secret"))
    exchange = set_on("acme", given, "apiKey", "password", "uid")
    assert not hasattr(exchange, "password")
    assert not hasattr(exchange, "uid")


def test_whatever_a_rule_leaves_out_it_says_so() -> None:
    for venue, rule in credential_rules().items():
        declared = getattr(ccxt, venue)().requiredCredentials
        required = {name for name, needed in declared.items() if needed}
        covered = {*rule.fields.values(), *rule.spared}
        is_read_by_address = set(rule.fields) == {"address"}
        assert is_read_by_address or required <= covered, venue


@pytest.mark.parametrize("venue", ccxt.exchanges)
def test_every_venue_s_credentials_have_a_name_each(venue: str) -> None:
    declared = getattr(ccxt, venue)().requiredCredentials
    required = [name for name, needed in declared.items() if needed]
    fields = fields_of(venue, required)
    assert fields
    assert venue in credential_rules() or sorted(fields.values()) == sorted(required)


def test_the_key_and_all_secrets_are_to_be_hidden() -> None:
    hidden = hidden_texts(replace(GIVEN, login="anna", address=WALLET))
    assert set(hidden) == {"fake-key", "fake-secret", "fake-words", "77", "anna", WALLET}
    assert hidden_texts(None) == ()
    assert hidden_texts(Credentials("", Secret(""))) == ()


def test_credentials_without_a_key_are_told_apart() -> None:
    one, other = (Credentials("", Secret(text)) for text in ("one", "other"))
    assert fingerprint(one) != fingerprint(other)
    assert "one" not in fingerprint(one)
