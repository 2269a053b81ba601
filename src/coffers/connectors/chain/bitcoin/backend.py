"""What is asked of whoever knows the chain, and in which shapes it answers."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar

from coffers.clock import Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind

BATCH_SIZE = 40
"""Questions that are waited for together; how many are under way at a node is the node's."""

_T = TypeVar("_T")
_A = TypeVar("_A")


@dataclass(frozen=True, slots=True)
class Tip:
    """The last block of the chain."""

    hash: str
    height: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of an address at a moment.

    `count` confirmed transactions left it with `confirmed`, in the smallest unit; so many
    `pending` ones are not in a block yet.
    """

    count: int
    confirmed: int
    pending: int

    @property
    def is_used(self) -> bool:
        """Whether anybody ever paid it."""
        return self.count > 0 or self.pending > 0

    @property
    def is_quiet(self) -> bool:
        """Whether it holds nothing and nothing is on its way."""
        return self.confirmed == 0 and self.pending == 0


@dataclass(frozen=True, slots=True)
class Spent:
    """An output that a transaction spends: where it came from, its script and its amount.

    Newly made coins come from nowhere, with an empty script.
    """

    txid: str
    place: int
    script: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Paid:
    """An output that a transaction makes."""

    script: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction; `height` and `at`, its block's time, are None while it is in no block."""

    txid: str
    inputs: tuple[Spent, ...]
    outputs: tuple[Paid, ...]
    height: int | None
    at: Millis | None


class Backend(Protocol):
    """Whoever knows the chain. Every method raises `ConnectorFailure` when it does not answer.

    `is_one_server` says that what it sums up and what it lists comes from one answer; else another
    machine may list which has not come as far.
    """

    is_one_server: bool

    async def tip(self) -> Tip:
        """Return the last block."""
        ...

    async def summary(self, script: bytes) -> Summary:
        """Return what is known of a script's address."""
        ...

    async def unconfirmed(self, script: bytes) -> list[Transaction]:
        """Return the transactions of an address that are in no block yet."""
        ...

    def confirmed(self, script: bytes) -> AsyncGenerator[list[Transaction], None]:
        """Yield the transactions of an address that are in blocks, the newest first, in pages."""
        ...


async def ask_all(ask: Callable[[_A], Coroutine[Any, Any, _T]], about: Iterable[_A]) -> list[_T]:
    """Return the answers to a question about many things, in their order.

    Raises:
        ConnectorFailure: the first one; what was under way is given up.
    """
    answers: list[_T] = []
    rest = iter(about)
    while some := list(islice(rest, BATCH_SIZE)):
        answers += await _together([ask(one) for one in some])
    return answers


async def _together(coroutines: list[Coroutine[Any, Any, _T]]) -> list[_T]:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in coroutines]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def odd_answer(what: str) -> ConnectorFailure:
    """Return that a node answered something that cannot be meant."""
    return ConnectorFailure(
        FailureKind.UNEXPECTED_ANSWER, f"The node's answer about {what} is not usable.", code="odd"
    )
