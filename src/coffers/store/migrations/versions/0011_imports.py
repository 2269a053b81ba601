"""What was taken over from another service: which accounts, and their values before ours."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

exact = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_id", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("history_until", sa.BigInteger),
        sa.Column("is_complete", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "source", "source_id", name="pk_imports"),
        sa.UniqueConstraint("user_id", "account_id", name="uq_imports_user_id_account_id"),
        _of_account("fk_imports_accounts"),
    )
    op.create_table(
        "imported_values",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("btc", exact, nullable=False),
        sa.Column("usd", exact, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "account_id", "at", name="pk_imported_values"),
        _of_account("fk_imported_values_accounts"),
    )


def downgrade() -> None:
    op.drop_table("imported_values")
    op.drop_table("imports")


def _of_account(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id", "account_id"],
        ["accounts.user_id", "accounts.id"],
        name=name,
        ondelete="CASCADE",
    )
