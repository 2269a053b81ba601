"""What a call is: what is sent, and the form of what comes back.

A call says nothing of how it is sent: the clients do that, signed, sync or async.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Generic, Literal, TypeVar
from urllib.parse import quote

T = TypeVar("T")

Parameter = str | int | bool | Decimal | Sequence[str] | Mapping[str, object] | None
"""The value of a parameter; None leaves it out."""

Of = int | Literal["summary"]
"""An account's id, or the summary of all."""

Moment = str | date | datetime
"""A day or a moment: a `datetime` without an offset is in UTC, a text is sent as it is."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call. `path` is what follows `/public/api`; `read` makes the answer of a body.

    Parameters go in the query of a GET or DELETE, else in a JSON body; they may be secrets, and are
    not shown. What `keeps` is asked for again by its entity tag; what tells ages does not, since
    they go on while all else stays.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    parameters: Mapping[str, Parameter] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_signed: bool = True
    keeps: bool = False


def at_cursor(call: Call[T], cursor: str) -> Call[T]:
    """Return the call of the page that a cursor names."""
    return replace(call, parameters={**call.parameters, "cursor": cursor})


def escaped(segment: str) -> str:
    """Return a part of a path, escaped."""
    return quote(segment, safe=":")


def exact(amount: Decimal) -> str:
    """Return an amount as its exact text.

    Raises:
        TypeError: for a `float`, whose digits are already lost.
    """
    return f"{Decimal(_unrounded(amount)):f}"


def texts(amounts: Mapping[str, Decimal]) -> dict[str, object]:
    """Return amounts as exact texts. Raises as `exact`."""
    return {asset: exact(amount) for asset, amount in amounts.items()}


def plain(value: Parameter) -> Parameter:
    """Return a parameter as it is sent, an amount as its exact text. Raises as `exact`."""
    return exact(value) if isinstance(value, Decimal) else _unrounded(value)


def _unrounded(value: T) -> T:
    # No annotation keeps a program from giving one.
    if isinstance(value, float):
        raise TypeError(f"{value} is a float and has already lost digits; give a Decimal")
    return value


def moment(given: Moment | None) -> str | None:
    """Return a day or moment as the API takes it."""
    if isinstance(given, datetime):
        at = given if given.tzinfo else given.replace(tzinfo=UTC)
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return given.isoformat() if isinstance(given, date) else given


def keyed(idempotency_key: str | None) -> dict[str, str]:
    """Return the header of an idempotency key, where there is one."""
    return {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
