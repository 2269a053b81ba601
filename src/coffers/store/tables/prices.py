"""Price books, rates, assets, and what users say of them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from coffers.store.exact import Exact
from coffers.store.tables.schema import metadata, partial

price_books = Table(
    "price_books",
    metadata,
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)

rates = Table(
    "rates",
    metadata,
    Column("currency", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("usd", Exact, nullable=False),
    PrimaryKeyConstraint("currency", "at"),
    Index("ix_rates_at", "at"),
)

assets = Table(
    "assets",
    metadata,
    # The symbol, or chain:contract of a token.
    Column("code", Text, primary_key=True),
    Column("name", Text),
    Column("kind", Text),
    Column("coingecko_id", Text),
    Column("chain", Text),
    Column("contract", Text),
    Column("first_seen_at", BigInteger),
)

asset_overrides = Table(
    "asset_overrides",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("asset", Text, nullable=False),
    Column("name", Text),
    Column("symbol", Text),
    Column("priced_as", Text),
    Column("is_ignored", Boolean, nullable=False),
    Column("by_symbol", Boolean, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "asset"),
    partial("ix_asset_overrides_priced_as", "priced_as", where="priced_as IS NOT NULL"),
)

asset_mappings = Table(
    "asset_mappings",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("market_code", Text, nullable=False),
    Column("venue_code", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "market_code", "venue_code"),
    Index("ix_asset_mappings_asset", "asset"),
)

accepted_prices = Table(
    "accepted_prices",
    metadata,
    # 0 for the operator, whose word counts for everybody.
    Column("user_id", Integer, nullable=False),
    Column("asset", Text, nullable=False),
    Column("usd", Exact, nullable=False),
    Column("btc", Exact, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "asset"),
)
