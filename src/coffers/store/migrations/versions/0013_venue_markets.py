"""What venues list: pairs, currencies, rates, and who finds them out anew."""

import sqlalchemy as sa
from alembic import op

from coffers.store.exact import Exact

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "venue_tasks",
        sa.Column("venue", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("taken_by", sa.Text),
        sa.Column("taken_until", sa.BigInteger),
        sa.Column("turns", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("failed_at", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("failure_message", sa.Text),
        sa.PrimaryKeyConstraint("venue", "subject", name="pk_venue_tasks"),
    )
    op.create_index("ix_venue_tasks_due_at", "venue_tasks", ["due_at"])
    op.create_table(
        "venue_pairs",
        sa.Column("venue", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("venue", "kind", "name", name="pk_venue_pairs"),
    )
    op.create_table(
        "venue_currencies",
        sa.Column("venue", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("venue", "code", name="pk_venue_currencies"),
    )
    op.create_table(
        "venue_rates",
        sa.Column("venue", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("last", Exact),
        sa.Column("bid", Exact),
        sa.Column("ask", Exact),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("venue", "symbol", name="pk_venue_rates"),
    )
