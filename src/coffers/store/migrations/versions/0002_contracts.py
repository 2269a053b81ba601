"""Derivatives: the unrealised profit of a position, and the open contracts of an account."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# As in the first migration, which may not be imported: it must stay as it was.
exact = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    # What is there has none; the default also serves processes of the release before.
    unrealised = sa.Column("unrealised", exact, nullable=False, server_default="0")
    op.add_column("positions", unrealised)
    op.create_table(
        "contracts",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("wallet", sa.Text, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("venue_code", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("size", exact, nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("settled_in", sa.Text),
        sa.Column("leverage", exact),
        sa.Column("entry_price", exact),
        sa.Column("mark_price", exact),
        sa.Column("unrealised", exact),
        sa.Column("margin_mode", sa.Text),
        sa.PrimaryKeyConstraint("user_id", "account_id", "wallet", "place", name="pk_contracts"),
        sa.ForeignKeyConstraint(
            ["user_id", "account_id"],
            ["accounts.user_id", "accounts.id"],
            name="fk_contracts_accounts",
            ondelete="CASCADE",
        ),
    )
