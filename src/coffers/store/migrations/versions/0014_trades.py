"""A user's own trades, and how far back they are known."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

# As in the first migration, which may not be imported: it must stay as it was.
exact = sa.Text().with_variant(sa.Numeric(), "postgresql")

# Accounts that were read before begin at once; where there is no venue, the first step says so.
_BEGIN = """
    INSERT INTO trade_histories (
        user_id, account_id, is_complete, has_gaps, is_untold, steps, failures, look_at, next_at
    )
    SELECT user_id, id, false, false, false, 0, 0, read_at, read_at
    FROM accounts
    WHERE read_at IS NOT NULL AND mode = 'real' AND address IS NULL
"""


def upgrade() -> None:
    op.create_table(
        "trades",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("trade_id", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("quote", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("price", exact, nullable=False),
        sa.Column("amount", exact, nullable=False),
        sa.Column("cost", exact, nullable=False),
        sa.Column("cost_asset", sa.Text, nullable=False),
        sa.Column("fee", exact),
        sa.Column("fee_asset", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("btc", exact),
        sa.Column("usd", exact),
        sa.Column("value_tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("value_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("user_id", "account_id", "symbol", "trade_id", name="pk_trades"),
        _of_account("trades"),
    )
    op.create_index("ix_trades_user_id_account_id_at", "trades", ["user_id", "account_id", "at"])
    op.create_table(
        "trade_histories",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("cursor", sa.Text),
        sa.Column("known_since", sa.BigInteger),
        sa.Column("known_until", sa.BigInteger),
        sa.Column("is_complete", sa.Boolean, nullable=False),
        sa.Column("has_gaps", sa.Boolean, nullable=False),
        sa.Column("is_untold", sa.Boolean, nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failure_message", sa.Text),
        sa.Column("look_at", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("user_id", "account_id", name="pk_trade_histories"),
        _of_account("trade_histories"),
    )
    op.create_index("ix_trade_histories_next_at", "trade_histories", ["next_at"])
    op.execute(_BEGIN)


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id", "account_id"],
        ["accounts.user_id", "accounts.id"],
        name=f"fk_{table}_accounts",
        ondelete="CASCADE",
    )
