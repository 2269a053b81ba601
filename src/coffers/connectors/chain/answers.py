"""Takes nodes' answers for what they should be, and asks for several at once."""

import asyncio
from collections.abc import Coroutine, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from coffers import money
from coffers.connectors.reading import ConnectorFailure, FailureKind

PATIENCE = 45.0
"""Seconds after which a search through a history stops until the next reading."""

_T = TypeVar("_T")


def odd_answer(what: str) -> ConnectorFailure:
    """Return that a node answered something that cannot be meant."""
    return ConnectorFailure(
        FailureKind.UNEXPECTED_ANSWER, f"The node's answer about {what} is not usable.", code="odd"
    )


def taken(kind: type[_T], answer: object, what: str) -> _T:
    """Return an answer as a value of a type.

    Raises:
        ConnectorFailure: when it has not the form of that type; `what` says what it is about.
    """
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError:
        raise odd_answer(what) from None


MOST_BITS = 256
"""No chain counts an amount in more."""


def units(raw: int, decimals: int) -> Decimal:
    """Return an amount that is told in the smallest unit, exactly.

    Raises:
        ConnectorFailure: when no chain has an amount of that size.
    """
    if raw.bit_length() > MOST_BITS:
        raise odd_answer("an amount")
    return money.parse(f"{raw}E-{decimals}")


def signed_units(raw: int, decimals: int) -> Decimal:
    """Return an amount in the smallest unit that may be negative, exactly."""
    amount = units(abs(raw), decimals)
    return money.subtract(money.ZERO, amount) if raw < 0 else amount


async def together(asked: Sequence[Coroutine[Any, Any, _T]]) -> list[_T]:
    """Return the answers to questions that are asked at once, after the last one came.

    Raises:
        Exception: the first one, when all have ended.
    """
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
