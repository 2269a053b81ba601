"""The server that processes share: asked while it is there, and never waited for while it is not.

A task looks at it twice a second. While it is gone every question fails at once, so that a dead
server costs a call nothing; who asks has an answer of its own for that case.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from coffers import metrics
from coffers.errors import SettingsError
from coffers.logs import logger
from coffers.settings import PREFIX, Settings
from coffers.tasks import in_task
from coffers.valkey.address import Address, read_address

if TYPE_CHECKING:
    from redis.asyncio import Redis

Word = str | bytes | int
_PAUSE: Final = 0.5
"""Seconds between two looks at the server."""
_ANSWERED_BY: Final = 0.1
"""Seconds in which the server must answer a question; one that is late counts as gone."""
_REACHED_BY: Final = 1.0
"""Seconds in which a look must succeed, a new connection with it; no call waits for that."""
_AT_ONCE: Final = 8
"""Questions under way at once, each on a connection of its own; further ones queue here."""


_log = logger("coffers.valkey")


class Gone(Exception):
    """The server did not answer, or not as it should; the text says why, without any secret."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, which the server runs as one step; it answers with whole numbers."""

    text: str


# Reaching a server that may not be written to, or that has no room left, is no use.
_PROBE: Final = Script("redis.call('SET', KEYS[1], 1, 'PX', 1000) return {1}")


class SharedServer:
    """A Redis (5 or later) or Valkey server. Belongs to one event loop."""

    def __init__(self, address: Address) -> None:
        # Here, since a process without the setting does without the package.
        from redis import RedisError  # noqa: PLC0415

        self._address = address
        self._client = _client(address)
        self._failures = (RedisError, TimeoutError)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._keeper: asyncio.Task[None] | None = None
        self._is_down: bool | None = None

    @property
    def is_up(self) -> bool:
        """Whether the server is there, as far as is known."""
        return self._is_down is False

    async def open(self) -> None:
        """Try to reach the server, and go on looking for as long as this is open."""
        await self._look()
        self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Give up the connections."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._is_down = None
        with suppress(*self._failures):
            await self._client.aclose()

    async def run(self, script: Script, keys: tuple[str, ...], *args: Word) -> list[int]:
        """Run a script and return its answer.

        Raises:
            Gone: when the server is not there, or did not do it.
        """
        async with self._turns:
            if not self.is_up:
                raise Gone("it is not there")
            try:
                return await self._ask(script, keys, args, _ANSWERED_BY)
            except Gone as gone:
                # It may be full, or loading: what answers like this is as good as gone.
                if self.is_up:
                    self._note(str(gone))
                raise

    async def check(self) -> None:
        """Reach the server once.

        Raises:
            Gone: when it cannot be used, with a reason.
        """
        try:
            await self._probe()
        finally:
            await self.close()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            await self._look()

    async def _look(self) -> None:
        try:
            await self._probe()
        except Gone as gone:
            self._note(str(gone))
        else:
            self._note(None)

    async def _probe(self) -> None:
        await self._ask(_PROBE, ("coffers:probe",), (), _REACHED_BY)

    async def _ask(
        self, script: Script, keys: tuple[str, ...], args: tuple[Word, ...], seconds: float
    ) -> list[int]:
        registered = self._client.register_script(script.text)
        try:
            async with _patience(seconds):
                answer: object = await registered(keys, args)
        except self._failures as error:
            raise Gone(f"{self._address} {_reason(error)}") from None
        if not isinstance(answer, list):
            raise Gone(f"{self._address} answers as no such server does")
        return answer

    def _note(self, reason: str | None) -> None:
        is_down = reason is not None
        if is_down is self._is_down:
            return
        metrics.valkey_down.set(is_down)
        if is_down:
            _log.warning("shared server gone; each process counts by itself", reason=reason)
        else:
            _log.info("shared server reached", server=str(self._address))
        self._is_down = is_down


def server_of(settings: Settings) -> SharedServer | None:
    """Return the server that the settings name, not opened yet; None when they name none.

    Raises:
        SettingsError: when what talks to it is not installed.
    """
    if settings.valkey_url is None:
        return None
    if find_spec("redis") is None:
        raise SettingsError(
            f"{PREFIX}VALKEY_URL: this installation cannot talk to Redis or Valkey; "
            "install coffers[valkey]"
        )
    return SharedServer(read_address(settings.valkey_url.get_secret_value()))


@asynccontextmanager
async def opened_server(settings: Settings) -> AsyncIterator[SharedServer | None]:
    """Open the server that the settings name; None when they name none.

    Raises:
        SettingsError: when what talks to it is not installed.
    """
    server = server_of(settings)
    if server is None:
        yield None
        return
    try:
        await server.open()
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError after so long, in two steps: who was busy itself looks once more."""
    # The library's own limit takes a task more per question, and knows no second look.
    await in_task()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        step = loop.call_later(seconds / 2, lambda: limit.reschedule(loop.time() + seconds / 2))
        try:
            yield
        finally:
            step.cancel()


def _client(address: Address) -> "Redis":
    from redis.asyncio import Redis  # noqa: PLC0415 - as above
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

    # The older protocol, and no telling of the library's name: a Redis 5 knows neither. No second
    # attempt, which could count a call twice.
    return Redis.from_url(
        address.url.reveal(),
        protocol=2,
        driver_info=None,
        socket_timeout=None,
        socket_connect_timeout=_REACHED_BY,
        retry=Retry(NoBackoff(), 0),
    )


def _reason(error: Exception) -> str:
    """Say why by codes and names alone: a server's text may quote what it was sent."""
    from redis import ResponseError  # noqa: PLC0415 - as above

    if isinstance(error, TimeoutError):
        return "does not answer in time"
    told = error.__cause__ or error  # over a socket, the library wraps what the server said
    code: str | None = getattr(told, "status_code", None)
    if isinstance(told, ResponseError):
        return f"takes no writes: {code or str(told).partition(' ')[0]}"
    if code is not None:
        return f"takes a connection, but then: {code}"
    return f"takes no connection ({type(error.__context__ or error).__name__})"
