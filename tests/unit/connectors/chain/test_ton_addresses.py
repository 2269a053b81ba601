"""Addresses of TON: all forms of one account, and why other texts are refused."""

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.chain.ton.address import checked, in_raw

# The contract of Tether's token, and the forms of one account in TON's documentation.
BOUNCEABLE = "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs"
CANONICAL = "UQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_p0p"
RAW = "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe"
DOCUMENTED = [
    "0:ca6e321c7cce9ecedf0a8ca2492ec8592494aa5fb5ce0387dff96ef6af982a3e",
    "EQDKbjIcfM6ezt8KjKJJLshZJJSqX7XOA4ff-W72r5gqPrHF",
    "UQDKbjIcfM6ezt8KjKJJLshZJJSqX7XOA4ff-W72r5gqPuwA",
]
ON_TEST = "kQDKbjIcfM6ezt8KjKJJLshZJJSqX7XOA4ff-W72r5gqPgpP"


def fault_of(text: str) -> AddressFault:
    with pytest.raises(AddressRefused) as refused:
        checked(text)
    assert not text or text not in str(refused.value)
    return refused.value.fault


def sealed(payload: bytes) -> str:
    crc = binascii.crc_hqx(payload, 0).to_bytes(2, "big")
    return base64.urlsafe_b64encode(payload + crc).decode()


@pytest.mark.parametrize("text", [BOUNCEABLE, CANONICAL, RAW, RAW.upper()])
def test_every_form_of_an_account_becomes_the_one_that_wallets_show(text: str) -> None:
    assert checked(text) == CANONICAL
    assert in_raw(CANONICAL) == RAW


@pytest.mark.parametrize("text", DOCUMENTED)
def test_the_forms_of_the_documentation_are_one_account(text: str) -> None:
    assert checked(text) == DOCUMENTED[2]
    assert in_raw(checked(text)) == DOCUMENTED[0]


def test_plain_base64_is_taken_too() -> None:
    plain = BOUNCEABLE.replace("-", "+").replace("_", "/")
    assert checked(plain) == CANONICAL


def test_an_account_of_the_masterchain_is_taken() -> None:
    raw = "-1:" + "3" * 64
    assert in_raw(checked(raw)) == raw


def test_an_address_for_test_networks_is_refused_as_such() -> None:
    assert fault_of(ON_TEST) is AddressFault.OTHER_NETWORK


@pytest.mark.parametrize("place", [3, 24, 47])
def test_one_changed_letter_is_noticed(place: int) -> None:
    letter = "A" if CANONICAL[place] != "A" else "B"
    assert fault_of(CANONICAL[:place] + letter + CANONICAL[place + 1 :]) is AddressFault.CHECKSUM


@pytest.mark.parametrize(
    "text",
    [
        "",
        RAW[:-1],
        "1" + RAW,
        "2" + RAW[1:],
        CANONICAL[:-1],
        CANONICAL[:-1] + "=",
        sealed(b"\x12\x00" + bytes(32)),
        sealed(b"\x11\x01" + bytes(32)),
        "wallet.ton",
        "11111111111111111111111111111111",
    ],
)
def test_what_is_of_no_form_of_ton_is_left_to_other_chains(text: str) -> None:
    assert fault_of(text) is AddressFault.MALFORMED


@given(st.one_of(st.text(), st.from_regex(r"\A[EUk]Q[A-Za-z0-9_-]{46}\Z")))
def test_junk_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(AddressRefused):
        checked(text)


@given(st.sampled_from(["0", "-1"]), st.binary(min_size=32, max_size=32))
def test_no_account_is_lost_between_its_forms(workchain: str, account: bytes) -> None:
    raw = f"{workchain}:{account.hex()}"
    assert in_raw(checked(raw)) == raw
    assert checked(checked(raw)) == checked(raw)


def test_listed_tokens_are_kept_by_raw_addresses() -> None:
    assert all(in_raw(checked(master)) == master for master in listed_on("ton"))
    assert listed_on("ton")[RAW].asset == "USDT"
