"""Accounts' own trades, and how far back they are known."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from coffers.store.exact import Exact
from coffers.store.tables.schema import index_of_worthless, metadata, of_account, partial

trades = Table(
    "trades",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    # Some venues number the trades of each symbol apart.
    Column("symbol", Text, nullable=False),
    Column("trade_id", Text, nullable=False),
    Column("order_id", Text),
    Column("kind", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("price", Exact, nullable=False),
    Column("amount", Exact, nullable=False),
    # What changed hands; of a contract its notional.
    Column("cost", Exact, nullable=False),
    Column("cost_asset", Text, nullable=False),
    Column("fee", Exact),
    Column("fee_asset", Text),
    Column("at", BigInteger, nullable=False),
    Column("btc", Exact),
    Column("usd", Exact),
    Column("value_tries", Integer, nullable=False, server_default="0"),
    Column("value_at", BigInteger),
    PrimaryKeyConstraint("user_id", "account_id", "symbol", "trade_id"),
    of_account(),
    Index("ix_trades_user_id_account_id_at", "user_id", "account_id", "at"),
)
index_of_worthless(trades)

trade_histories = Table(
    "trade_histories",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    # Where the walk stands, in the connector's own words.
    Column("cursor", Text),
    # All from `known_since` to `known_until` was asked; NULL before that is so of any moment.
    Column("known_since", BigInteger),
    Column("known_until", BigInteger),
    Column("is_complete", Boolean, nullable=False),
    Column("has_gaps", Boolean, nullable=False),
    Column("is_untold", Boolean, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failure_message", Text),
    Column("look_at", BigInteger, nullable=False),
    # NULL where there is nothing left to do.
    Column("next_at", BigInteger),
    PrimaryKeyConstraint("user_id", "account_id"),
    of_account(),
    partial("ix_trade_histories_next_at", "next_at", "account_id", where="next_at IS NOT NULL"),
)
