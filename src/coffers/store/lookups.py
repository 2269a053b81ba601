"""Joins in which the database looks rows up for each of a few others."""

from typing import Any

from sqlalchemy import FromClause, Join, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class Lookup(Join):
    """Some rows, and for each of them those of a table that conditions of the query name by it.

    SQLite keeps this order, for which its CROSS JOIN is the word. Left to itself, it may walk
    through all that a user has instead: it expects few rows behind an index it knows nothing of,
    and from version 3.46 on fewer than the rows it has just made.
    """

    inherit_cache = True


def looked_up(rows: FromClause, table: FromClause) -> Lookup:
    """Join a table to rows that are read first; the query's conditions say what belongs to each."""
    return Lookup(rows, table, true())


@compiles(Lookup)
def _as_any_join(join: Lookup, compiler: SQLCompiler, **told: Any) -> str:  # noqa: ANN401
    written: str = compiler.visit_join(join, **told)  # type: ignore[no-untyped-call]
    return written


@compiles(Lookup, "sqlite")
def _in_order(join: Lookup, compiler: SQLCompiler, **told: Any) -> str:  # noqa: ANN401
    told["asfrom"] = True
    left, right = (compiler.process(side, **told) for side in (join.left, join.right))
    return f"{left} CROSS JOIN {right}"
