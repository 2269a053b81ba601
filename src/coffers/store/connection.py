"""What queries need of a connection, whichever database it leads to."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, Dialect, Executable, ScalarResult

from coffers.store.prepared import Prepared, Values

T = TypeVar("T")
Rows = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""The parameters of one row, or of several."""


class AsyncConnection(Protocol):
    """A connection within a transaction."""

    @property
    def dialect(self) -> Dialect:
        """The database's dialect."""
        ...

    async def execute(
        self, statement: Executable, parameters: Rows | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement, once for each row of parameters where there are some."""
        ...

    async def scalar(self, statement: Executable) -> Any:  # noqa: ANN401 - whatever the column holds
        """Run a statement and return the first column of its first row, None without one."""
        ...

    async def scalars(self, statement: Executable) -> ScalarResult[Any]:
        """Run a statement and return the first column of its rows."""
        ...

    async def rows(self, prepared: Prepared, values: Values) -> Sequence[Any]:
        """Run a prepared statement and return its rows, with their columns by name and place."""
        ...

    async def changed(self, prepared: Prepared, values: Values) -> int:
        """Run a prepared statement and return how many rows it changed."""
        ...

    async def run_sync(self, work: Callable[[Connection], T]) -> T:
        """Do a piece of work with the plain connection."""
        ...


class Database(Protocol):
    """One of the databases that the store can be kept in."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    def connection(
        self, *, is_reading: bool, may_be_lost: bool = False, is_shared: bool = False
    ) -> AbstractAsyncContextManager[AsyncConnection]:
        """Run a block in a transaction: kept at its end, undone when it raises.

        With `may_be_lost` a power cut may undo it afterwards; with `is_shared` it may be committed
        together with others.
        """
        ...

    async def close(self) -> None:
        """Give back every connection."""
        ...
