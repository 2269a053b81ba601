"""Old deposits and withdrawals: how far back they are known, and which are one own transfer."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# Accounts that were read before walk back from there. Their readings looked two weeks further.
_BEGIN = """
    INSERT INTO flow_histories (
        user_id, account_id, began_at, known_since, is_complete, has_gaps, steps, failures, next_at
    )
    SELECT user_id, id, began_at, began_at, false, false, 0, 0, began_at
    FROM (
        SELECT a.user_id, a.id, coalesce(min(s.at), a.created_at) - 1209600000 AS began_at
        FROM accounts a
        LEFT JOIN snapshots s ON s.user_id = a.user_id AND s.account_id = a.id
        WHERE a.read_at IS NOT NULL
        GROUP BY a.user_id, a.id, a.created_at
    ) AS known
"""


def upgrade() -> None:
    # The defaults also serve processes of the release before.
    op.add_column("flows", sa.Column("txid", sa.Text))
    op.add_column("flows", sa.Column("value_tries", sa.Integer, nullable=False, server_default="0"))
    op.add_column("flows", sa.Column("value_at", sa.BigInteger))
    op.create_index("ix_flows_user_id_asset", "flows", ["user_id", "asset"])
    _create_histories()
    _create_transfers()
    op.execute(_BEGIN)


def _create_histories() -> None:
    op.create_table(
        "flow_histories",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("known_since", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger),
        sa.Column("cursor", sa.Text),
        sa.Column("is_complete", sa.Boolean, nullable=False),
        sa.Column("has_gaps", sa.Boolean, nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failure_message", sa.Text),
        sa.Column("next_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("user_id", "account_id", name="pk_flow_histories"),
        sa.ForeignKeyConstraint(
            ["user_id", "account_id"],
            ["accounts.user_id", "accounts.id"],
            name="fk_flow_histories_accounts",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_flow_histories_next_at", "flow_histories", ["next_at"])


def _create_transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("out_account_id", sa.Integer, nullable=False),
        sa.Column("out_external_id", sa.Text, nullable=False),
        sa.Column("in_account_id", sa.Integer, nullable=False),
        sa.Column("in_external_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "user_id", "out_account_id", "out_external_id", name="pk_transfers"
        ),
        sa.UniqueConstraint(
            "user_id",
            "in_account_id",
            "in_external_id",
            name="uq_transfers_user_id_in_account_id_in_external_id",
        ),
        *(
            sa.ForeignKeyConstraint(
                ["user_id", f"{end}_account_id"],
                ["accounts.user_id", "accounts.id"],
                name=f"fk_transfers_accounts_{end}",
                ondelete="CASCADE",
            )
            for end in ("out", "in")
        ),
    )
