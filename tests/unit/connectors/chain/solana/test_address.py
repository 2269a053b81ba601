"""Addresses of Solana: 32 bytes, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain import base58
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.chain.solana.address import checked


@given(st.binary(min_size=32, max_size=32))
def test_any_32_bytes_are_an_address(data: bytes) -> None:
    assert checked(base58.encode(data)) == base58.encode(data)


def refusal_of(text: str) -> AddressRefused:
    with pytest.raises(AddressRefused) as refusal:
        checked(text)
    return refusal.value


@given(st.text(max_size=60))
def test_anything_else_is_refused_without_being_repeated(text: str) -> None:
    data = base58.decode(text)
    if data is not None and len(data) == 32:
        return
    # Junk may be a part of the sentence itself, which other junk gets as well.
    assert text not in str(refusal_of(text)) or text in str(refusal_of("?"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("toly.sol", AddressFault.UNKNOWN_NAME),
        ("Toly.SOL", AddressFault.UNKNOWN_NAME),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", AddressFault.MALFORMED),
        ("0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", AddressFault.MALFORMED),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", AddressFault.MALFORMED),
        ("", AddressFault.MALFORMED),
    ],
)
def test_a_name_and_other_chains_addresses_are_refused(text: str, fault: AddressFault) -> None:
    with pytest.raises(AddressRefused) as refusal:
        checked(text)
    assert refusal.value.fault is fault
