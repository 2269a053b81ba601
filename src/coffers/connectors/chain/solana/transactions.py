"""What a transaction of Solana changed in a wallet: the difference of balances before and after."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from coffers.connectors.chain.answers import odd_answer, signed_units, taken, units
from coffers.connectors.chain.changes import Change
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.solana.layout import STAKE, WRAPPED_SOL
from coffers.markets.chains import Chain

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Digits = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,20}$")]


class _Amount(msgspec.Struct):
    amount: _Digits
    decimals: Annotated[int, msgspec.Meta(ge=0, le=255)]


class _TokenBalance(msgspec.Struct, rename="camel"):
    account_index: _Count
    mint: str
    ui_token_amount: _Amount
    owner: str | None = None


class _Loaded(msgspec.Struct):
    writable: list[str] = []
    readonly: list[str] = []


class _Meta(msgspec.Struct, rename="camel"):
    err: Any
    fee: _Count
    pre_balances: list[_Count]
    post_balances: list[_Count]
    pre_token_balances: list[_TokenBalance] | None = None
    post_token_balances: list[_TokenBalance] | None = None
    loaded_addresses: _Loaded | None = None


class _Message(msgspec.Struct, rename="camel"):
    account_keys: list[str]


class _Signed(msgspec.Struct):
    message: _Message


class _Transaction(msgspec.Struct):
    meta: _Meta
    transaction: _Signed


@dataclass(frozen=True, slots=True)
class Effect:
    """What a transaction did to a wallet.

    `fee` is what the wallet paid for it, in SOL; `touched` are the token accounts of the wallet
    that it names. `is_staking` says that stakes may be among what it moved.
    """

    changes: list[Change]
    fee: Decimal
    touched: frozenset[str]
    is_staking: bool


def effect_of(answer: object, wallet: str, stakes: Collection[str], chain: Chain) -> Effect:
    """Return what a transaction did to a wallet, its token accounts and its stakes together.

    Between those nothing flows. Wrapped SOL is counted by the lamports of its accounts; of other
    tokens only the listed ones.

    Raises:
        ConnectorFailure: when the answer is no transaction with its balances.
    """
    told = taken(_Transaction, answer, "a transaction")
    meta, keys = told.meta, _keys(told)
    if not len(keys) == len(meta.pre_balances) == len(meta.post_balances) or not keys:
        raise odd_answer("a transaction")
    rows = [*(meta.pre_token_balances or []), *(meta.post_token_balances or [])]
    if any(row.account_index >= len(keys) for row in rows):
        raise odd_answer("a transaction")
    tokens = {row.account_index for row in rows if row.owner == wallet}
    own = tokens | {index for index, key in enumerate(keys) if key == wallet or key in stakes}
    paid = meta.fee if keys[0] == wallet else 0
    lamports = sum(meta.post_balances[index] - meta.pre_balances[index] for index in own) + paid
    coin = Change("native", chain.asset, chain.asset, signed_units(lamports, chain.decimals))
    return Effect(
        [coin, *_token_changes(meta, wallet, chain)],
        units(paid, chain.decimals),
        frozenset(keys[index] for index in tokens),
        STAKE in keys,
    )


def _token_changes(meta: _Meta, wallet: str, chain: Chain) -> list[Change]:
    listed = listed_on("solana")
    change: dict[str, int] = {}
    for sign, rows in (-1, meta.pre_token_balances), (1, meta.post_token_balances):
        for row in rows or []:
            if row.owner == wallet and row.mint in listed and row.mint != WRAPPED_SOL:
                raw = sign * int(row.ui_token_amount.amount)
                change[row.mint] = change.get(row.mint, 0) + raw
    return [
        Change(
            mint,
            listed[mint].asset or f"{chain.id}:{mint}",
            listed[mint].symbol,
            signed_units(raw, listed[mint].decimals),
        )
        for mint, raw in sorted(change.items())
    ]


def _keys(told: _Transaction) -> list[str]:
    loaded = told.meta.loaded_addresses or _Loaded()
    return [*told.transaction.message.account_keys, *loaded.writable, *loaded.readonly]
