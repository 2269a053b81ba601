"""Names and last uses of tokens, and how each user reads numbers and moments."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("api_tokens", sa.Column("name", sa.Text, nullable=False, server_default=""))
    op.add_column("api_tokens", sa.Column("used_at", sa.BigInteger))
    op.add_column("api_tokens", sa.Column("used_from", sa.Text))
    op.add_column("users", sa.Column("written_as", sa.Text, nullable=False, server_default=""))
    op.add_column("users", sa.Column("time_zone", sa.Text, nullable=False, server_default="UTC"))


def downgrade() -> None:
    for name in ("time_zone", "written_as"):
        op.drop_column("users", name)
    for name in ("used_from", "used_at", "name"):
        op.drop_column("api_tokens", name)
