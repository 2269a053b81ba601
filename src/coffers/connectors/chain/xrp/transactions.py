"""What a transaction of the XRP Ledger changed in an account, told by its metadata.

What a payment says it pays is never taken: a partial payment delivers less. The metadata tell
what every entry of the ledger was before and is since.
Source: https://xrpl.org/docs/references/protocol/transactions/metadata.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from coffers import money
from coffers.connectors.chain.answers import odd_answer, signed_units, units
from coffers.connectors.chain.changes import Change
from coffers.connectors.chain.xrp.currencies import Token, token_of
from coffers.connectors.chain.xrp.holdings import (
    drops_of,
    is_own_escrow,
    token_amount,
    value_of,
)
from coffers.markets.chains import Chain

_SPONSORS_FEE = 1
"""The flag of a transaction whose sponsor pays the fee (XLS-68)."""


@dataclass(frozen=True, slots=True)
class _Node:
    """An entry of the ledger that a transaction made, changed or removed."""

    kind: str
    entry: str
    before: dict[str, Any]
    after: dict[str, Any]

    def changed(self, name: str) -> tuple[object, object]:
        """Return a field as it was and as it is, None where the entry was not or is not."""
        now = self.after.get(name)
        was = None if self.kind == "CreatedNode" else self.before.get(name, now)
        return was, None if self.kind == "DeletedNode" else now


@dataclass(slots=True)
class _Sums:
    drops: int = 0
    tokens: dict[Token, Decimal] = field(default_factory=dict)

    def add(self, token: Token, amount: Decimal) -> None:
        self.tokens[token] = money.add(self.tokens.get(token, money.ZERO), amount)


def changes_in(
    tx: dict[str, Any], meta: dict[str, Any], address: str, chain: Chain
) -> tuple[list[Change], Decimal]:
    """Return what a transaction changed in an account, and the fee that the account paid for it.

    Raises:
        ConnectorFailure: when the metadata have not the form of such.
    """
    sums = _Sums()
    for node in _nodes(meta):
        if node.entry == "AccountRoot" and node.after.get("Account") == address:
            sums.drops += _difference(node, "Balance")
        elif node.entry == "Escrow" and is_own_escrow(node.after, address):
            _add_escrow(node, chain, sums)
        elif node.entry == "RippleState" and node.after:
            _add_line(node, address, chain, sums)
    fee = drops_of(tx.get("Fee")) if _payer(tx) == address else 0
    coins = signed_units(sums.drops + fee, chain.decimals)
    changes = [Change("native", chain.asset, chain.asset, coins)]
    changes += [
        Change(token.contract, token.asset, token.symbol, amount)
        for token, amount in sorted(sums.tokens.items(), key=lambda row: row[0].contract)
    ]
    return changes, units(fee, chain.decimals)


def _payer(tx: dict[str, Any]) -> object:
    """Return who paid the fee: a sponsor, whom the account allowed to send for it, or itself."""
    flags = tx.get("SponsorFlags")
    if isinstance(flags, int) and flags & _SPONSORS_FEE:
        return tx.get("Sponsor")
    return tx.get("Delegate", tx.get("Account"))


def is_beginning(meta: dict[str, Any], address: str) -> bool:
    """Whether a transaction made the account, so that there is none before it."""
    return any(
        node.kind == "CreatedNode"
        and node.entry == "AccountRoot"
        and node.after.get("Account") == address
        for node in _nodes(meta)
    )


def _add_escrow(node: _Node, chain: Chain, sums: _Sums) -> None:
    """Add what was set aside in, or came out of, an escrow that the account made for itself."""
    was, now = node.changed("Amount")
    if isinstance(was, dict) or isinstance(now, dict):
        for amount, sign in (was, -1), (now, 1):
            if amount is not None:
                token, value = token_amount(amount, chain)
                sums.add(token, money.multiply(value, Decimal(sign)))
    else:
        sums.drops += _difference(node, "Amount")


def _add_line(node: _Node, address: str, chain: Chain, sums: _Sums) -> None:
    """Add what changed on a trust line; its balance is told as its low side sees it."""
    low, high = _limit(node, "LowLimit"), _limit(node, "HighLimit")
    if address not in {low["issuer"], high["issuer"]}:
        return
    peer = high["issuer"] if address == low["issuer"] else low["issuer"]
    was, now = (_line(balance, address == low["issuer"]) for balance in node.changed("Balance"))
    held = money.subtract(max(now, money.ZERO), max(was, money.ZERO))
    owed = money.subtract(min(now, money.ZERO), min(was, money.ZERO))
    if held:
        sums.add(token_of(peer, low["currency"], chain), held)
    if owed:
        sums.add(token_of(address, low["currency"], chain), owed)


def _line(balance: object, is_low: bool) -> Decimal:
    if balance is None:
        return money.ZERO
    if not isinstance(balance, dict):
        raise odd_answer("a trust line")
    value = value_of(balance.get("value"))
    return value if is_low else money.subtract(money.ZERO, value)


def _limit(node: _Node, name: str) -> dict[str, str]:
    limit = node.after.get(name)
    if not isinstance(limit, dict):
        raise odd_answer("a trust line")
    issuer, currency = limit.get("issuer"), limit.get("currency")
    if not isinstance(issuer, str) or not isinstance(currency, str):
        raise odd_answer("a trust line")
    return {"issuer": issuer, "currency": currency}


def _difference(node: _Node, name: str) -> int:
    was, now = node.changed(name)
    return (0 if now is None else drops_of(now)) - (0 if was is None else drops_of(was))


def _nodes(meta: dict[str, Any]) -> Iterator[_Node]:
    affected = meta.get("AffectedNodes")
    if not isinstance(affected, list):
        raise odd_answer("a transaction")
    for each in affected:
        if not isinstance(each, dict) or len(each) != 1:
            raise odd_answer("a transaction")
        ((kind, told),) = each.items()
        if not isinstance(told, dict):
            raise odd_answer("a transaction")
        after = told.get("NewFields" if kind == "CreatedNode" else "FinalFields") or {}
        before = told.get("PreviousFields") or {}
        if not isinstance(after, dict) or not isinstance(before, dict):
            raise odd_answer("a transaction")
        yield _Node(kind, str(told.get("LedgerEntryType")), before, after)
