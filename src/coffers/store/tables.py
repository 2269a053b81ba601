"""The tables. Those with a user's data have `user_id` first in their key.

Instants are whole milliseconds since 1970 UTC. Ids come from `counters`, in the transaction that
uses them, so that SQLite and PostgreSQL give them out alike and none is above 2**31.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from coffers.store.exact import Exact, Texts

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _partial(name: str, *columns: str, where: str, in_sqlite: str | None = None) -> Index:
    """Return an index of some rows: what asks for them names the same condition."""
    others = text(where if in_sqlite is None else in_sqlite)
    return Index(name, *columns, postgresql_where=text(where), sqlite_where=others)


counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("mode", Text, nullable=False),
    Column("display_currency", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("locale", Text, nullable=False, server_default="en"),
    # The locale that pages write numbers and dates in, empty for the plain form, and the zone.
    Column("written_as", Text, nullable=False, server_default=""),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    # The number of the user's newest event; its row lock keeps events in order, see `events`.
    Column("last_event", BigInteger, nullable=False, server_default="0"),
    # Whether a webhook of theirs is active, and whether one lacks deliveries of new events.
    Column("has_webhooks", Boolean, nullable=False, server_default=false()),
    Column("has_unsent", Boolean, nullable=False, server_default=false()),
    _partial("ix_users_has_unsent", "id", where="has_unsent", in_sqlite="has_unsent = 1"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("id", Integer, nullable=False),
    Column("api_key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("secret_key_id", Text),
    Column("secret_blob", LargeBinary),
    Column("rsa_public_key", Text),
    Column("permissions", Text, nullable=False),
    Column("allowed_networks", Text, nullable=False),
    Column("require_timestamp", Boolean, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    # For its owner to tell it from others; empty where there is none.
    Column("name", Text, nullable=False, server_default=""),
    # About when it was used last, and from which address.
    Column("used_at", BigInteger),
    Column("used_from", Text),
    PrimaryKeyConstraint("user_id", "id"),
    Index("ix_api_tokens_secret_key_id", "secret_key_id"),
)

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
    _partial("ix_accounts_is_locked", "id", where="is_locked", in_sqlite="is_locked = 1"),
    _partial(
        "ix_accounts_failing",
        "market_code",
        where="failures > 0 AND NOT is_locked",
        in_sqlite="failures > 0 AND is_locked = 0",
    ),
    Index("ix_accounts_credential_id", "credential_id"),
)


def _of_account() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["user_id", "account_id"], ["accounts.user_id", "accounts.id"], ondelete="CASCADE"
    )


credentials = Table(
    "credentials",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id"),
    _of_account(),
    Index("ix_credentials_key_id", "key_id"),
)

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
    _of_account(),
    _partial("ix_positions_asset", "asset", where="wallet <> 'spam'"),
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
    _of_account(),
)

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
    _of_account(),
    Index("ix_flows_user_id_account_id_at", "user_id", "account_id", "at"),
    Index("ix_flows_user_id_asset", "user_id", "asset"),
)

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
    _of_account(),
    _partial("ix_flow_histories_next_at", "next_at", "account_id", where="next_at IS NOT NULL"),
    _partial(
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
    _of_account(),
    Index("ix_trades_user_id_account_id_at", "user_id", "account_id", "at"),
)

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
    _of_account(),
    _partial("ix_trade_histories_next_at", "next_at", "account_id", where="next_at IS NOT NULL"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("btc", Exact, nullable=False),
    Column("usd", Exact, nullable=False),
    # How far it is rolled up: 0 as it was taken, 1 hourly, 2 daily. PostgreSQL keeps each apart.
    Column("tier", SmallInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("user_id", "account_id", "at", "tier"),
    _of_account(),
    postgresql_partition_by="LIST (tier)",
    # The key is most of the row: a table beside its index would hold it twice.
    sqlite_with_rowid=False,
)

SNAPSHOT_PARTITIONS = ("snapshots_fine", "snapshots_hourly", "snapshots_daily")
"""What the snapshots are kept in on PostgreSQL, by their tier."""

# How far the snapshots are rolled up, of all accounts: nobody's data, so no user's id.
snapshot_rollups = Table(
    "snapshot_rollups",
    metadata,
    Column("name", Text, primary_key=True),
    # All up to this moment is rolled up; 0 where nothing is yet.
    Column("done_to", BigInteger, nullable=False),
    # The end of the span that is being rolled up, and the last account that is done; NULL between.
    Column("until", BigInteger),
    Column("after_user", Integer, nullable=False),
    Column("after_account", Integer, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("user_id", Integer, nullable=False),
    # Where it comes from, and what the account is called there.
    Column("source", Text, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("account_id", Integer, nullable=False),
    # Up to where its history was taken over; NULL before the first part of it.
    Column("history_until", BigInteger),
    Column("is_complete", Boolean, nullable=False),
    PrimaryKeyConstraint("user_id", "source", "source_id"),
    UniqueConstraint("user_id", "account_id"),
    _of_account(),
)

# Apart from the snapshots: what another program reckoned is shown, and no profit is made of it.
imported_values = Table(
    "imported_values",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("btc", Exact, nullable=False),
    Column("usd", Exact, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id", "at"),
    _of_account(),
)

account_memories = Table(
    "account_memories",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    # What the last reading asked to be told again, in the connector's own words.
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id"),
    _of_account(),
)

sync_logs = Table(
    "sync_logs",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    # The last tries to read the account, one a line, the newest first.
    Column("entries", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id"),
    _of_account(),
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
    _of_account(),
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
    _of_account(),
)

paper_accounts = Table(
    "paper_accounts",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("fee", Exact, nullable=False),
    # What the account starts with, as JSON: asset -> amount.
    Column("start", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "account_id"),
    _of_account(),
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
    _of_account(),
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
    _of_account(),
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
    _of_account(),
    _partial(
        "ix_auto_balances_next_at",
        "next_at",
        "account_id",
        where="NOT by_price",
        in_sqlite="by_price = 0",
    ),
    _partial("ix_auto_balances_by_price", "account_id", where="by_price", in_sqlite="by_price = 1"),
    _partial("ix_auto_balances_begun", "next_at", "account_id", where="planned_at IS NOT NULL"),
)

errands = Table(
    "errands",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    # What is asked, sealed: it may hold the key of an account that is to be connected.
    Column("key_id", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("taken_by", Text),
    Column("taken_until", BigInteger),
    # What came of it, as JSON; NULL until then.
    Column("outcome", Text),
    PrimaryKeyConstraint("user_id", "id"),
    Index("ix_errands_expires_at", "expires_at"),
    _partial("ix_errands_open", "created_at", "id", where="outcome IS NULL"),
)

events = Table(
    "events",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    # Given out under the lock of the user's row: whoever sees a number sees all lower ones.
    Column("number", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    # No foreign key: that an account was removed outlives the account.
    Column("account_id", Integer),
    Column("mode", Text),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "number"),
    Index("ix_events_at", "at"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("id", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", Texts, nullable=False),
    Column("mode", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("disabled_reason", Text),
    # The newest event that deliveries were made of, and how many deliveries there were in all.
    Column("enqueued_to", BigInteger, nullable=False),
    Column("numbered", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", BigInteger),
    # When a delivery that waits is to be tried; NULL where none waits.
    Column("next_at", BigInteger),
    Column("claimed_by", Text),
    Column("claimed_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "id"),
    Index("ix_webhooks_key_id", "key_id"),
    _partial("ix_webhooks_next_at", "next_at", where="is_active", in_sqlite="is_active = 1"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("webhook_id", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("event", BigInteger),
    Column("kind", Text, nullable=False),
    # The very bytes that are sent, so that every try sends the same.
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("first_tried_at", BigInteger),
    Column("next_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    PrimaryKeyConstraint("user_id", "webhook_id", "number"),
    ForeignKeyConstraint(
        ["user_id", "webhook_id"], ["webhooks.user_id", "webhooks.id"], ondelete="CASCADE"
    ),
    Index("ix_webhook_deliveries_state", "state", "user_id", "webhook_id", "number"),
    Index("ix_webhook_deliveries_ended_at", "ended_at"),
    Index("ix_webhook_deliveries_created_at", "created_at"),
)

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
    _partial("ix_asset_overrides_priced_as", "priced_as", where="priced_as IS NOT NULL"),
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

audit_events = Table(
    "audit_events",
    metadata,
    # Not from `counters`: every change writes an event, and they would all wait for its row.
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", Integer),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),
    Index("ix_audit_events_user_id_at", "user_id", "at"),
)

vault_keys = Table(
    "vault_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    # A known text sealed under the key: tells at start whether the key at hand is the right one.
    Column("blob", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

venue_tasks = Table(
    "venue_tasks",
    metadata,
    # What is known of venues, and who finds it out anew: nobody's data, so no user's id.
    Column("venue", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("taken_by", Text),
    Column("taken_until", BigInteger),
    # Counts up with every end, good or bad: who waits sees that something came of it.
    Column("turns", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("failed_at", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("failure", Text),
    Column("failure_message", Text),
    PrimaryKeyConstraint("venue", "subject"),
    Index("ix_venue_tasks_due_at", "due_at"),
)

venue_pairs = Table(
    "venue_pairs",
    metadata,
    Column("venue", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    # The pair with its rules, as JSON.
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("venue", "kind", "name"),
)

venue_currencies = Table(
    "venue_currencies",
    metadata,
    Column("venue", Text, nullable=False),
    Column("code", Text, nullable=False),
    # The currency with its networks, as JSON.
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("venue", "code"),
)

venue_rates = Table(
    "venue_rates",
    metadata,
    Column("venue", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("last", Exact),
    Column("bid", Exact),
    Column("ask", Exact),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("venue", "symbol"),
)

QUEUE_TABLES = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")
"""The tables of the queue that workers share on PostgreSQL; PgQueuer's own, which only it knows."""

leases = Table(
    "leases",
    metadata,
    # The piece of work that only one of the workers does.
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    # In the form of argon2: the method, its cost, the salt and the hash.
    Column("hash", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    # The SHA-256 of what the browser holds: who reads the database cannot go on with a session.
    Column("id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
    # When the user last showed in it who they are: changes of what signs them in ask for that.
    Column("checked_at", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("user_id", "id"),
    Index("ix_sessions_expires_at", "expires_at"),
)

sign_in_tickets = Table(
    "sign_in_tickets",
    metadata,
    # The SHA-256 of the code.
    Column("id", Text, primary_key=True),
    # Whom it signs in; NULL for the code that lets the first user be made.
    Column("signs_in", Integer),
    Column("expires_at", BigInteger, nullable=False),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    # The SHA-256 of a name that was tried, or of an address or a session that tried.
    Column("subject", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("locked_until", BigInteger, nullable=False),
)

totp_secrets = Table(
    "totp_secrets",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    Column("key_id", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    # It counts once a code of it was given; NULL until then.
    Column("confirmed_at", BigInteger),
    # The time step of the newest code that was given: no code is taken twice.
    Column("last_step", BigInteger, nullable=False),
    Index("ix_totp_secrets_key_id", "key_id"),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    # The SHA-256 of the code.
    Column("id", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "id"),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    # The id that the authenticator gave it, in base64url.
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    # The host that it is for: at another one no browser offers it.
    Column("rp_id", Text, nullable=False),
    # In the form of COSE.
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    # How a browser reaches the authenticator, as JSON.
    Column("transports", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    PrimaryKeyConstraint("user_id", "id"),
)

ceremonies = Table(
    "ceremonies",
    metadata,
    # The SHA-256 of a passkey's challenge, of what a browser holds that gave a right password, or
    # of a session that may set another password without the one before.
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("signs_in", Integer),
    # What it is bound to: a session, the ceremony before it, or the address that asked.
    Column("subject", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_ceremonies_expires_at", "expires_at"),
    Index("ix_ceremonies_subject", "subject"),
)
