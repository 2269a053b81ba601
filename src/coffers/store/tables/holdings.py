"""What accounts hold, and what of it has no price."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, PrimaryKeyConstraint, Table, Text

from coffers.store.exact import Exact
from coffers.store.tables.schema import metadata, of_account, partial

positions = Table(
    "positions",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("wallet", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("venue_code", Text, nullable=False),
    Column("free", Exact, nullable=False),
    Column("in_orders", Exact, nullable=False),
    Column("borrowed", Exact, nullable=False),
    Column("interest", Exact, nullable=False),
    Column("unrealised", Exact, nullable=False, server_default="0"),
    PrimaryKeyConstraint("user_id", "account_id", "wallet", "asset", "venue_code"),
    of_account(),
    partial("ix_positions_asset", "asset", where="wallet <> 'spam'"),
)

contracts = Table(
    "contracts",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("wallet", Text, nullable=False),
    # The place in the venue's list: no other value tells two positions apart at every venue.
    Column("place", Integer, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("venue_code", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("size", Exact, nullable=False),
    Column("unit", Text),
    Column("settled_in", Text),
    Column("leverage", Exact),
    Column("entry_price", Exact),
    Column("mark_price", Exact),
    Column("unrealised", Exact),
    Column("margin_mode", Text),
    PrimaryKeyConstraint("user_id", "account_id", "wallet", "place"),
    of_account(),
)

unlisted_counts = Table(
    "unlisted_counts",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("asset", Text, nullable=False),
    # What the last snapshot counted of an unlisted token, and the prices that it did so at.
    Column("amount", Exact, nullable=False),
    Column("btc", Exact, nullable=False),
    Column("usd", Exact, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id", "asset"),
    of_account(),
)

unpriced_assets = Table(
    "unpriced_assets",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("asset", Text, nullable=False),
    # The first reading that found no price, and the snapshot before it.
    Column("since", BigInteger, nullable=False),
    Column("counted_at", BigInteger, nullable=False),
    Column("is_left_out", Boolean, nullable=False),
    # What that snapshot counted, and the prices of a unit then. Once it is left out: what is to be
    # put in when there is a price, and the prices that it left with. NULL where it never had any.
    Column("amount", Exact, nullable=False),
    Column("btc", Exact),
    Column("usd", Exact),
    PrimaryKeyConstraint("user_id", "account_id", "asset"),
    of_account(),
)
