"""Which account a venue answers for, to notice an answer that is another account's."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # What is there tells at its next reading; the release before writes and reads without it.
    op.add_column("accounts", sa.Column("venue_identity", sa.Text))
