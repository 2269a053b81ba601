from types import SimpleNamespace

import pytest

from coffers.connectors.exchange.credentials import hidden_texts, set_credentials
from coffers.connectors.reading import Credentials
from coffers.secret import Secret

GIVEN = Credentials("fake-key", Secret("fake-secret"), Secret("fake-words"), customer_id="77")


def test_a_venue_gets_what_it_requires_and_no_more() -> None:
    required = {"apiKey": True, "secret": True, "password": False, "uid": True}
    exchange = SimpleNamespace(requiredCredentials=required)
    set_credentials(exchange, GIVEN)
    assert (exchange.apiKey, exchange.secret, exchange.uid) == ("fake-key", "fake-secret", "77")
    assert not hasattr(exchange, "password")


def test_a_wallet_is_its_address_and_its_private_key() -> None:
    exchange = SimpleNamespace(requiredCredentials={"walletAddress": True, "privateKey": True})
    set_credentials(exchange, GIVEN)
    assert (exchange.walletAddress, exchange.privateKey) == ("fake-key", "fake-secret")


@pytest.mark.parametrize("required", [{"privateKey": True}, {"apiKey": False, "secret": False}])
def test_a_venue_that_does_not_say_that_it_needs_the_address_gets_it(
    required: dict[str, bool],
) -> None:
    exchange = SimpleNamespace(requiredCredentials=required)
    set_credentials(exchange, GIVEN)
    assert exchange.walletAddress == "fake-key"


def test_what_was_not_given_stays_unset() -> None:
    exchange = SimpleNamespace(requiredCredentials={"apiKey": True, "password": True, "uid": True})
    set_credentials(exchange, Credentials("fake-key", Secret("fake-secret")))
    assert not hasattr(exchange, "password")
    assert not hasattr(exchange, "uid")


def test_the_key_and_all_secrets_are_to_be_hidden() -> None:
    assert hidden_texts(GIVEN) == ("fake-key", "fake-secret", "fake-words")
    assert hidden_texts(None) == ()
