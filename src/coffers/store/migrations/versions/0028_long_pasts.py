"""An index of flows by their transaction, so that a look for it walks through no long past."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

_HAS_TRANSACTION = sa.text("txid IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_flows_transaction",
        "flows",
        ["user_id", sa.text("lower(substr(txid, 1, 32))")],
        postgresql_where=_HAS_TRANSACTION,
        sqlite_where=_HAS_TRANSACTION,
    )


def downgrade() -> None:
    op.drop_index("ix_flows_transaction", "flows")
