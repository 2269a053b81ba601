"""Credentials on their way through the vault, and what tells two keys apart."""

import pytest

from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import Market, load_catalogue
from coffers.secret import Secret
from coffers.sync.credentials import credential_id, open_credentials, seal_credentials
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import account

FULL = Credentials(
    "fake-key", Secret("fake-secret"), Secret("fake-words"), "77", "sub", "0xabc", "anna"
)


def market(code: str) -> Market:
    found = load_catalogue().get(code)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "given", [FULL, Credentials("", Secret("")), Credentials("k", Secret("s"))]
)
def test_every_part_comes_back_as_it_was_given(given: Credentials) -> None:
    key = new_key()
    vault = Vault(lambda: KeyRing([key]))
    stored = account(
        api_key=given.api_key,
        customer_id=given.customer_id,
        subaccount_name=given.subaccount_name,
        address=given.address,
    )
    sealed = seal_credentials(vault, stored.user_id, stored.id, given)
    assert open_credentials(vault, stored, sealed) == given
    for hidden in (b"fake-secret", b"fake-words", b"anna"):
        assert hidden not in sealed.blob


def test_a_secret_alone_tells_two_keys_apart_and_shows_nothing_of_itself() -> None:
    one, other = (credential_id(market("mudrex"), Credentials("", Secret(s))) for s in ("a1", "b2"))
    assert one != other
    assert "a1" not in one
    assert len(one) == 32


def test_the_public_half_names_a_key_whatever_its_secret_is() -> None:
    for code, given in (("binance", {"api_key": "k"}), ("derive", {"api_key": "", "address": "a"})):
        ids = {
            credential_id(market(code), Credentials(secret=Secret(secret), **given))
            for secret in ("one", "other")
        }
        assert len(ids) == 1
