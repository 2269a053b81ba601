"""Deposits and withdrawals, and how far back they are known."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    literal_column,
    text,
)

from coffers.store.exact import Exact
from coffers.store.tables.schema import index_of_worthless, metadata, of_account, partial

flows = Table(
    "flows",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("direction", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("venue_code", Text, nullable=False),
    Column("amount", Exact, nullable=False),
    Column("fee", Exact, nullable=False),
    Column("fee_asset", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("btc", Exact),
    Column("usd", Exact),
    # The transaction on its chain, where the venue tells it.
    Column("txid", Text),
    # How often its worth was looked for in vain, and when it is looked for again.
    Column("value_tries", Integer, nullable=False, server_default="0"),
    Column("value_at", BigInteger),
    # 0 as venues tell it, 1 set apart: no figure counts it, 2 made here, see `unpriced_assets`.
    Column("role", SmallInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("user_id", "account_id", "direction", "external_id"),
    of_account(),
    Index("ix_flows_user_id_account_id_at", "user_id", "account_id", "at"),
    Index("ix_flows_user_id_asset", "user_id", "asset"),
)

TRANSACTION_LENGTH = 32
"""How many characters of a transaction's id an index has: chains tell theirs apart by fewer."""

transaction_start = func.lower(
    func.substr(flows.c.txid, literal_column("1"), literal_column(str(TRANSACTION_LENGTH)))
)
"""How the id of a flow's transaction begins, by which an index finds it.

The numbers are part of the statement: as parameters they would keep databases from the index.
"""

Index(
    "ix_flows_transaction",
    flows.c.user_id,
    transaction_start,
    postgresql_where=text("txid IS NOT NULL"),
    sqlite_where=text("txid IS NOT NULL"),
)
index_of_worthless(flows)

flow_histories = Table(
    "flow_histories",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    # Flows from `began_at` on are the readings' work; the walk goes back from there.
    Column("began_at", BigInteger, nullable=False),
    Column("known_since", BigInteger, nullable=False),
    Column("ends_at", BigInteger),
    # Where the walk stands, in the connector's own words.
    Column("cursor", Text),
    Column("is_complete", Boolean, nullable=False),
    Column("has_gaps", Boolean, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failure_message", Text),
    # NULL where there is nothing left to do.
    Column("next_at", BigInteger),
    PrimaryKeyConstraint("user_id", "account_id"),
    of_account(),
    partial("ix_flow_histories_next_at", "next_at", "account_id", where="next_at IS NOT NULL"),
    partial(
        "ix_flow_histories_open",
        "account_id",
        where="NOT is_complete",
        in_sqlite="is_complete = 0",
    ),
)


def _end_of_transfer(end: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["user_id", f"{end}_account_id"],
        ["accounts.user_id", "accounts.id"],
        name=f"fk_transfers_accounts_{end}",
        ondelete="CASCADE",
    )


transfers = Table(
    "transfers",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("out_account_id", Integer, nullable=False),
    Column("out_external_id", Text, nullable=False),
    Column("in_account_id", Integer, nullable=False),
    Column("in_external_id", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "out_account_id", "out_external_id"),
    UniqueConstraint("user_id", "in_account_id", "in_external_id"),
    _end_of_transfer("out"),
    _end_of_transfer("in"),
)
