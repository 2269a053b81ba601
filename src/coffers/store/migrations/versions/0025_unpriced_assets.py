"""Assets that are held and have no price, and flows that no figure counts because of that."""

import sqlalchemy as sa
from alembic import op

from coffers.store.exact import Exact

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "unpriced_assets",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("counted_at", sa.BigInteger, nullable=False),
        sa.Column("is_left_out", sa.Boolean, nullable=False),
        sa.Column("amount", Exact, nullable=False),
        sa.Column("btc", Exact),
        sa.Column("usd", Exact),
        sa.PrimaryKeyConstraint("user_id", "account_id", "asset", name="pk_unpriced_assets"),
        sa.ForeignKeyConstraint(
            ["user_id", "account_id"],
            ["accounts.user_id", "accounts.id"],
            name="fk_unpriced_assets_accounts",
            ondelete="CASCADE",
        ),
    )
    lacks = sa.Column("lacks_prices", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("accounts", lacks)
    op.add_column("flows", sa.Column("role", sa.SmallInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("flows", "role")
    op.drop_column("accounts", "lacks_prices")
    op.drop_table("unpriced_assets")
