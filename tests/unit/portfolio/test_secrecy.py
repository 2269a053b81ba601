"""Secrets are told from names and from keys of exchanges, which may look alike."""

import pytest

from coffers.errors import InvalidRecord
from coffers.portfolio.naming import usable_name
from coffers.portfolio.overrides import OverrideWanted, override_of
from coffers.portfolio.secrecy import key_fault, secret_fault, told

PHRASE = "abandon " * 11 + "about"
HEX = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
WIF = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn"
XPRV = (
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TG"
    "tRBeJgk33yuGBxrMPHi"
)
SECRETS = [PHRASE, PHRASE.replace(" ", "-"), PHRASE.replace(" ", ""), HEX, f"0x{HEX}", WIF, XPRV]
NAMES = [
    "Main",
    "savings account for my daughter",
    "My Binance account for trading coins and old savings X",
    "Cash for a long school trip",
    "第二个冷钱包账户",
    "Konto 2025-10-09",
    "0x742d35Cc6634C0532925a3b844Bc454e4438f44e",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_no_name_and_is_not_repeated(secret: str) -> None:
    with pytest.raises(InvalidRecord, match="looks like") as refused:
        usable_name(secret)
    assert secret not in f"{refused.value}{refused.value.attributes}{told(secret)}"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_secret(name: str) -> None:
    assert usable_name(name) == name
    assert told(name) == repr(name)


@pytest.mark.parametrize("secret", [PHRASE, PHRASE.replace(" ", ""), WIF, XPRV])
def test_what_spends_coins_is_no_key_of_an_exchange(secret: str) -> None:
    assert key_fault(secret)


@pytest.mark.parametrize("key", [HEX, "fake-key", WIF[:-1] + "X", "s" + "a" * 28, "q" * 64])
def test_what_may_be_the_key_of_an_exchange_is_one(key: str) -> None:
    assert key_fault(key) is None


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("field", ["name", "symbol", "coingecko_id", "asset"])
def test_no_field_of_an_override_takes_a_secret(secret: str, field: str) -> None:
    asset = secret if field == "asset" else "ODD"
    given = {"name": "Odd"} if field == "asset" else {field: secret}
    with pytest.raises(InvalidRecord, match="looks like") as refused:
        override_of(asset, OverrideWanted(**given))
    assert secret not in f"{refused.value}"


@pytest.mark.parametrize("contract", [f"ethereum:0x{HEX}", f"ethereum:{WIF}", f"aptos:{WIF}"])
def test_no_private_key_is_a_contract(contract: str) -> None:
    with pytest.raises(InvalidRecord, match="looks like"):
        override_of("ODD", OverrideWanted(contract=contract))


def test_tokens_of_some_chains_are_named_by_as_many_digits() -> None:
    assert override_of("ODD", OverrideWanted(contract=f"aptos:0x{HEX}")).priced_as
    assert override_of(f"cosmos:ibc/{HEX.upper()}", OverrideWanted(name="Odd")).name == "Odd"
    assert secret_fault(HEX)
    assert not secret_fault(HEX, is_hex_usual=True)
