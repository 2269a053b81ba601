"""An index of the accounts that could not be read, so that they are counted without the others."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_index(
        "ix_accounts_failing",
        "accounts",
        ["market_code"],
        postgresql_where=sa.text("failures > 0 AND NOT is_locked"),
        sqlite_where=sa.text("failures > 0 AND is_locked = 0"),
    )


def downgrade() -> None:
    op.drop_index("ix_accounts_failing", "accounts")
