"""Indexes, so that no look walks through a long past.

They are of flows by their transaction, of flows and trades without a worth, and of all users'
events by their moment.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_HAS_TRANSACTION = sa.text("txid IS NOT NULL")
_LACKS_WORTH = sa.text("btc IS NULL AND value_tries < 20")
_DUE = sa.text("coalesce(value_at, 0)")


def upgrade() -> None:
    op.create_index(
        "ix_flows_transaction",
        "flows",
        ["user_id", sa.text("lower(substr(txid, 1, 32))")],
        postgresql_where=_HAS_TRANSACTION,
        sqlite_where=_HAS_TRANSACTION,
    )
    for table in ("flows", "trades"):
        op.create_index(
            f"ix_{table}_unvalued",
            table,
            ["user_id", "account_id", _DUE, sa.text("at DESC")],
            postgresql_where=_LACKS_WORTH,
            sqlite_where=_LACKS_WORTH,
        )
    op.create_index("ix_audit_events_at", "audit_events", ["at"])


def downgrade() -> None:
    op.drop_index("ix_audit_events_at", "audit_events")
    for table in ("trades", "flows"):
        op.drop_index(f"ix_{table}_unvalued", table)
    op.drop_index("ix_flows_transaction", "flows")
