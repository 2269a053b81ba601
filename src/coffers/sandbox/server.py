"""Serves the sandbox with uvicorn: for good from the CLI, or on a free port within a test."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from coffers.sandbox.app import DROP_EXTENSION, make_app
from coffers.sandbox.exchange import Exchange

_GRACE_SECONDS = 1


class _Droppable(HttpToolsProtocol):
    """HTTP whose application can cut the connection, which ASGI itself has no word for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {DROP_EXTENSION: {"cut": self.transport.abort}}


def machine_time() -> int:
    """Return the machine's present time in milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


async def serve(listener: socket.socket, seed: int) -> None:
    """Serve a fresh world at the machine's time until the process is told to end."""
    await uvicorn.Server(_config(Exchange(seed, machine_time))).serve(sockets=[listener])


@asynccontextmanager
async def running(exchange: Exchange, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve an exchange in this event loop while the context lasts.

    Args:
        exchange: the world to serve; it can be changed directly while it runs.
        host: the address to listen at.
        port: the port, 0 for a free one.

    Yields:
        The base URL, without a slash at its end.

    Raises:
        OSError: when the port is taken.
    """
    listener = listening(host, port)
    server = uvicorn.Server(_config(exchange, log_level="critical"))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[listener])
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
        await server.shutdown(sockets=[listener])


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that takes connections; port 0 takes a free one.

    Raises:
        OSError: when the address or the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio lets small answers go at once only where the protocol is named: 40 ms a call else.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _config(exchange: Exchange, log_level: str | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        make_app(exchange),
        http=_Droppable,
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        log_level=log_level,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
