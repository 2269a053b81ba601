"""The API as a server process runs it: services opened at the start, closed at the end."""

import os
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from multiprocessing import parent_process
from threading import Thread
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from coffers.api.app import make_app
from coffers.api.protocol import BoundedProtocol
from coffers.api.services import Services, open_services
from coffers.errors import CoffersError
from coffers.logs import configure_logs, logger
from coffers.memory import settle
from coffers.settings import load_settings

_GRACE: Final = 10
"""Seconds that requests have to finish when the server is to end."""

_IDLE: Final = 75
"""Seconds that a connection may lie idle between two requests. A client must not send just as it is
closed: proxies keep theirs for a minute, and many a program asks every 5 seconds or every 60."""

_SILENT: Final = 30
"""Seconds without a sign of life after which one of several processes is killed and replaced. A
process gives none while it loads, which takes some seconds on a small or busy machine."""

_log = logger("coffers.api")


class ServedApp:
    """An ASGI application that opens its services when its server starts.

    `making` makes what answers, on the services: the API alone, or with more beside it.
    """

    def __init__(
        self,
        opening: Callable[[], AbstractAsyncContextManager[Services]],
        making: Callable[[Services], ASGIApp] = make_app,
    ) -> None:
        self._opening = opening
        self._making = making
        self._app: ASGIApp = _nobody

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a request, or live as long as the server does."""
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        return self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._opening() as services:
                self._app = self._making(services)
                # A full look over what is there now took 90 ms, in the middle of a request.
                settle()
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except CoffersError as fault:
            # The server's own way to say it is a traceback.
            _log.error("the API cannot start", reason=str(fault))
            await send({"type": "lifespan.startup.failed", "message": str(fault)})
        else:
            await send({"type": "lifespan.shutdown.complete"})


async def _nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Leave a request unanswered: the server lets none in before it has started."""


def app(making: Callable[[Services], ASGIApp] = make_app) -> ServedApp:
    """Return the application for a server process, with the settings of the environment.

    Raises:
        SettingsError: for a setting that cannot be meant.
    """
    _end_with_parent()
    # FastAPI looks with every route whether a model is one of the first version's, which none is:
    # to load that for it takes 3 MB.
    sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    return ServedApp(partial(open_services, settings), making)


def _end_with_parent() -> None:
    """End this process in order when the one that supervises it is gone, even if killed."""
    parent = parent_process()
    if parent is None:
        return

    def end_after() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=end_after, name="parent-watch", daemon=True).start()


def _allow_connections() -> None:
    """Let this process and its children hold as many connections as they are allowed at all.

    The usual limit of 1,024 files, which a process may raise itself, is made for `select`.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Not everywhere may it be raised so far.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(listener: socket.socket, workers: int = 1, factory: str = "coffers.api.server:app") -> None:
    """Serve on a socket that listens, until a signal ends it, with so many processes.

    `factory` names the function that makes a process's application: "module:function".

    Raises:
        CoffersError: when the API could not start; the log says why.
    """
    _allow_connections()
    config = uvicorn.Config(
        factory,
        factory=True,
        workers=workers,
        loop="uvloop",
        http=BoundedProtocol,
        interface="asgi3",
        ws="none",
        lifespan="on",
        # The API's own settings say which proxies are believed.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=_GRACE,
        timeout_worker_healthcheck=_SILENT,
    )
    if workers > 1:
        from coffers.api.supervisor import Supervisor  # noqa: PLC0415 - not for one process

        Supervisor(config, sockets=[listener]).run()
        return
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
        raise CoffersError("the API could not start")
