"""Accounts in bytes: what is in them, and what is none of them."""

from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount, TokenAccountState

from coffers.connectors.chain.solana import layout

KEY, OWNER = Pubkey.from_bytes(bytes([3]) * 32), Pubkey.from_bytes(bytes([4]) * 32)


def token(state: TokenAccountState, amount: int = 2**64 - 1) -> bytes:
    return bytes(TokenAccount(KEY, OWNER, amount, None, state, None, 0, None))


def test_a_token_account_tells_its_mint_owner_and_amount_frozen_or_not() -> None:
    for state in TokenAccountState.Initialized, TokenAccountState.Frozen:
        found = layout.token_account(token(state))
        assert found == layout.TokenAccount(str(KEY), str(OWNER), 2**64 - 1)
    assert layout.token_account(token(TokenAccountState.Uninitialized)) is None


def test_extensions_follow_a_byte_that_tells_the_kind() -> None:
    plain = token(TokenAccountState.Initialized, 5)
    assert layout.token_account(plain + b"\2" + bytes(20)) is not None
    assert layout.token_account(plain + b"\1" + bytes(20)) is None
    mint = bytes(Mint(KEY, 7, 6, True, None))
    assert layout.mint(mint.ljust(165, b"\0") + b"\1" + bytes(4)) == layout.Mint(6, 7)
    assert layout.mint(mint.ljust(165, b"\0") + b"\2" + bytes(4)) is None


def test_a_mint_of_one_without_places_is_a_collectible() -> None:
    assert layout.Mint(0, 1).is_unique
    assert not layout.Mint(0, 2).is_unique
    assert not layout.Mint(9, 1).is_unique


def test_a_stake_account_tells_who_may_withdraw() -> None:
    data = (2).to_bytes(4, "little") + bytes(8) + bytes(KEY) + bytes(OWNER) + bytes(124)
    assert layout.withdrawer(data) == str(OWNER)
    assert layout.withdrawer((0).to_bytes(4, "little") + data[4:]) is None
    assert layout.withdrawer(data[:100]) is None


@given(st.binary(max_size=400))
def test_junk_is_read_without_a_fault(data: bytes) -> None:
    layout.token_account(data)
    layout.mint(data)
    layout.withdrawer(data)
