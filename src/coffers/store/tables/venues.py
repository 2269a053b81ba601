"""What venues list, and who asks them for it: nobody's data, so without a user's id."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from coffers.store.exact import Exact
from coffers.store.tables.schema import metadata

venue_tasks = Table(
    "venue_tasks",
    metadata,
    Column("venue", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("taken_by", Text),
    Column("taken_until", BigInteger),
    # Counts up with every end, good or bad: who waits sees that something came of it.
    Column("turns", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("failed_at", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("failure", Text),
    Column("failure_message", Text),
    PrimaryKeyConstraint("venue", "subject"),
    Index("ix_venue_tasks_due_at", "due_at"),
)

venue_pairs = Table(
    "venue_pairs",
    metadata,
    Column("venue", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    # The pair with its rules, as JSON.
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("venue", "kind", "name"),
)

venue_currencies = Table(
    "venue_currencies",
    metadata,
    Column("venue", Text, nullable=False),
    Column("code", Text, nullable=False),
    # The currency with its networks, as JSON.
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("venue", "code"),
)

venue_rates = Table(
    "venue_rates",
    metadata,
    Column("venue", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("last", Exact),
    Column("bid", Exact),
    Column("ask", Exact),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("venue", "symbol"),
)
