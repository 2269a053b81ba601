"""When tokens were used last: kept in memory, and written to the database once a minute.

A write with every call would cost more than the call. A process that is killed forgets a minute.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from coffers.clock import Millis
from coffers.logs import seldom
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from coffers.store.records import Token
from coffers.store.users import LastUse

_EVERY: Final = 60
"""Seconds from one writing to the next."""

_log = seldom("coffers.access")


class Uses:
    """The last use of each token that called this process since they were last written."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[Token, str, Millis]] = {}

    def note(self, token: Token, address: str, now: Millis) -> None:
        """Note that a token was used."""
        # With every request, so that what is written is made of it later.
        self._last[token.id] = token, address, now

    async def write(self, store: Store) -> None:
        """Write what was noted; where the database is away, the next writing has it."""
        noted, self._last = self._last, {}
        if not noted:
            return
        try:
            async with store.transaction() as tx:
                await tx.tokens.note_uses(
                    [
                        LastUse(token.user_id, token.id, at, address)
                        for token, address, at in noted.values()
                    ]
                )
        except StoreUnavailable as error:
            self._last = {**noted, **self._last}
            _log.warning("uses of tokens not written", reason=str(error))

    @asynccontextmanager
    async def kept(self, store: Store) -> AsyncIterator[None]:
        """Write what is noted now and then, and at the end."""
        writing = asyncio.create_task(self._write_often(store))
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self.write(store)

    async def _write_often(self, store: Store) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            await self.write(store)
