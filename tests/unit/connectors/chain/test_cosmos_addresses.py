"""Addresses of Cosmos chains: which are taken, and why others are not."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain import bech32
from coffers.connectors.chain.cosmos.address import checked
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.markets.chains import Chain, shipped_chains

# The key of the documentation of the Cosmos SDK, and what other chains call it.
ATOM = "cosmos1depk54cuajgkzea6zpgkq36tnjwdzv4afc3d27"
PAYLOAD = bech32.decode(ATOM)


def chain(market: str = "cosmos_wallet") -> Chain:
    found = shipped_chains().get(market)
    assert found is not None
    return found


def refused(text: str, market: str = "cosmos_wallet") -> AddressRefused:
    with pytest.raises(AddressRefused) as told:
        checked(text, chain(market))
    assert not text or text not in str(told.value)
    return told.value


def as_written(prefix: str, size: int = 20) -> str:
    return bech32.encode(prefix, bytes(range(size)))


@pytest.mark.parametrize(
    ("market", "prefix"),
    [("cosmos_wallet", "cosmos"), ("osmosis_wallet", "osmo"), ("celestia_wallet", "celestia")],
)
@pytest.mark.parametrize("size", [20, 32])
def test_an_address_of_the_chain_is_taken(market: str, prefix: str, size: int) -> None:
    text = as_written(prefix, size)
    assert checked(text, chain(market)) == text
    assert checked(text.upper(), chain(market)) == text


def test_the_address_of_the_documentation_is_taken() -> None:
    assert PAYLOAD is not None
    assert PAYLOAD.payload is not None
    assert checked(ATOM, chain()) == ATOM


@pytest.mark.parametrize("size", [1, 19, 21, 33])
def test_another_length_makes_no_address(size: int) -> None:
    assert refused(as_written("cosmos", size)).fault is AddressFault.MALFORMED


@pytest.mark.parametrize("place", [7, 20, 44])
def test_one_changed_letter_is_noticed(place: int) -> None:
    letter = "q" if ATOM[place] != "q" else "p"
    changed = ATOM[:place] + letter + ATOM[place + 1 :]
    assert refused(changed).fault is AddressFault.CHECKSUM
    assert refused(changed, "osmosis_wallet").fault is AddressFault.CHECKSUM


def test_an_address_of_a_kindred_chain_names_its_market() -> None:
    told = refused(as_written("osmo"))
    assert told.fault is AddressFault.OTHER_CHAIN
    assert "Osmosis, not of Cosmos Hub" in str(told)
    assert "osmosis_wallet" in str(told)


def test_an_address_of_a_chain_that_is_not_read_names_it() -> None:
    told = refused(as_written("juno", 32))
    assert told.fault is AddressFault.OTHER_CHAIN
    assert "Juno, whose wallets are not read" in str(told)


@pytest.mark.parametrize("role", ["valoper", "valcons", "pub", "valoperpub"])
def test_a_validator_is_no_wallet(role: str) -> None:
    assert "names a validator" in str(refused(as_written(f"cosmos{role}")))


@pytest.mark.parametrize(
    "text", ["", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "cosmos1", "é1q"]
)
def test_what_is_of_no_form_of_the_chain_is_left_to_other_chains(text: str) -> None:
    assert refused(text).fault is AddressFault.MALFORMED


def test_an_address_in_both_cases_is_none() -> None:
    assert refused(ATOM[:-1] + ATOM[-1].upper() if ATOM[-1].isalpha() else "C" + ATOM[1:])


@given(st.one_of(st.text(), st.from_regex(r"\A(cosmos|osmo|juno)1[0-9a-z]{0,60}\Z")))
def test_junk_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(AddressRefused):
        checked(text, chain())


def test_listed_tokens_are_kept_by_the_hash_of_their_way() -> None:
    ways = {
        "ATOM": ("osmosis", "transfer/channel-0/uatom"),
        "TIA": ("osmosis", "transfer/channel-6994/utia"),
        "USDC": ("cosmos", "transfer/channel-536/uusdc"),
        "OSMO": ("cosmos", "transfer/channel-141/uosmo"),
    }
    for asset, (chain_id, way) in ways.items():
        digits = hashlib.sha256(way.encode()).hexdigest().upper()
        assert listed_on("cosmos")[f"{chain_id}:ibc/{digits}"].asset == asset
