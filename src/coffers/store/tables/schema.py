"""What the tables are declared with: the schema, partial indexes, the key of an account."""

from sqlalchemy import ForeignKeyConstraint, Index, MetaData, text

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
