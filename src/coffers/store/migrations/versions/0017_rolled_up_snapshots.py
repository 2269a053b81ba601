"""Snapshots know how far they are rolled up; PostgreSQL keeps each of the three tiers apart.

All that was there is of the first tier afterwards, and a worker rolls it up bit by bit.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

# As in the first migration, which may not be imported: it must stay as it was.
exact = sa.Text().with_variant(sa.Numeric(), "postgresql")

_DAY = 86_400_000
_COLUMNS = "user_id, account_id, at, btc, usd"
_TIERS = ("fine", "hourly", "daily")
_TIER = sa.Column("tier", sa.SmallInteger, nullable=False, server_default="0")


def upgrade() -> None:
    _set_aside()
    _create(_TIER, key=("at", "tier"), partition_by="LIST (tier)")
    if op.get_bind().dialect.name == "postgresql":
        for tier, name in enumerate(_TIERS):
            part = f"CREATE TABLE snapshots_{name} PARTITION OF snapshots"
            op.execute(f"{part} FOR VALUES IN ({tier})")
    _take_back()
    op.create_table(
        "snapshot_rollups",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("done_to", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("after_user", sa.Integer, nullable=False),
        sa.Column("after_account", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_snapshot_rollups"),
    )
    # What is there is rolled up span by span. Without a row there is nothing yet.
    for name in _TIERS:
        op.execute(
            "INSERT INTO snapshot_rollups (name, done_to, after_user, after_account) "  # noqa: S608 - our own numbers
            f"SELECT '{name}', (first - 1) / {_DAY} * {_DAY}, 0, 0 "
            "FROM (SELECT min(at) AS first FROM snapshots) AS found WHERE first IS NOT NULL"
        )


def downgrade() -> None:
    op.drop_table("snapshot_rollups")
    _set_aside()
    _create(key=("at",))
    _take_back()


def _set_aside() -> None:
    op.rename_table("snapshots", "snapshots_before")
    if op.get_bind().dialect.name == "postgresql":
        # The index behind a key has a name that no other table's may have.
        op.execute("ALTER TABLE snapshots_before DROP CONSTRAINT pk_snapshots")


def _create(
    *columns: sa.Column[int], key: tuple[str, ...], partition_by: str | None = None
) -> None:
    op.create_table(
        "snapshots",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("btc", exact, nullable=False),
        sa.Column("usd", exact, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("user_id", "account_id", *key, name="pk_snapshots"),
        sa.ForeignKeyConstraint(
            ["user_id", "account_id"],
            ["accounts.user_id", "accounts.id"],
            name="fk_snapshots_accounts",
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
        postgresql_partition_by=partition_by,
    )


def _take_back() -> None:
    copied = f"INSERT INTO snapshots ({_COLUMNS}) SELECT {_COLUMNS} FROM snapshots_before"  # noqa: S608 - our own names
    op.execute(f"{copied} WHERE true ON CONFLICT DO NOTHING")
    op.drop_table("snapshots_before")
