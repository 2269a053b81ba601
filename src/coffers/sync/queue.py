"""The queue that hands due accounts to readings: PgQueuer, embedded in the process.

The queue only distributes work. What is due stands in the database (`next_sync_at`), so a lost
queue costs nothing: the accounts are put in again at the next look.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol

from pgqueuer import PgQueuer
from pgqueuer.models import Job

AccountKey = tuple[int, int]
"""(user id, account id)."""

Handle = Callable[[int, int], Awaitable[None]]
"""Reads one account; an exception of it ends the worker, so it raises none that it expects."""

_ENTRYPOINT = "read_account"


class SyncQueue(Protocol):
    """Distributes accounts to readings; an account that waits or runs is not taken in again."""

    async def put(self, accounts: Sequence[AccountKey]) -> None:
        """Take in accounts that are due."""
        ...

    async def run(self, handle: Handle, concurrency: int) -> None:
        """Hand accounts out, so many at a time, until stopped; running ones are waited for."""
        ...

    def stop(self) -> None:
        """Let `run` come to its end."""
        ...


class EmbeddedQueue:
    """PgQueuer's in-memory adapter: for one worker process, and forgotten with it."""

    def __init__(self) -> None:
        self._queuer = PgQueuer.in_memory()

    async def put(self, accounts: Sequence[AccountKey]) -> None:
        """Take in accounts that are due."""
        if not accounts:
            return
        names = [f"{user_id}:{account_id}" for user_id, account_id in accounts]
        await self._queuer.qm.queries.enqueue(
            [_ENTRYPOINT] * len(names),
            [name.encode() for name in names],
            [0] * len(names),
            dedupe_key=list(names),
            on_conflict="skip",
        )

    async def run(self, handle: Handle, concurrency: int) -> None:
        """Hand accounts out, so many at a time, until stopped; running ones are waited for."""

        async def read_account(job: Job) -> None:
            user_id, _, account_id = (job.payload or b"").decode().partition(":")
            await handle(int(user_id), int(account_id))

        self._queuer.entrypoint(_ENTRYPOINT, concurrency_limit=concurrency)(read_account)
        await self._queuer.qm.run(dequeue_timeout=timedelta(seconds=1), batch_size=concurrency)

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._queuer.qm.shutdown.set()
