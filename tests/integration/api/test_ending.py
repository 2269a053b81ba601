"""A server that is to end, or to close what is idle, loses no request that was on its way."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvloop

from coffers.api.protocol import BoundedProtocol
from line import HEAD, POST, SOON, App, Line, joined
from served import listening, running_server


class Patient(BoundedProtocol):
    last_seconds = 30.0


class Impatient(BoundedProtocol):
    last_seconds = 0.05


class Forgetful(BoundedProtocol):
    """Keeps a connection on which nothing happens for a tenth of a second."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.timeout_keep_alive = 0.1


@asynccontextmanager
async def ending(
    first: bytes, app: App | None = None, http: type[BoundedProtocol] = Patient
) -> AsyncIterator[Line]:
    """Connect, say something, and yield when the server was told to end."""
    async with running_server(app or App(), http) as (base, server), joined(base) as line:
        await line.say(first)
        if first.endswith(b"\r\n\r\n") and (app is None or app.may_answer.is_set()):
            _, headers, _ = await line.answer()
            assert "connection" not in headers
        await asyncio.sleep(0.05)
        ended = asyncio.create_task(server.shutdown())
        await asyncio.sleep(0.05)
        yield line
        async with asyncio.timeout(SOON):
            await ended


@pytest.mark.parametrize("first", [b"", HEAD, HEAD + b"\r\n"])
async def test_a_request_that_comes_as_the_server_ends_is_answered_as_the_last(
    first: bytes,
) -> None:
    async with ending(first) as line:
        await line.say(b"\r\n" if first == HEAD else HEAD + b"\r\n")
        status, headers, _ = await line.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await line.rest() == b""


async def test_a_request_that_is_being_answered_as_the_server_ends_is_the_last() -> None:
    app = App()
    app.may_answer.clear()
    async with ending(HEAD + b"\r\n", app) as line:
        app.may_answer.set()
        status, headers, _ = await line.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await line.rest() == b""


async def test_a_body_that_is_still_coming_as_the_server_ends_is_heard() -> None:
    async with ending(POST + b"Content-Length: 8\r\n\r\nhalf") as line:
        await line.say(b"half")
        _, headers, body = await line.answer()
        assert (headers["connection"], body) == ("close", b"halfhalf")


@pytest.mark.parametrize("first", [b"", HEAD, HEAD + b"\r\n"])
async def test_a_connection_that_brings_nothing_does_not_hold_the_server(first: bytes) -> None:
    async with ending(first, http=Impatient) as line:
        assert await line.rest() == b""


async def test_a_head_that_comes_byte_by_byte_does_not_hold_the_server() -> None:
    async with ending(HEAD, http=Impatient) as line:
        with suppress(ConnectionError):
            for _ in range(100):
                await line.say(b"X")
                await asyncio.sleep(0.02)
            pytest.fail("it is open still")


def test_a_request_that_came_while_the_loop_was_busy_does_not_find_an_idle_connection() -> None:
    async def ask() -> None:
        loop = asyncio.get_running_loop()
        async with listening(App(), Forgetful) as base:
            with socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2]))) as line:
                line.setblocking(False)
                line.send(HEAD + b"\r\n")
                assert await loop.sock_recv(line, 1000)

                def keep_busy() -> None:
                    loop.remove_reader(reading)
                    line.send(HEAD + b"\r\n")
                    time.sleep(0.2)

                reading, writing = socket.socketpair()
                with reading, writing:
                    # Called where the loop reads: before it reads again, it looks at its timers.
                    loop.add_reader(reading, keep_busy)
                    writing.send(b"x")
                    async with asyncio.timeout(SOON):
                        assert b" 200 OK" in await loop.sock_recv(line, 1000)
                        # It is watched still: then it is idle.
                        assert await loop.sock_recv(line, 1000) == b""

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(ask())
