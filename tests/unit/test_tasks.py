"""Work that begins before it is a task."""

import asyncio
from contextlib import suppress

import pytest

from coffers.tasks import begun, in_task


async def test_work_that_waits_for_nothing_is_done_at_once() -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("here")

    assert begun(work(), asyncio.get_running_loop()) is None
    assert done == ["here"]


async def test_work_that_waits_goes_on_in_a_task_with_what_it_waited_for() -> None:
    loop = asyncio.get_running_loop()
    awaited: asyncio.Future[str] = loop.create_future()
    heard: list[str] = []

    async def work() -> None:
        heard.append("begun")
        heard.append(await awaited)
        await asyncio.sleep(0)
        heard.append("done")

    task = begun(work(), loop)
    assert heard == ["begun"]
    assert task is not None
    awaited.set_result("told")
    await task
    assert heard == ["begun", "told", "done"]


async def test_a_fault_of_what_is_waited_for_is_the_works() -> None:
    loop = asyncio.get_running_loop()
    awaited: asyncio.Future[str] = loop.create_future()
    heard: list[str] = []

    async def work() -> None:
        try:
            await awaited
        except ValueError as fault:
            heard.append(str(fault))
        raise KeyError("its own")

    task = begun(work(), loop)
    assert task is not None
    awaited.set_exception(ValueError("of another"))
    with pytest.raises(KeyError, match="its own"):
        await task
    assert heard == ["of another"]


async def test_work_that_goes_on_can_be_cancelled() -> None:
    loop = asyncio.get_running_loop()
    awaited: asyncio.Future[None] = loop.create_future()
    heard: list[str] = []

    async def work() -> None:
        try:
            await awaited
        finally:
            heard.append("cleaned up")

    task = begun(work(), loop)
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert (task.cancelled(), awaited.cancelled(), heard) == (True, True, ["cleaned up"])


async def test_work_can_be_cancelled_before_it_goes_on() -> None:
    loop = asyncio.get_running_loop()
    heard: list[str] = []
    awaited: asyncio.Future[None] = loop.create_future()

    async def work() -> None:
        try:
            await awaited
        except asyncio.CancelledError:
            heard.append("told")
            await asyncio.sleep(0)
            heard.append("cleaned up")
            raise

    task = begun(work(), loop)
    assert task is not None
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert (task.cancelled(), awaited.cancelled(), heard) == (True, True, ["told", "cleaned up"])


async def test_what_needs_a_task_gets_one() -> None:
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None] | None] = []

    async def work() -> None:
        await in_task()
        tasks.append(asyncio.current_task())
        await in_task()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.sleep(10)

    await asyncio.sleep(0)
    waiting: list[asyncio.Task[None] | None] = []
    loop.call_soon(lambda: waiting.append(begun(work(), loop)))
    await asyncio.sleep(0)
    (task,) = waiting
    assert task is not None
    await task
    assert tasks == [task]
