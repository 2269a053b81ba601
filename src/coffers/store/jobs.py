"""The queue that workers share on PostgreSQL: PgQueuer's tables, by way of the store's connections.

Each of its statements is a transaction of its own and none needs a session, so that the queue takes
no connection beside the store's, gets over one that is lost, and works behind a pooler.
"""

import asyncio
from typing import Any, Self

from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.ports.driver import Driver, NotifyCallback
from pgqueuer.queries import Queries
from sqlalchemy import Connection

from coffers.store.engine import Store

# Every name is given, since those that are not are read of the environment: of FUNCTION, say.
NAMES = DBSettings(
    prefix="",
    db_schema=None,
    channel="ch_pgqueuer",
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.volatile,
)
"""What the migration named things."""


def shared_jobs(store: Store) -> Queries:
    """Return the queue in a PostgreSQL database."""
    return Queries(
        _StoreDriver(store),
        QueryBuilderEnvironment(NAMES),
        QueryQueueBuilder(NAMES),
        QuerySchedulerBuilder(NAMES),
    )


class _StoreDriver(Driver):
    """Runs PgQueuer's statements in transactions of the store's.

    Raises:
        StoreUnavailable: from each, when the database cannot be reached or written.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._shutdown = asyncio.Event()
        self._tm = TaskManager()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        def rows(connection: Connection) -> list[dict[str, Any]]:
            found = connection.exec_driver_sql(query, args or None)
            return [dict(row) for row in found.mappings()]

        async with self._store.connection() as connection:
            return await connection.run_sync(rows)

    async def execute(self, query: str, *args: object) -> str:
        async with self._store.connection() as connection:
            await connection.run_sync(lambda plain: plain.exec_driver_sql(query, args or None))
        return ""

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Do nothing: the queue does not notify, and is looked at again and again."""

    async def notify(self, channel: str, payload: str) -> None:
        """Do nothing: nobody listens."""

    @property
    def shutdown(self) -> asyncio.Event:
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        return self._tm

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return
