"""What lies in the bytes of Solana's accounts: tokens, mints and stakes.

Sources: the states of the programs SPL Token, Token-2022 (whose extensions follow the old form) and
Stake. Numbers are little-endian.
"""

from dataclasses import dataclass

from coffers.connectors.chain import base58

SYSTEM = "11111111111111111111111111111111"
TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105  # a program, no password
TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105  # a program, no password
STAKE = "Stake11111111111111111111111111111111111111"
WRAPPED_SOL = "So11111111111111111111111111111111111111112"

WITHDRAWER_AT = 44
"""Where a stake account names who may withdraw from it."""

_TOKEN_ACCOUNT, _MINT, _STAKE_ACCOUNT = 165, 82, 124
_INITIALISED, _FROZEN = 1, 2
_KIND_AT_2022, _MINT_KIND, _ACCOUNT_KIND = 165, 1, 2
_STAKE_STATES = (1, 2)


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """An account that holds tokens of one mint, in the smallest unit; frozen or not."""

    mint: str
    owner: str
    amount: int


@dataclass(frozen=True, slots=True)
class Mint:
    """What makes tokens: their places after the point, and how many there are."""

    decimals: int
    supply: int

    @property
    def is_unique(self) -> bool:
        """Whether there is but one: a collectible."""
        return self.decimals == 0 and self.supply == 1


def token_account(data: bytes) -> TokenAccount | None:
    """Return what a token program's account holds, None where the bytes are none."""
    if not _is_kind(data, _TOKEN_ACCOUNT, _ACCOUNT_KIND) or data[108] not in {
        _INITIALISED,
        _FROZEN,
    }:
        return None
    return TokenAccount(_key(data, 0), _key(data, 32), _number(data, 64))


def mint(data: bytes) -> Mint | None:
    """Return what a mint says, None where the bytes are none."""
    if not _is_kind(data, _MINT, _MINT_KIND) or data[45] != _INITIALISED:
        return None
    return Mint(data[44], _number(data, 36))


def withdrawer(data: bytes) -> str | None:
    """Return who may withdraw from a stake account, None where the bytes are none."""
    if len(data) < _STAKE_ACCOUNT or int.from_bytes(data[:4], "little") not in _STAKE_STATES:
        return None
    return _key(data, WITHDRAWER_AT)


def _is_kind(data: bytes, plain: int, kind: int) -> bool:
    """Whether bytes have the plain length, or extensions behind a byte that tells the kind."""
    if len(data) == plain:
        return True
    return len(data) > _KIND_AT_2022 and data[_KIND_AT_2022] == kind


def _key(data: bytes, at: int) -> str:
    return base58.encode(data[at : at + 32])


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")
