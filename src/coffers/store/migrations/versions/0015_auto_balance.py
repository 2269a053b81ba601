"""Portfolios of target shares, and how far the rebalancing of accounts has come."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

# As in the first migration, which may not be imported: it must stay as it was.
exact = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "portfolios",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tolerance", exact, nullable=False),
        sa.Column("sells_others", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_portfolios"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_portfolios_users"),
    )
    op.create_table(
        "portfolio_targets",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("portfolio_id", sa.Integer, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("share", exact, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "portfolio_id", "asset", name="pk_portfolio_targets"),
        sa.ForeignKeyConstraint(
            ["user_id", "portfolio_id"],
            ["portfolios.user_id", "portfolios.id"],
            name="fk_portfolio_targets_portfolios",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "auto_balances",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("prices", sa.Text, nullable=False),
        sa.Column("planned_at", sa.BigInteger),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_until", sa.BigInteger),
        sa.PrimaryKeyConstraint("user_id", "account_id", name="pk_auto_balances"),
        sa.ForeignKeyConstraint(
            ["user_id", "account_id"],
            ["accounts.user_id", "accounts.id"],
            name="fk_auto_balances_accounts",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_auto_balances_next_at", "auto_balances", ["next_at"])


def downgrade() -> None:
    op.drop_table("auto_balances")
    op.drop_table("portfolio_targets")
    op.drop_table("portfolios")
