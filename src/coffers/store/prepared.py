"""Statements that are built and compiled once, for what every reading of an account asks.

To build a statement anew, to find its compiled form and to wrap its result takes some 150 us, ten
times what SQLite needs to answer it. On PostgreSQL a statement goes the library's usual way.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Dialect, Select, UpdateBase
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Values = Mapping[str, Any]
"""The parameters of a statement, by name."""

_Statement = Select[Any] | CompoundSelect[Any] | UpdateBase
_Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Native:
    """A statement as SQLite's own driver takes it, and how its rows are read.

    A parameter is its name, the value that the statement itself gives it, and its conversion.
    """

    sql: str
    parameters: tuple[tuple[str, Any, _Convert | None], ...]
    columns: Callable[[Iterable[Any]], Any]
    converts: tuple[tuple[int, _Convert], ...]

    def run(self, connection: sqlite3.Connection, values: Values) -> sqlite3.Cursor:
        """Run the statement.

        Raises:
            IntegrityError: when the tables do not allow what it writes; the library's own, as for
                statements that go through it.
        """
        arguments = [
            convert(values.get(name, fixed)) if convert else values.get(name, fixed)
            for name, fixed, convert in self.parameters
        ]
        try:
            return connection.execute(self.sql, arguments)
        except sqlite3.IntegrityError as error:
            raise IntegrityError(self.sql, None, error) from error

    def rows(self, found: Iterable[Sequence[Any]]) -> list[Any]:
        """Return rows that have their columns by name and by place."""
        return [self.columns(self._converted(row) if self.converts else row) for row in found]

    def _converted(self, row: Sequence[Any]) -> list[Any]:
        converted = list(row)
        for place, convert in self.converts:
            converted[place] = convert(converted[place])
        return converted


class Prepared:
    """A statement with named parameters, the same for every run."""

    def __init__(self, statement: _Statement) -> None:
        self.statement = statement
        self._native: Native | None = None

    def native(self, dialect: Dialect) -> Native:
        """Return the statement as SQLite's own driver takes it."""
        if self._native is None:
            self._native = _native(self.statement, dialect)
        return self._native


def _native(statement: _Statement, dialect: Dialect) -> Native:
    compiled = statement.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("no statement")
    columns = list(statement.exported_columns)
    kinds = [column.type.dialect_impl(dialect) for column in columns]
    converts = [kind.result_processor(dialect, None) for kind in kinds]
    row: Any = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc]  # noqa: PYI024  # names are known here only
    return Native(
        compiled.string,
        tuple(
            (name, compiled.params[name], _binder(compiled.binds[name].type, dialect))
            for name in compiled.positiontup or ()
        ),
        row._make,
        tuple((place, convert) for place, convert in enumerate(converts) if convert),
    )


def _binder(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)
