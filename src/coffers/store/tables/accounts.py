"""Accounts, their credentials, and what is kept about reading them."""

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
    UniqueConstraint,
    false,
)

from coffers.store.exact import Texts
from coffers.store.tables.schema import metadata, of_account, partial

accounts = Table(
    "accounts",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("id", Integer, nullable=False),
    Column("market_code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("api_key", Text, nullable=False),
    Column("customer_id", Text),
    Column("subaccount_name", Text),
    Column("address", Text),
    # What makes a connection the same as another one; NULL where nothing does.
    Column("identity", Text),
    Column("include_in_summary", Boolean, nullable=False),
    Column("key_state", Text, nullable=False),
    Column("is_locked", Boolean, nullable=False),
    Column("lock_reason", Text),
    Column("may_read", Boolean),
    Column("may_trade", Boolean),
    Column("may_withdraw", Boolean),
    Column("address_restricted", Boolean),
    Column("key_expires_at", BigInteger),
    Column("hedge_mode", Boolean, nullable=False),
    Column("auto_balance_enabled", Boolean, nullable=False),
    Column("auto_balance_period", Integer, nullable=False),
    Column("auto_balance_portfolio_id", Integer),
    Column("auto_balance_currency_change_limit", Integer),
    Column("auto_balance_method", Text),
    Column("auto_balance_last_at", BigInteger),
    Column("auto_balance_error", Text),
    Column("next_sync_at", BigInteger, nullable=False),
    Column("read_at", BigInteger),
    Column("missing_wallets", Texts, nullable=False),
    Column("flows_known", Boolean, nullable=False),
    Column("flows_until", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("failure_kind", Text),
    Column("failure_code", Text),
    Column("failure_message", Text),
    Column("refusals", Integer, nullable=False),
    Column("suspect", Text),
    # Whether there are rows of it in `unpriced_assets`: most accounts have none to look for.
    Column("lacks_prices", Boolean, nullable=False, server_default=false()),
    # The exchange key that a reading uses, as a hash: one key is never used twice at once.
    Column("credential_id", Text, nullable=False),
    Column("claimed_by", Text),
    Column("claimed_until", BigInteger),
    Column("version", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # Which account the venue answers for, as a hash; NULL until a reading tells.
    Column("venue_identity", Text),
    PrimaryKeyConstraint("user_id", "id"),
    UniqueConstraint("id"),
    UniqueConstraint("user_id", "market_code", "mode", "identity"),
    Index("ix_accounts_next_sync_at", "next_sync_at", "id"),
    Index("ix_accounts_market_code", "market_code"),
    partial("ix_accounts_is_locked", "id", where="is_locked", in_sqlite="is_locked = 1"),
    partial(
        "ix_accounts_failing",
        "market_code",
        where="failures > 0 AND NOT is_locked",
        in_sqlite="failures > 0 AND is_locked = 0",
    ),
    Index("ix_accounts_credential_id", "credential_id"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id"),
    of_account(),
    Index("ix_credentials_key_id", "key_id"),
)

account_memories = Table(
    "account_memories",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    # What the last reading asked to be told again, in the connector's own words.
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id"),
    of_account(),
)

sync_logs = Table(
    "sync_logs",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    # The last tries to read the account, one a line, the newest first.
    Column("entries", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id"),
    of_account(),
)
