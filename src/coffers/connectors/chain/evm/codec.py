"""What is sent to contracts and what they answer: calls and results in the contract ABI.

An answer is believed only if it has the form that was asked for. A contract without code answers
nothing at all, and many tokens answer something odd.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

_WORD = 32
_MOST_DECIMALS = 255
_MOST_SYMBOL = 32
_UNSEEN = re.compile(r"[^\x20-\x7e\u00a1-\ufaff\U0001f300-\U0001faff]")

BALANCE_OF = bytes.fromhex("70a08231")
DECIMALS = bytes.fromhex("313ce567")
SYMBOL = bytes.fromhex("95d89b41")
AGGREGATE3 = bytes.fromhex("82ad56cb")


@dataclass(frozen=True, slots=True)
class Call:
    """A question to a contract: its address and the bytes that are sent to it."""

    to: str
    data: bytes


Answer = bytes | None
"""What a contract returned, None where it reverted."""


def balance_of(token: str, owner: str) -> Call:
    """Return the question for an owner's balance of a token."""
    return Call(token, BALANCE_OF + encode(["address"], [owner]))


def aggregated(calls: Sequence[Call]) -> bytes:
    """Return the bytes that make Multicall3 ask every question and let each of them fail alone."""
    rows = [(call.to, True, call.data) for call in calls]
    return AGGREGATE3 + encode(["(address,bool,bytes)[]"], [rows])


def separated(returned: bytes, count: int) -> list[Answer] | None:
    """Return the answers that Multicall3 gathered, None where these are not `count` answers."""
    try:
        (rows,) = decode(["(bool,bytes)[]"], returned)
    except (DecodingError, OverflowError):
        return None
    if len(rows) != count:
        return None
    return [data if succeeded else None for succeeded, data in rows]


def number(answer: Answer) -> int | None:
    """Return the whole number that a contract answered, None where it answered none."""
    return int.from_bytes(answer, "big") if answer is not None and len(answer) == _WORD else None


def decimals(answer: Answer) -> int | None:
    """Return the places after the point that a token tells, None where it tells none."""
    found = number(answer)
    return found if found is not None and found <= _MOST_DECIMALS else None


def symbol(answer: Answer) -> str | None:
    """Return the symbol that a token tells, in letters that show; None where it tells none.

    Old tokens tell it as 32 bytes instead of a text.
    """
    if answer is None:
        return None
    if len(answer) == _WORD:
        return cleaned(answer.rstrip(b"\0").decode(errors="ignore"))
    try:
        (text,) = decode(["bytes"], answer)
    except (DecodingError, OverflowError):
        return None
    return cleaned(text.decode(errors="ignore"))


def cleaned(text: str) -> str | None:
    """Return a text without signs that do not show, bounded in length; None where none is left."""
    # A code that Unicode has not given out, or one that turns what follows, is not printable.
    shown = "".join(filter(str.isprintable, _UNSEEN.sub("", text))).strip()
    return shown[:_MOST_SYMBOL].rstrip() or None
