"""Addresses of the XRP Ledger, held against the vectors of its address codec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.chain.xrp.address import checked

CLASSIC = "r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59"


@pytest.mark.parametrize("text", [CLASSIC, "X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ"])
def test_both_forms_of_an_address_are_one(text: str) -> None:
    assert checked(text) == CLASSIC


def test_the_address_of_the_first_account_is_accepted() -> None:
    first = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"
    assert checked(first) == first


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("X7AcgcsBL6XDcUb289X4mJ8djcdyKaGZMhc9YTE92ehJ2Fu", AddressFault.MALFORMED),
        ("T719a5UwUCnEs54UsxG9CJYYDhwmFCqkr7wxCcNcfZ6p5GZ", AddressFault.OTHER_NETWORK),
        ("r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk58", AddressFault.CHECKSUM),
        ("X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqY", AddressFault.CHECKSUM),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", AddressFault.MALFORMED),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", AddressFault.MALFORMED),
        ("rndrizKT3MK1iimdxRdWabcF7Zg7AR5T4nud4EkHBof", AddressFault.MALFORMED),
        ("n9MXXueo837zYH36DvMc13BwHcqtfAWNJY5czWVbp7uYTj7x17TH", AddressFault.MALFORMED),
    ],
)
def test_what_is_no_address_is_refused_by_its_fault(text: str, fault: AddressFault) -> None:
    with pytest.raises(AddressRefused) as refusal:
        checked(text)
    assert refusal.value.fault is fault
    assert text not in str(refusal.value)


def test_a_tag_is_the_customer_of_somebody_else() -> None:
    with pytest.raises(AddressRefused, match="destination tag"):
        checked("X7AcgcsBL6XDcUb289X4mJ8djcdyKaGZMhc9YTE92ehJ2Fu")


def refusal_of(text: str) -> AddressRefused:
    with pytest.raises(AddressRefused) as refusal:
        checked(text)
    return refusal.value


@given(st.text(max_size=60))
def test_junk_is_refused_without_being_repeated(text: str) -> None:
    # Junk may be a part of the sentence itself, which other junk gets as well.
    assert text not in str(refusal_of(text)) or text in str(refusal_of("?"))
