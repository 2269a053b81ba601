"""Addresses of Cardano: which are taken, what they stand for, and why others are not."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain import base58, bech32
from coffers.connectors.chain.cardano.address import checked, is_stake
from coffers.connectors.chain.cardano.koios import KNOWN_ACCOUNT, KNOWN_ADDRESS
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.refusals import AddressFault, AddressRefused

# The vectors of CIP-19: type 0 to 7, 14 and 15, and the examples of Byron in its text.
KEY = "stake1uyehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8048z8y5gh6ffgw"
SCRIPT = "stake178phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gtcccycj5"
BASE = (
    "addr1qx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3n0d3vllmyqwsx5wktcd8cc3sq835lu7drv2xwl2wywf"
    "gse35a3x"
)
TO_STAKE = [
    (BASE, KEY),
    (
        (
            "addr1z8phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gten0d3vllmyqwsx5wktcd8cc3sq835lu7drv2xwl"
            "2wywfgs9yc0hh"
        ),
        KEY,
    ),
    (
        (
            "addr1yx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzerkr0vd4msrxnuwnccdxlhdjar77j6lg0wypcc9ua"
            "r5d2shs2z78ve"
        ),
        SCRIPT,
    ),
    (
        (
            "addr1x8phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gt7r0vd4msrxnuwnccdxlhdjar77j6lg0wypcc9ua"
            "r5d2shskhj42g"
        ),
        SCRIPT,
    ),
    (BASE.upper(), KEY),
]
ITSELF = [
    KEY,
    SCRIPT,
    KNOWN_ACCOUNT,
    "addr1gx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer5pnz75xxcrzqf96k",
    "addr128phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gtupnz75xxcrtw79hu",
    "addr1vx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzers66hrl8",
    "addr1w8phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gtcyjy7wx",
    "Ae2tdPwUPEZFRbyhz3cpfC2CumGzNkFBN2L42rcUc2yjQpEkxDbkPodpMAi",
    (
        "DdzFFzCqrhsrcTVhLygT24QwTnNqQqQ8mZrq5jykUzMveU26sxaH529kMpo7VhPrt5pwW3dXeB2k3EEvKcNBRmzCfcQ7dTky"
        "GzTs658C"
    ),
]
TEST_NETWORKS = [
    "addr_test1vz2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzerspjrlsz",
    "stake_test1uqehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8048z8y5gssrtvn",
]
OTHERS = [
    "",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "1PMycacnJaSqwwJqjawXBErnLsZ7RkXUAs",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "addr_vk1w0l2sr2zgfm26ztc6nl9xy8ghsk5sh6ldwemlpmp9xylzy4dtf7st80zhd",
]


def fault_of(text: str) -> AddressFault:
    with pytest.raises(AddressRefused) as refused:
        checked(text)
    assert not text or text not in str(refused.value)
    return refused.value.fault


@pytest.mark.parametrize(("given_", "stake"), TO_STAKE)
def test_an_address_that_names_a_stake_stands_for_the_whole_account(
    given_: str, stake: str
) -> None:
    assert checked(given_) == stake
    assert is_stake(checked(given_))


@pytest.mark.parametrize("text", ITSELF)
def test_an_address_without_a_stake_and_a_stake_address_stand_for_themselves(text: str) -> None:
    assert checked(text) == text


def test_the_address_that_services_are_tried_with_is_an_address() -> None:
    assert is_stake(checked(KNOWN_ADDRESS))


@pytest.mark.parametrize("text", TEST_NETWORKS)
def test_an_address_of_a_test_network_is_refused_as_such(text: str) -> None:
    assert fault_of(text) is AddressFault.OTHER_NETWORK


def byron(attributes: bytes) -> str:
    """Return an older address with attributes, which are a map of CBOR."""
    payload = b"\x83\x58\x1c" + bytes(range(28)) + attributes + b"\x00"
    crc = b"\x1a" + zlib.crc32(payload).to_bytes(4, "big")
    return base58.encode(b"\x82\xd8\x18\x58" + bytes([len(payload)]) + payload + crc)


def test_an_older_address_of_a_test_network_is_refused_as_such() -> None:
    magic = b"\x02\x45\x1a\x41\x70\xcb\x17"
    derivation = b"\x01\x58\x1e\x58\x1c" + bytes(range(28))
    for attributes in b"\xa1" + magic, b"\xa2" + derivation + magic:
        assert fault_of(byron(attributes)) is AddressFault.OTHER_NETWORK
    for attributes in b"\xa0", b"\xa1" + derivation:
        assert checked(byron(attributes)) == byron(attributes)


@pytest.mark.parametrize("attributes", [b"\xa3", b"\xa1\x01", b"\xa1\x01\x58", b"\xa1\x01\x58\xff"])
def test_an_older_address_with_odd_attributes_is_refused(attributes: bytes) -> None:
    with pytest.raises(AddressRefused):
        checked(byron(attributes))


@pytest.mark.parametrize("text", [BASE, *ITSELF])
def test_one_changed_letter_is_noticed(text: str) -> None:
    for place in (8, len(text) // 2, len(text) - 1):
        letter = "q" if text[place] != "q" else "p"
        assert fault_of(text[:place] + letter + text[place + 1 :]) is AddressFault.CHECKSUM


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_of_no_form_of_cardano_is_left_to_other_chains(text: str) -> None:
    assert fault_of(text) is AddressFault.MALFORMED


@pytest.mark.parametrize("payload", [b"", b"\x61", b"\xe1" + bytes(28), b"\x91" + bytes(28)])
def test_a_sound_checksum_around_something_else_makes_no_address(payload: bytes) -> None:
    assert fault_of(bech32.encode("addr", payload)) is AddressFault.MALFORMED


@given(st.one_of(st.text(), st.from_regex(r"\A(addr1|stake1|Ae2|DdzFF)[0-9A-Za-z]{0,110}\Z")))
def test_junk_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(AddressRefused):
        checked(text)


@given(st.binary(min_size=1, max_size=90))
def test_bech32_reads_what_it_wrote(payload: bytes) -> None:
    assert bech32.decode(bech32.encode("addr", payload)) == bech32.Bech32("addr", payload)


def test_listed_tokens_are_kept_by_policy_and_name() -> None:
    for id_, token in listed_on("cardano").items():
        policy, _, name = id_.partition(".")
        assert (len(bytes.fromhex(policy)), policy, name) == (28, policy.lower(), name.lower())
        assert len(bytes.fromhex(name)) <= 32
        assert 0 <= token.decimals <= 15
