"""The different values of a column, and how many rows there are, without walking through them all.

A database goes through every row for `DISTINCT` and for `count`: with a million accounts that is
seconds, for what a worker asks every minute or every second.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select

COUNTED = 10_000
"""Rows that are counted; of more no more is said than that there are so many."""


def distinct(column: ColumnElement[Any], *conditions: ColumnElement[bool]) -> Select[Any]:
    """Select each value of a column once, in order: one look-up in an index for each.

    The column must be the first of an index; `conditions` are those of the index, if it is partial.
    """
    every = select(column).where(column.is_not(None), *conditions).order_by(column).limit(1)
    found = select(every.scalar_subquery().label("value")).cte("found", recursive=True)
    following = every.where(column > found.c.value).correlate(found).scalar_subquery()
    found = found.union_all(select(following).where(found.c.value.is_not(None)))
    return select(found.c.value).where(found.c.value.is_not(None))


def counted(*conditions: ColumnElement[bool]) -> Select[int]:
    """Count the rows that keep to conditions, up to `COUNTED`; an index finds them."""
    some = select(literal_column("1")).where(*conditions).limit(COUNTED).subquery()
    return select(func.count()).select_from(some)
