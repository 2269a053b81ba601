"""Paper accounts: what they start with, what their orders cost, and the orders themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# As in the first migration, which may not be imported: it must stay as it was.
exact = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "paper_accounts",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("fee", exact, nullable=False),
        sa.Column("start", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "account_id", name="pk_paper_accounts"),
        _of_account("paper_accounts"),
    )
    op.create_table(
        "paper_orders",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("quote", sa.Text, nullable=False),
        sa.Column("spent", exact, nullable=False),
        sa.Column("received", exact, nullable=False),
        sa.Column("fee", exact, nullable=False),
        sa.Column("price", exact, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("asked", sa.Text),
        sa.PrimaryKeyConstraint("user_id", "account_id", "id", name="pk_paper_orders"),
        sa.UniqueConstraint(
            "user_id",
            "account_id",
            "idempotency_key",
            name="uq_paper_orders_user_id_account_id_idempotency_key",
        ),
        _of_account("paper_orders"),
    )


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id", "account_id"],
        ["accounts.user_id", "accounts.id"],
        name=f"fk_{table}_accounts",
        ondelete="CASCADE",
    )
