"""Orders, transfers and conversions that were asked for, step by step."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

# As in the first migration, which may not be imported: it must stay as it was.
exact = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "operations",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("left", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_operations"),
        sa.UniqueConstraint(
            "user_id", "idempotency_key", name="uq_operations_user_id_idempotency_key"
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "account_id"],
            ["accounts.user_id", "accounts.id"],
            name="fk_operations_accounts",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_operations_state", "operations", ["state", "updated_at"])
    op.create_table(
        "operation_steps",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("operation_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("quote", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("amount", exact),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("filled", exact),
        sa.Column("cost", exact),
        sa.Column("fee", exact),
        sa.Column("fee_asset", sa.Text),
        sa.Column("venue_id", sa.Text),
        sa.Column("why", sa.Text),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "operation_id", "number", name="pk_operation_steps"),
        sa.ForeignKeyConstraint(
            ["user_id", "operation_id"],
            ["operations.user_id", "operations.id"],
            name="fk_operation_steps_operations",
            ondelete="CASCADE",
        ),
    )
