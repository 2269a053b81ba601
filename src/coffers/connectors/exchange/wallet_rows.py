"""A venue's own entries of a wallet -> amounts, where ccxt's balance leaves out or merges some.

Of a margined wallet the venue's equity is believed to the last digit: what is free, in orders,
borrowed and unrealised always comes to it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from coffers import money
from coffers.connectors.exchange.amounts import Amounts, amount_of
from coffers.connectors.exchange.failures import Venue, unexpected
from coffers.connectors.exchange.rules import Rows
from coffers.connectors.exchange.shapes import value_at
from coffers.connectors.reading import ConnectorFailure, FailureKind

Row = Mapping[str, object]


Found = list[tuple[Rows, list[Row]]]
"""Entries, with the rules that tell what is in them."""


def fitting(venue: Venue, rules: Sequence[Rows], answer: object) -> Found:
    """Return the first rule that fits the shape of an answer, and the entries that it finds.

    What else it finds in the same answer follows.

    Raises:
        ConnectorFailure: when none does, so that no outage looks like an empty wallet.
    """
    for rule in rules:
        found = [(part, _rows_of(part, answer)) for part in (rule, *rule.also)]
        whole = [(part, rows) for part, rows in found if rows is not None]
        if len(whole) == len(found):
            return whole
    raise unexpected(venue, "it does not have the shape of a balance", "wrong_shape")


def _rows_of(rule: Rows, answer: object) -> list[Row] | None:
    found = [rows_at(answer, path) for path in rule.paths]
    return None if None in found else [row for rows in found if rows for row in rows]


def rows_at(answer: object, path: str) -> list[Row] | None:
    """Return the entries at a path, None where the answer has no such place."""
    step, _, rest = path.partition(".")
    if step == "*":
        if not isinstance(answer, list):
            return None
        return _joined([rows_at(each, rest) for each in answer])
    if step == "@":
        return _keyed(answer, rest)
    if step:
        inner = value_at(answer, [step])
        return None if inner is None else rows_at(inner, rest)
    if isinstance(answer, Mapping):
        return [answer]
    is_list = isinstance(answer, list) and all(isinstance(row, Mapping) for row in answer)
    return answer if is_list else None  # type: ignore[return-value]  # narrowed in `is_list`


def _joined(parts: Sequence[list[Row] | None]) -> list[Row] | None:
    return None if None in parts else [row for part in parts if part for row in part]


def _keyed(answer: object, rest: str) -> list[Row] | None:
    if not isinstance(answer, Mapping):
        return None
    values = {
        key: value if isinstance(value, Mapping) else {"": value} for key, value in answer.items()
    }
    return _joined([rows_at({"@": key, **value}, rest) for key, value in values.items()])


def code_of(row: Row, rule: Rows) -> str | None:
    """Return the venue's name of the asset that an entry is of."""
    code = rule.asset or _at(row, rule.code)
    return code if isinstance(code, str) and code else None


def is_void(row: Row, rule: Rows) -> bool:
    """Return whether the venue marks an entry as one whose amounts mean nothing here."""
    return _has(row, rule.skip) or (bool(rule.keep) and not _has(row, rule.keep))


def check_mode(venue: Venue, row: Row, rule: Rows) -> None:
    """Refuse an entry of an account mode in which its amounts mean something else.

    Raises:
        ConnectorFailure: of kind `UNSUPPORTED`.
    """
    if _has(row, rule.unread):
        raise other_mode(venue)


def other_mode(venue: Venue) -> ConnectorFailure:
    """Return the failure for an account in a mode that is not read."""
    message = f"Coffers does not read accounts in their present mode at {venue.name} yet."
    return ConnectorFailure(FailureKind.UNSUPPORTED, message, code="account_mode")


def row_amounts(row: Row, rule: Rows) -> Amounts:
    """Return the amounts of one entry.

    Raises:
        InvalidAmount: for what is no number.
        ValueError: for no amount at all, or a negative one that makes no sense.
    """
    free = next(iter(_told(row, rule.free)), None)
    parts = _told(row, rule.held)
    held = money.total(parts)
    borrowed, interest = _optional(row, rule.borrowed), _optional(row, rule.interest)
    if min(held, borrowed, interest) < 0:
        raise ValueError("a negative amount")
    if rule.wallet or rule.equity:
        return _margined(row, rule, free, held, Amounts(money.ZERO, held, borrowed, interest))
    is_told = _told(row, [*rule.free, *rule.held] or [rule.borrowed or ""])
    if not is_told or (free is not None and free < 0):
        raise ValueError("no amount at all, or a negative one")
    return Amounts(free or money.ZERO, held, borrowed, interest)


def _margined(row: Row, rule: Rows, free: Decimal | None, held: Decimal, debts: Amounts) -> Amounts:
    """Part the equity: what of it is free is never more than the wallet holds.

    Available margin may count unrealised profit or other currencies too. A wallet below zero is a
    debt.
    """
    equity, unrealised = _equity(row, rule)
    owing = money.add(debts.borrowed, debts.interest)
    whole = money.add(money.subtract(equity, unrealised), owing)
    if whole < 0:
        deeper = money.subtract(debts.borrowed, whole)
        return Amounts(money.ZERO, money.ZERO, deeper, debts.interest, unrealised)
    usable = money.subtract(whole, held) if free is None else free
    usable = min(max(usable, money.ZERO), whole)
    in_orders = money.subtract(whole, usable)
    return Amounts(usable, in_orders, debts.borrowed, debts.interest, unrealised)


def _equity(row: Row, rule: Rows) -> tuple[Decimal, Decimal]:
    """Return the equity, and how much of it is unrealised: told, or what the wallet lacks of it."""
    equity, wallet, unrealised = (
        amount_of(_at(row, name)) if name else None
        for name in (rule.equity, rule.wallet, rule.unrealised)
    )
    if equity is None:
        if wallet is None:
            raise ValueError("no amount at all")
        unrealised = unrealised or money.ZERO
        return money.add(wallet, unrealised), unrealised
    if unrealised is None and wallet is not None and rule.unrealised is None:
        unrealised = money.subtract(equity, wallet)
    return equity, unrealised or money.ZERO


def _told(row: Row, names: Sequence[str]) -> list[Decimal]:
    amounts = (amount_of(_at(row, name)) for name in names)
    return [amount for amount in amounts if amount is not None]


def _optional(row: Row, name: str | None) -> Decimal:
    return (amount_of(_at(row, name)) if name else None) or money.ZERO


def _has(row: Row, marks: Mapping[str, Sequence[str]]) -> bool:
    return any(str(_at(row, name)) in values for name, values in marks.items())


def _at(row: Row, name: str) -> object:
    return value_at(row, name.split("."))
