"""What the processes share: numbers, keys, leases, and the work that they hand to each other."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from coffers.store.tables.schema import metadata, partial

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

vault_keys = Table(
    "vault_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    # A known text sealed under the key: tells at start whether the key at hand is the right one.
    Column("blob", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    # The piece of work that only one of the workers does.
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)

errands = Table(
    "errands",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    # What is asked, sealed: it may hold the key of an account that is to be connected.
    Column("key_id", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("taken_by", Text),
    Column("taken_until", BigInteger),
    # What came of it, as JSON; NULL until then.
    Column("outcome", Text),
    PrimaryKeyConstraint("user_id", "id"),
    Index("ix_errands_expires_at", "expires_at"),
    partial("ix_errands_open", "created_at", "id", where="outcome IS NULL"),
)

QUEUE_TABLES = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")
"""The tables of the queue that workers share on PostgreSQL; PgQueuer's own, which only it knows."""
