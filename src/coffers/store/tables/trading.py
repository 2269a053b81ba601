"""What is done for users: paper accounts, operations and their steps, portfolios, balancing."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from coffers.store.exact import Exact, Texts
from coffers.store.tables.schema import metadata, of_account, partial

paper_accounts = Table(
    "paper_accounts",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("fee", Exact, nullable=False),
    # What the account starts with, as JSON: asset -> amount.
    Column("start", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id"),
    of_account(),
)

paper_orders = Table(
    "paper_orders",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("id", Integer, nullable=False),
    Column("side", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("spent", Exact, nullable=False),
    Column("received", Exact, nullable=False),
    Column("fee", Exact, nullable=False),
    Column("price", Exact, nullable=False),
    Column("route", Texts, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    # Where the client gave one: what it calls the order, and what it asked for under that name.
    Column("idempotency_key", Text),
    Column("asked", Text),
    PrimaryKeyConstraint("user_id", "account_id", "id"),
    UniqueConstraint("user_id", "account_id", "idempotency_key"),
    of_account(),
)

operations = Table(
    "operations",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    # Where the client gave one: what it calls the operation, and what it asked for under that name.
    Column("idempotency_key", Text),
    Column("asked", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text),
    # What stayed as it was, as JSON: code -> reason.
    Column("left", Text, nullable=False),
    Column("result", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "id"),
    UniqueConstraint("user_id", "idempotency_key"),
    of_account(),
    Index("ix_operations_state", "state", "updated_at"),
)

operation_steps = Table(
    "operation_steps",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("operation_id", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("amount", Exact),
    Column("client_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("filled", Exact),
    Column("cost", Exact),
    Column("fee", Exact),
    Column("fee_asset", Text),
    Column("venue_id", Text),
    Column("why", Text),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "operation_id", "number"),
    ForeignKeyConstraint(
        ["user_id", "operation_id"], ["operations.user_id", "operations.id"], ondelete="CASCADE"
    ),
)

portfolios = Table(
    "portfolios",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("tolerance", Exact, nullable=False),
    Column("sells_others", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "id"),
)

portfolio_targets = Table(
    "portfolio_targets",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("portfolio_id", Integer, nullable=False),
    Column("asset", Text, nullable=False),
    Column("share", Exact, nullable=False),
    PrimaryKeyConstraint("user_id", "portfolio_id", "asset"),
    ForeignKeyConstraint(
        ["user_id", "portfolio_id"], ["portfolios.user_id", "portfolios.id"], ondelete="CASCADE"
    ),
)

auto_balances = Table(
    "auto_balances",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    # From when on it may run; NULL where it is switched off.
    Column("next_at", BigInteger),
    Column("failures", Integer, nullable=False),
    # What the targets were worth at the last run, as JSON: asset -> USD.
    Column("prices", Text, nullable=False),
    # The moment that a run was planned at, while it is under way.
    Column("planned_at", BigInteger),
    Column("claimed_by", Text),
    Column("claimed_until", BigInteger),
    # Whether it waits for a price to move, not for its time; as the account's settings say.
    Column("by_price", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("user_id", "account_id"),
    of_account(),
    partial(
        "ix_auto_balances_next_at",
        "next_at",
        "account_id",
        where="NOT by_price",
        in_sqlite="by_price = 0",
    ),
    partial("ix_auto_balances_by_price", "account_id", where="by_price", in_sqlite="by_price = 1"),
    partial("ix_auto_balances_begun", "next_at", "account_id", where="planned_at IS NOT NULL"),
)
