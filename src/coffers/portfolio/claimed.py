"""An account's key for oneself: nobody reads the account or trades in it meanwhile."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coffers.clock import MINUTE, Clock, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import NotFound
from coffers.store.engine import Store

CLAIM = Millis(2 * MINUTE)
"""How long an account stays claimed by a process that died."""

LONGEST_WAIT = 60.0
"""Seconds for which whoever has the key at the moment is waited for."""

LOOK_AGAIN = 0.2
"""Seconds between two looks whether it is free."""


@asynccontextmanager
async def claimed(
    store: Store, clock: Clock, owner: tuple[int, int], holder: str | None = None
) -> AsyncIterator[None]:
    """Hold an account, given by its user's id and its own, to the end of a block.

    Raises:
        NotFound: when there is no such account.
        ConnectorFailure: when somebody else holds it for longer than is waited for.
    """
    own = uuid.uuid4().hex if holder is None else holder
    await _claim(store, clock, owner, own)
    try:
        yield
    finally:
        async with store.transaction() as tx:
            await tx.accounts.release(*owner, own)


async def _claim(store: Store, clock: Clock, owner: tuple[int, int], holder: str) -> None:
    # Counted in looks: the clock may be one that stands still.
    for _ in range(round(LONGEST_WAIT / LOOK_AGAIN)):
        now = clock.now()
        async with store.transaction() as tx:
            if await tx.accounts.get(*owner) is None:
                raise NotFound(f"there is no account {owner[1]}")
            if await tx.accounts.claim(*owner, holder, now=now, until=Millis(now + CLAIM)):
                return
        await asyncio.sleep(LOOK_AGAIN)
    raise ConnectorFailure(
        FailureKind.UNREACHABLE,
        "The account is being read or traded in at the moment; try again in a while.",
        code="busy",
    )
