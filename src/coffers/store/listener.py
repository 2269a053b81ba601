"""The connection over which a process hears notices of PostgreSQL; loaded only where it is used.

It is kept for as long as the process lives, and made anew when it is lost. That it is there does
not prove that it hears: a pooler in between takes the wish to listen, and hands the session to
others. So the connection says something to itself now and then, and must hear it.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

import asyncpg  # type: ignore[import-untyped]  # the driver ships no types
from sqlalchemy.engine import make_url

from coffers import metrics
from coffers.errors import CoffersError
from coffers.logs import logger
from coffers.store.driver import connect
from coffers.store.errors import unavailable
from coffers.store.notices import Notice, Notices, Topic

PROVEN_EVERY: Final = 15.0
"""Seconds between two proofs that the connection hears."""

HEARD_WITHIN: Final = 5.0
"""Seconds within which what was said must be heard."""

PAUSES: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Seconds before each next try to connect, the last one again and again."""

_PROOF: Final = "coffers_proof_"
_log = logger("coffers.notices")


class Deaf(CoffersError):
    """What a connection said to itself it did not hear."""

    def __init__(self) -> None:
        super().__init__(
            "a notice did not come back; COFFERS_DATABASE_DIRECT_URL must lead to the server, not "
            "to a pooler"
        )


class Listener:
    """Brings notices of a server to those who wait for them. Belongs to one event loop."""

    def __init__(self, url: str, topics: Collection[Topic], notices: Notices) -> None:
        self._url = make_url(url)
        self._topics = tuple(topics)
        self._notices = notices
        self._keeper: asyncio.Task[None] | None = None
        self._is_down: bool | None = None
        self._tried = asyncio.Event()

    async def open(self) -> None:
        """Try to listen, and go on for as long as this is open."""
        self._keeper = asyncio.create_task(self._keep())
        await self._tried.wait()

    async def close(self) -> None:
        """Give the connection up."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def _keep(self) -> None:
        failures = 0
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try may do
                failures = 0 if self._notices.is_up else failures + 1
                self._note(str(error if isinstance(error, CoffersError) else unavailable(error)))
            # By chance, since all processes of a server lose it at the same moment.
            pause = PAUSES[min(failures, len(PAUSES) - 1)] * (0.5 + random.random())  # noqa: S311 - no secret
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        """Listen until that fails, which it does in the end."""
        async with self._connected() as connection:
            ended = asyncio.Event()
            connection.add_termination_listener(lambda _: ended.set())
            for topic in self._topics:
                await connection.add_listener(topic.value, self._heard)
            proof = _Proof(connection)
            await proof.begin()
            await proof.hear()
            self._note(None)
            while not await _within(PROVEN_EVERY, ended):
                await proof.hear()
        raise ConnectionResetError

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await connect(self._url)
        try:
            yield connection
        finally:
            # No farewell: a server that is gone would be waited for.
            connection.terminate()

    def _heard(self, _connection: object, _pid: int, channel: str, about: str) -> None:
        self._notices.tell(Notice(Topic(channel), about))

    def _note(self, reason: str | None) -> None:
        is_down = reason is not None
        self._tried.set()
        if is_down is self._is_down:
            return
        self._is_down = is_down
        metrics.notices_down.set(is_down)
        self._notices.turn(is_up=not is_down)
        if is_down:
            _log.warning("notices are not heard; this process looks more often", reason=reason)
        else:
            _log.info("notices are heard")


class _Proof:
    """What a connection says to itself, over a channel that is its own."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._channel = f"{_PROOF}{uuid.uuid4().hex}"
        self._heard = asyncio.Event()

    async def begin(self) -> None:
        await self._connection.add_listener(self._channel, lambda *_: self._heard.set())

    async def hear(self) -> None:
        """Say something and hear it.

        Raises:
            Deaf: when it is not heard in time.
        """
        self._heard.clear()
        await self._connection.execute(f"NOTIFY {self._channel}", timeout=HEARD_WITHIN)
        if not await _within(HEARD_WITHIN, self._heard):
            raise Deaf


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Return whether something happens within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
