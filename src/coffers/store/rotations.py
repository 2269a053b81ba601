"""Lets one rotation of the master keys run at a time, whoever starts another one, and where."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url

from coffers.errors import CoffersError
from coffers.store.errors import unavailable

_ROTATION_LOCK: Final = 0x726F74617465
"""Any number that only rotations of Coffers lock on PostgreSQL: "rotate" in ASCII."""


class RotationRuns(CoffersError):
    """Another process is moving this database's secrets to another master key."""

    def __init__(self) -> None:
        super().__init__("another rotation of the master key is at work; nothing was changed")


@asynccontextmanager
async def alone(url: str) -> AsyncIterator[None]:
    """Run a block as the only rotation of a database; the end of the process ends it as well.

    `url` names the driver, as the store's does, and leads to the server itself, not to a pooler.

    Raises:
        RotationRuns: when there is another one.
        StoreUnavailable: when the database cannot be reached.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with _alone_in_directory(Path(parsed.database or "").parent):
            yield
    else:
        async with _alone_at_server(parsed):
            yield


@contextmanager
def _alone_in_directory(directory: Path) -> Iterator[None]:
    import fcntl  # noqa: PLC0415 - a system without it has no other part that needs it

    # The directory: a file of one's own would stay behind, and SQLite loses its locks when anybody
    # in the process closes the database's.
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RotationRuns from None
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _alone_at_server(url: URL) -> AsyncIterator[None]:
    import asyncpg  # type: ignore[import-untyped]  # noqa: PLC0415 - 10 MB, if it is used

    from coffers.store.driver import connect  # noqa: PLC0415 - with the driver

    faults = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
    try:
        connection = await connect(url)
        is_free = await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ROTATION_LOCK)
    except faults as error:
        raise unavailable(error) from error
    try:
        if not is_free:
            raise RotationRuns
        yield
    finally:
        connection.terminate()
