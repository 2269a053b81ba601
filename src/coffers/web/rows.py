"""Assets with their amounts as a form has them: rows of two fields each, numbered."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Final

from coffers.errors import InvalidRecord
from coffers.money import plain
from coffers.portfolio.secrecy import secret_fault

CHANGED_ELSEWHERE: Final = "it was changed elsewhere meanwhile; look at it once more"
"""What is told where a form was drawn of something that is another one by now, see `mark_of`."""

MORE: Final = 5
"""Empty rows at the end of a form."""

_OF_SEVERAL: Final = {"is": "are", "has": "have"}

_CODE: Final = re.compile(r"code_([1-9][0-9]{0,3})", re.ASCII)
"""The name of a row's field, written as forms of ours write it: each row has one name alone."""


@dataclass(frozen=True, slots=True)
class Row:
    """An asset and its amount as somebody wrote them, or as they are."""

    code: str = ""
    amount: str = ""


def rows_of(amounts: Mapping[str, Decimal]) -> list[Row]:
    """Return what is held as rows, with empty ones at the end."""
    held = [Row(code, plain(amount).removesuffix(".0")) for code, amount in sorted(amounts.items())]
    return [*held, *[Row()] * MORE]


def rows_in(form: Mapping[str, str]) -> list[Row]:
    """Return the rows of a form that have something in them, in their order.

    Fields of other names are no rows.
    """
    numbers = sorted(int(named[1]) for name in form if (named := _CODE.fullmatch(name)))
    rows = [
        Row(form[f"code_{number}"].strip(), form.get(f"amount_{number}", "").strip())
        for number in numbers
    ]
    return [row for row in rows if row.code or row.amount]


def again(rows: Collection[Row]) -> list[Row]:
    """Return rows to be shown once more, but for secrets, with empty ones at the end."""
    # Tokens of some chains are named by as many hex digits as a key has.
    shown = [
        replace(row, code="") if secret_fault(row.code, is_hex_usual=":" in row.code) else row
        for row in rows
    ]
    return [*shown, *[Row()] * MORE]


def said(rows: Collection[Row], known: Collection[str] = ()) -> list[Row]:
    """Return what is to be held: of a known asset, no amount says that nothing of it is left."""
    return [row for row in rows if row.amount or row.code not in known]


def mark_of(amounts: Mapping[str, Decimal], *others: str) -> str:
    """Return what is another one as soon as the amounts that a form changes are others.

    `others` is what it changes beside them.
    """
    told = [f"{asset} {plain(amount)}" for asset, amount in sorted(amounts.items())]
    return sha256("\n".join([*told, *others]).encode()).hexdigest()[:16]


def named_rows(error: InvalidRecord, names: Mapping[str, str]) -> InvalidRecord:
    """Return an error whose faults of rows are sentences that name what they are about.

    `names` tells what one row's value is called, by the parameter that has those of all rows.
    """
    return InvalidRecord(
        {
            name: [_named(names[name], each) for each in why] if name in names else why
            for name, why in error.attributes.items()
        }
    )


def _named(what: str, fault: str) -> str:
    first, _, rest = fault.partition(" ")
    match first:
        case "of":
            return f"the {what} {fault}"
        case "is" | "has":
            return f"the {what}s {_OF_SEVERAL[first]} {rest}"
        case "must" | "name":
            return f"the {what}s {fault}"
    return fault
