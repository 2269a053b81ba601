"""Queries that look rows up for each of a few others, whatever a database thinks of it."""

from typing import Any

from sqlalchemy import FromClause, Join, Select, Table, select, true
from sqlalchemy.ext.compiler import compiles

_EVER = 2**62


class Lookup(Join):
    """Some rows, and for each of them those of a table that the query's conditions name by it.

    Only SQLite knows it, which keeps the order of what stands around its CROSS JOIN.
    """

    inherit_cache = True


def looked_up(dialect: str, rows: FromClause, found: Select[Any], table: Table) -> Select[Any]:
    """Return what a query finds in a table for each of some rows, which its conditions name.

    Left to themselves, databases may walk through all that a user has instead: they expect few rows
    of one user, SQLite from version 3.46 on fewer than there are of those it has just made.
    """
    if dialect != "postgresql":
        return found.select_from(Lookup(rows, table, true()))
    # The limit has PostgreSQL ask for each row by itself.
    each = found.limit(_EVER).lateral("each")
    return select(*each.c).select_from(rows.join(each, true()))


@compiles(Lookup, "sqlite")
def _in_order(join: Lookup, compiler: Any, **told: Any) -> str:  # noqa: ANN401
    told["asfrom"] = True
    left, right = (compiler.process(side, **told) for side in (join.left, join.right))
    return f"{left} CROSS JOIN {right}"
