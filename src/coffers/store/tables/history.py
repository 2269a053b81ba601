"""What accounts were worth: snapshots, and values that other programs reckoned."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from coffers.store.exact import Exact
from coffers.store.tables.schema import metadata, of_account

snapshots = Table(
    "snapshots",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("btc", Exact, nullable=False),
    Column("usd", Exact, nullable=False),
    # How far it is rolled up: 0 as it was taken, 1 hourly, 2 daily. PostgreSQL keeps each apart.
    Column("tier", SmallInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("user_id", "account_id", "at", "tier"),
    of_account(),
    postgresql_partition_by="LIST (tier)",
    # The key is most of the row: a table beside its index would hold it twice.
    sqlite_with_rowid=False,
)

SNAPSHOT_PARTITIONS = ("snapshots_fine", "snapshots_hourly", "snapshots_daily")
"""What the snapshots are kept in on PostgreSQL, by their tier."""

# How far the snapshots are rolled up, of all accounts: nobody's data, so no user's id.
snapshot_rollups = Table(
    "snapshot_rollups",
    metadata,
    Column("name", Text, primary_key=True),
    # All up to this moment is rolled up; 0 where nothing is yet.
    Column("done_to", BigInteger, nullable=False),
    # The end of the span that is being rolled up, and the last account that is done; NULL between.
    Column("until", BigInteger),
    Column("after_user", Integer, nullable=False),
    Column("after_account", Integer, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("user_id", Integer, nullable=False),
    # Where it comes from, and what the account is called there.
    Column("source", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("account_id", Integer, nullable=False),
    # Up to where its history was taken over; NULL before the first part of it.
    Column("history_until", BigInteger),
    Column("is_complete", Boolean, nullable=False),
    PrimaryKeyConstraint("user_id", "source", "source_id"),
    UniqueConstraint("user_id", "account_id"),
    of_account(),
)

# Apart from the snapshots: what another program reckoned is shown, and no profit is made of it.
imported_values = Table(
    "imported_values",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("btc", Exact, nullable=False),
    Column("usd", Exact, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id", "at"),
    of_account(),
)
