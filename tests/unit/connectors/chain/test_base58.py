"""Base58 in two alphabets, held against published values."""

from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain import base58


def test_published_values_are_met() -> None:
    # draft-msporny-base58, section 5.
    assert base58.encode(b"Hello World!") == "2NEpo7TZRRrLZSi2U"
    assert base58.decode("2NEpo7TZRRrLZSi2U") == b"Hello World!"
    assert base58.encode(bytes.fromhex("0000287fb4cd")) == "11233QC4"


def test_what_is_no_base58_is_none() -> None:
    for text in "", "0", "O", "l", "I", "ab c", "ä", "1" * 121:
        assert base58.decode(text) is None


@given(st.binary(min_size=1, max_size=64), st.sampled_from([base58.BITCOIN, base58.RIPPLE]))
def test_what_was_encoded_is_decoded(data: bytes, digits: str) -> None:
    assert base58.decode(base58.encode(data, digits), digits) == data
