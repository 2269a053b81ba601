"""What the last snapshot of an account counted of unlisted tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# As in the first migration, which may not be imported: it must stay as it was.
exact = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "unlisted_counts",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("amount", exact, nullable=False),
        sa.Column("btc", exact, nullable=False),
        sa.Column("usd", exact, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "account_id", "asset", name="pk_unlisted_counts"),
        sa.ForeignKeyConstraint(
            ["user_id", "account_id"],
            ["accounts.user_id", "accounts.id"],
            name="fk_unlisted_counts_accounts",
            ondelete="CASCADE",
        ),
    )
