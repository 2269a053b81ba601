import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain.evm.address import checked, checksummed
from coffers.connectors.chain.refusals import AddressFault, AddressRefused

# The examples of EIP-55.
PUBLISHED = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


def refusal_of(text: str) -> AddressRefused:
    with pytest.raises(AddressRefused) as refusal:
        checked(text)
    return refusal.value


def fault_of(text: str) -> AddressFault:
    refusal = refusal_of(text)
    # Junk may be a part of the sentence itself, which other junk gets as well.
    assert text not in str(refusal) or text in str(refusal_of("?"))
    return refusal.fault


@pytest.mark.parametrize("address", PUBLISHED)
def test_published_addresses_are_taken_in_any_one_case(address: str) -> None:
    assert checked(address) == address
    assert checked(address.lower()) == address
    assert checked("0x" + address[2:].upper()) == address
    assert checked("0X" + address[2:].upper()) == address


@pytest.mark.parametrize("address", PUBLISHED[4:])
def test_a_letter_of_the_wrong_case_is_a_wrong_checksum(address: str) -> None:
    index = next(i for i, letter in enumerate(address) if letter.isalpha() and i > 2)
    assert fault_of(address[:index] + address[index].swapcase() + address[index + 1 :]) is (
        AddressFault.CHECKSUM
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "52908400098527886E0F7030069857D2E4169EE7",
        "0x52908400098527886E0F7030069857D2E4169EE",
        "0x52908400098527886E0F7030069857D2E4169EE77",
        "0x52908400098527886E0F7030069857D2E4169EEg",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "XE7338O073KYGTWWZN0F2WZ0R8PX5ZPPZS",
        "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH",
        "0x" + "0" * 40,
        "0x" + "0" * 39 + "1",
        "0x" + "0" * 37 + "100",
    ],
)
def test_what_is_no_persons_address_is_malformed(text: str) -> None:
    assert fault_of(text) is AddressFault.MALFORMED


@given(st.text(max_size=60))
def test_no_text_is_an_address_by_chance(text: str) -> None:
    assert fault_of(text) is AddressFault.MALFORMED


@given(st.binary(min_size=20, max_size=20).filter(lambda raw: any(raw[:18])))
def test_every_checksum_is_accepted_again(raw: bytes) -> None:
    address = checksummed("0x" + raw.hex())
    assert checked(address) == address == checked(address.lower())
