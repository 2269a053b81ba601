"""Transactions in bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain.bitcoin.backend import Paid
from coffers.connectors.chain.bitcoin.raw import parsed

# The signed P2WPKH example of BIP-143.
SIGNED = (
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830"
    "450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f928"
    "1a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e81"
    "5b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f6"
    "6f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988"
    "ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c"
    "4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7aca"
    "fcdb3566bb0ad253f62fc70f07aeee635711000000"
)
SOURCES = (
    ("9f96ade4b41d5433f4eda31e1738ec2b36f6e7d1420d94a6af99801a88f7f7ff", 0),
    ("8ac60eb9575db5b2d987e29f301b5b819ea83a5c6579d282d189cc04b8e151ef", 1),
)
OUTPUTS = (
    Paid(bytes.fromhex("76a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac"), 112_340_000),
    Paid(bytes.fromhex("76a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac"), 223_450_000),
)


def test_a_transaction_with_witnesses_is_read() -> None:
    found = parsed(bytes.fromhex(SIGNED))

    assert found.sources == SOURCES
    assert found.outputs == OUTPUTS
    assert not found.is_minted


def test_the_flag_of_litecoins_mweb_is_read_over() -> None:
    assert parsed(bytes.fromhex(SIGNED.replace("0100000000010", "0100000000090", 1))) == parsed(
        bytes.fromhex(SIGNED)
    )


def test_bitcoins_first_transaction_is_minted() -> None:
    first = (
        "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff"
        "001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e"
        "6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104"
        "678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51e"
        "c112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
    )
    found = parsed(bytes.fromhex(first))

    assert found.is_minted
    assert [one.amount for one in found.outputs] == [5_000_000_000]


@given(st.integers(0, 250))
def test_a_transaction_that_is_cut_short_is_refused(length: int) -> None:
    outputs_end = SIGNED.index("ac000247304402203609") // 2 + 1
    with pytest.raises(ValueError, match="cut short"):
        parsed(bytes.fromhex(SIGNED)[: min(length, outputs_end - 1)])


@given(st.binary(max_size=200))
def test_junk_is_read_or_refused(data: bytes) -> None:
    try:
        found = parsed(data)
    except ValueError:
        return
    assert all(len(txid) == 64 for txid, _ in found.sources)
