"""Work that begins at once, and becomes a task only if it has to wait.

To make a task, and to wait for its turn, takes a tenth of an answer that is ready. Python 3.12 has
eager tasks, which still have to be made.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Final

_NOTHING: Final = object()


def begun(
    work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop
) -> asyncio.Task[None] | None:
    """Do work up to where it first waits; return the task that goes on, None if it is done.

    Called by the event loop itself, in no task. Until it waits, the work is in none either: what
    needs one has to ask for it, see `in_task`.
    """
    try:
        awaited = work.send(None)
    except StopIteration:
        return None
    return loop.create_task(_Rest(work, awaited))


async def in_task() -> None:
    """Go on in a task: limits of time, and libraries that have some, know their task."""
    if asyncio.current_task() is None:
        await asyncio.sleep(0)


class _Rest(Coroutine[Any, Any, None]):
    """What is left of work that waits for `awaited`, a future as the event loop knows them."""

    def __init__(self, work: Coroutine[Any, Any, None], awaited: object) -> None:
        self._work = work
        self._awaited = awaited

    def send(self, value: Any, /) -> Any:  # noqa: ANN401 - what the event loop sends and gets
        """Tell first what is waited for already, and go on from then."""
        if self._awaited is not _NOTHING:
            awaited, self._awaited = self._awaited, _NOTHING
            return awaited
        return self._work.send(value)

    def throw(self, *fault: Any) -> Any:  # noqa: ANN401 - as above
        """Let the work meet a fault where it waits, even before it was gone on with."""
        awaited, self._awaited = self._awaited, _NOTHING
        if isinstance(awaited, asyncio.Future):
            # As a task does with what it waits for, which is not this one's yet.
            awaited.cancel()
        return self._work.throw(*fault)

    def close(self) -> None:
        """Give the work up."""
        self._work.close()

    def __await__(self) -> Generator[Any, Any, None]:
        """Refuse to be awaited: a task goes on with it."""
        raise RuntimeError("only a task goes on with work that was begun")
