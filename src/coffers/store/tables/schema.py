"""What the tables are declared with: the schema, partial indexes, the key of an account."""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    func,
    literal_column,
    text,
)

MOST_TRIES: Final = 20
"""After so many vain looks for what a flow or a trade was worth, it is not looked for again."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def partial(name: str, *columns: str, where: str, in_sqlite: str | None = None) -> Index:
    """Return an index of the rows that meet a condition, which queries must repeat to use it."""
    others = text(where if in_sqlite is None else in_sqlite)
    return Index(name, *columns, postgresql_where=text(where), sqlite_where=others)


def of_account() -> ForeignKeyConstraint:
    """Return the foreign key of what belongs to an account and is removed with it."""
    return ForeignKeyConstraint(
        ["user_id", "account_id"], ["accounts.user_id", "accounts.id"], ondelete="CASCADE"
    )


def lacks_worth(table: Table) -> ColumnElement[bool]:
    """Return the condition of rows whose worth is still looked for."""
    most: ColumnElement[int] = literal_column(str(MOST_TRIES))
    return table.c.btc.is_(None) & (table.c.value_tries < most)


def worth_due(table: Table) -> ColumnElement[Any]:
    """Return when the worth of a row is to be looked for: 0 where it never was."""
    return func.coalesce(table.c.value_at, literal_column("0"))


def index_of_worthless(table: Table) -> None:
    """Index the rows whose worth is still looked for, by when it is, of each account.

    The numbers in it are part of statements: as parameters they would keep databases from using it.
    """
    Index(
        f"ix_{table.name}_unvalued",
        table.c.user_id,
        table.c.account_id,
        worth_due(table),
        table.c.at.desc(),
        postgresql_where=lacks_worth(table),
        sqlite_where=lacks_worth(table),
    )
