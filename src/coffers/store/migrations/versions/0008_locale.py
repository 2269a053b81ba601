"""The language that a user reads errors in."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text, nullable=False, server_default="en"))
