import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain.evm import codec
from coffers.connectors.chain.evm.codec import Call

TOKEN = "0x" + "ab" * 20
OWNER = "0x" + "cd" * 20


def test_a_question_for_a_balance_is_the_published_one() -> None:
    data = codec.balance_of(TOKEN, OWNER).data.hex()
    assert data == "70a08231" + "0" * 24 + "cd" * 20


def test_what_multicall_gathers_is_separated_again() -> None:
    returned = encode(["(bool,bytes)[]"], [[(True, b"\1" * 32), (False, b"no"), (True, b"")]])
    assert codec.separated(returned, 3) == [b"\1" * 32, None, b""]


def test_another_count_of_answers_is_no_answer() -> None:
    assert codec.separated(encode(["(bool,bytes)[]"], [[]]), 1) is None
    assert codec.separated(b"", 1) is None


@given(st.binary(max_size=300))
def test_junk_is_no_answer_and_no_symbol(junk: bytes) -> None:
    codec.separated(junk, 1)
    symbol = codec.symbol(junk)
    assert symbol is None or (symbol.isprintable() and len(symbol) <= 32)
    assert codec.number(junk) is None or len(junk) == 32


@pytest.mark.parametrize("answer", [None, b"", b"\1", b"\1" * 31, b"\1" * 64])
def test_what_is_no_word_is_no_number(answer: bytes | None) -> None:
    assert codec.number(answer) is None
    assert codec.decimals(answer) is None


def test_a_number_of_places_fits_into_a_byte() -> None:
    assert codec.decimals((18).to_bytes(32, "big")) == 18
    assert codec.decimals((0).to_bytes(32, "big")) == 0
    assert codec.decimals((256).to_bytes(32, "big")) is None


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("USDC", "USDC"),
        ("a\u202eb\u200bc\n", "abc"),
        ("\u200b", None),
        ("a\u07b2b\ue000", "ab"),
        ("x" * 100, "x" * 32),
        ("", None),
    ],
)
def test_symbols_are_shown_without_what_does_not_show(told: str, shown: str | None) -> None:
    assert codec.symbol(encode(["string"], [told])) == shown


def test_old_tokens_tell_their_symbol_as_bytes() -> None:
    assert codec.symbol(b"MKR".ljust(32, b"\0")) == "MKR"


def test_many_questions_are_one_call() -> None:
    data = codec.aggregated([Call(TOKEN, codec.DECIMALS)] * 3)
    assert data[:4].hex() == "82ad56cb"
    assert data.count(codec.DECIMALS) == 3
