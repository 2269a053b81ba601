"""Work that begins at once, and becomes a task only if it has to wait.

To make a task, and to wait for its turn, takes a tenth of an answer that is ready. Python 3.12 has
eager tasks, which still have to be made.
"""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any


def begun(
    work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop
) -> asyncio.Task[None] | None:
    """Do work up to where it first waits; return the task that goes on, None if it is done.

    Until there it runs in no task: what needs one has to ask for it, see `in_task`.
    """
    try:
        awaited = work.send(None)
    except StopIteration:
        return None
    return loop.create_task(_rest(work, awaited))


async def in_task() -> None:
    """Go on in a task: limits of time, and libraries that have some, know their task."""
    if asyncio.current_task() is None:
        await asyncio.sleep(0)


@coroutine
def _rest(work: Coroutine[Any, Any, None], awaited: object) -> Generator[Any, Any, None]:
    """Go on with work that waits for `awaited`, a future as the event loop knows them."""
    try:
        while True:
            try:
                told = yield awaited
            except GeneratorExit:
                work.close()
                raise
            except BaseException as fault:  # noqa: BLE001 - it is the work's to take
                awaited = work.throw(fault)
            else:
                awaited = work.send(told)
    except StopIteration:
        return
