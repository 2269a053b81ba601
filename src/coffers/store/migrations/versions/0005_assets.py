"""Assets by name, what users say of them, and prices that were accepted by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# As in the first migration, which may not be imported: it must stay as it was.
exact = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "assets",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("kind", sa.Text),
        sa.Column("coingecko_id", sa.Text),
        sa.Column("chain", sa.Text),
        sa.Column("contract", sa.Text),
        sa.Column("first_seen_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("code", name="pk_assets"),
    )
    _create_choices()
    op.create_table(
        "accepted_prices",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("usd", exact, nullable=False),
        sa.Column("btc", exact, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "asset", name="pk_accepted_prices"),
    )


def _create_choices() -> None:
    op.create_table(
        "asset_overrides",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("symbol", sa.Text),
        sa.Column("priced_as", sa.Text),
        sa.Column("is_ignored", sa.Boolean, nullable=False),
        sa.Column("by_symbol", sa.Boolean, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "asset", name="pk_asset_overrides"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_asset_overrides_users"),
    )
    op.create_table(
        "asset_mappings",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("market_code", sa.Text, nullable=False),
        sa.Column("venue_code", sa.Text, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "market_code", "venue_code", name="pk_asset_mappings"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_asset_mappings_users"),
    )
