"""Addresses of Tron: their checksum tells a slip from another chain's address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.chain.tron.address import checked, in_hex

USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"


def test_an_address_is_known_in_both_its_forms() -> None:
    assert checked(USDT) == USDT
    assert in_hex(USDT) == "41a614f803b6fd780986a42c78ec9c7f77e6ded13c"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", AddressFault.CHECKSUM),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6", AddressFault.MALFORMED),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", AddressFault.MALFORMED),
        ("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", AddressFault.MALFORMED),
        ("0xa614f803b6fd780986a42c78ec9c7f77e6ded13c", AddressFault.MALFORMED),
        ("T719a5UwUCnEs54UsxG9CJYYDhwmFCqkr7wxCcNcfZ6p5GZ", AddressFault.MALFORMED),
    ],
)
def test_what_is_no_address_is_refused_by_its_fault(text: str, fault: AddressFault) -> None:
    with pytest.raises(AddressRefused) as refusal:
        checked(text)
    assert refusal.value.fault is fault
    assert text not in str(refusal.value)


def refusal_of(text: str) -> str:
    with pytest.raises(AddressRefused) as refusal:
        checked(text)
    return str(refusal.value)


@given(st.text(max_size=60))
def test_junk_is_refused_without_being_repeated(text: str) -> None:
    # Not that its letters are absent: the words of a refusal have some that junk has too.
    assert refusal_of(text) in {refusal_of(USDT[:-1]), refusal_of(USDT[:-1] + "u")}


@given(
    st.integers(1, 33), st.sampled_from("23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
)
def test_one_wrong_character_is_found(place: int, letter: str) -> None:
    changed = USDT[:place] + letter + USDT[place + 1 :]
    if changed != USDT:
        with pytest.raises(AddressRefused) as refusal:
            checked(changed)
        assert refusal.value.fault is AddressFault.CHECKSUM
