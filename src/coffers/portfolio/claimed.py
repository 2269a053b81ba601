"""An account's key for oneself: nobody reads the account or trades in it meanwhile."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from coffers.clock import MINUTE, Clock, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import CoffersError, NotFound
from coffers.logs import seldom
from coffers.store.engine import Store, Transaction

CLAIM = Millis(2 * MINUTE)
"""How long an account stays claimed by a process that died."""

LONGEST_WAIT = 60.0
"""Seconds for which whoever has the key at the moment is waited for."""

LOOK_AGAIN = 0.2
"""Seconds between two looks whether it is free."""

RENEW_EVERY = 30.0
"""Seconds between two renewals while it is held."""

_log = seldom("coffers.claims")

AlsoThen = Callable[[Transaction], Awaitable[None]]


@asynccontextmanager
async def claimed(
    store: Store,
    clock: Clock,
    owner: tuple[int, int],
    purpose: str = "",
    also: AlsoThen | None = None,
) -> AsyncIterator[str]:
    """Hold an account, given by its user's id and its own, to the end of a block.

    What is yielded is the holder's name, which begins with the purpose and which nobody else has.
    `also` is done with each renewal, in its transaction.

    Raises:
        NotFound: when there is no such account.
        ConnectorFailure: when somebody else holds it for longer than is waited for.
    """
    holder = f"{purpose}{uuid.uuid4().hex}"
    await _claim(store, clock, owner, holder)
    renewing = asyncio.create_task(_renew(store, clock, owner, holder, also))
    try:
        yield holder
    finally:
        renewing.cancel()
        await asyncio.wait({renewing})
        async with store.transaction() as tx:
            await tx.accounts.release(*owner, holder)


async def _renew(
    store: Store, clock: Clock, owner: tuple[int, int], holder: str, also: AlsoThen | None
) -> None:
    while True:
        await asyncio.sleep(RENEW_EVERY)
        try:
            async with store.transaction() as tx:
                held = await tx.accounts.renew(*owner, holder, Millis(clock.now() + CLAIM))
                if held and also is not None:
                    await also(tx)
        except CoffersError as error:
            _log.warning("claim not renewed", account=owner[1], reason=str(error))


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
