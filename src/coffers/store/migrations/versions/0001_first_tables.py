"""The first tables: users, tokens, accounts, what they hold, their past, prices and audit."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Decimals of any length: text on SQLite, which has no such type, NUMERIC on PostgreSQL.
exact = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    _create_users()
    _create_accounts()
    _create_secrets()
    _create_holdings()
    _create_history()
    _create_prices()
    _create_audit()


def _create_users() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("display_currency", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("api_key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("secret_key_id", sa.Text),
        sa.Column("secret_blob", sa.LargeBinary),
        sa.Column("rsa_public_key", sa.Text),
        sa.Column("permissions", sa.Text, nullable=False),
        sa.Column("allowed_networks", sa.Text, nullable=False),
        sa.Column("require_timestamp", sa.Boolean, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_api_tokens"),
        sa.UniqueConstraint("api_key", name="uq_api_tokens_api_key"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_tokens_users"),
    )
    op.create_index("ix_api_tokens_secret_key_id", "api_tokens", ["secret_key_id"])


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        *_account_columns(),
        *_sync_columns(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_accounts"),
        sa.UniqueConstraint("id", name="uq_accounts_id"),
        sa.UniqueConstraint(
            "user_id",
            "market_code",
            "mode",
            "identity",
            name="uq_accounts_user_id_market_code_mode_identity",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_accounts_users"),
    )
    op.create_index("ix_accounts_next_sync_at", "accounts", ["next_sync_at"])
    op.create_index("ix_accounts_credential_id", "accounts", ["credential_id"])


def _account_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("market_code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("api_key", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("subaccount_name", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("identity", sa.Text),
        sa.Column("include_in_summary", sa.Boolean, nullable=False),
        sa.Column("key_state", sa.Text, nullable=False),
        sa.Column("is_locked", sa.Boolean, nullable=False),
        sa.Column("lock_reason", sa.Text),
        sa.Column("may_read", sa.Boolean),
        sa.Column("may_trade", sa.Boolean),
        sa.Column("may_withdraw", sa.Boolean),
        sa.Column("address_restricted", sa.Boolean),
        sa.Column("key_expires_at", sa.BigInteger),
        sa.Column("hedge_mode", sa.Boolean, nullable=False),
        sa.Column("auto_balance_enabled", sa.Boolean, nullable=False),
        sa.Column("auto_balance_period", sa.Integer, nullable=False),
        sa.Column("auto_balance_portfolio_id", sa.Integer),
        sa.Column("auto_balance_currency_change_limit", sa.Integer),
        sa.Column("auto_balance_method", sa.Text),
        sa.Column("auto_balance_last_at", sa.BigInteger),
        sa.Column("auto_balance_error", sa.Text),
    ]


def _sync_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("next_sync_at", sa.BigInteger, nullable=False),
        sa.Column("read_at", sa.BigInteger),
        sa.Column("missing_wallets", sa.Text, nullable=False),
        sa.Column("flows_known", sa.Boolean, nullable=False),
        sa.Column("flows_until", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failure_kind", sa.Text),
        sa.Column("failure_code", sa.Text),
        sa.Column("failure_message", sa.Text),
        sa.Column("refusals", sa.Integer, nullable=False),
        sa.Column("suspect", sa.Text),
        sa.Column("credential_id", sa.Text, nullable=False),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_until", sa.BigInteger),
    ]


def _create_of_account(name: str, *columns: sa.Column[Any], key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("user_id", "account_id", *key, name=f"pk_{name}"),
        sa.ForeignKeyConstraint(
            ["user_id", "account_id"],
            ["accounts.user_id", "accounts.id"],
            name=f"fk_{name}_accounts",
            ondelete="CASCADE",
        ),
    )


def _create_secrets() -> None:
    _create_of_account(
        "credentials",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("blob", sa.LargeBinary, nullable=False),
        key=(),
    )
    op.create_index("ix_credentials_key_id", "credentials", ["key_id"])
    op.create_table(
        "vault_keys",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("blob", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_vault_keys"),
    )


def _create_holdings() -> None:
    _create_of_account(
        "positions",
        sa.Column("wallet", sa.Text, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("venue_code", sa.Text, nullable=False),
        sa.Column("free", exact, nullable=False),
        sa.Column("in_orders", exact, nullable=False),
        sa.Column("borrowed", exact, nullable=False),
        sa.Column("interest", exact, nullable=False),
        key=("wallet", "asset", "venue_code"),
    )


def _create_history() -> None:
    _create_of_account(
        "flows",
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("venue_code", sa.Text, nullable=False),
        sa.Column("amount", exact, nullable=False),
        sa.Column("fee", exact, nullable=False),
        sa.Column("fee_asset", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("btc", exact),
        sa.Column("usd", exact),
        key=("direction", "external_id"),
    )
    op.create_index("ix_flows_user_id_account_id_at", "flows", ["user_id", "account_id", "at"])
    _create_of_account(
        "snapshots",
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("btc", exact, nullable=False),
        sa.Column("usd", exact, nullable=False),
        key=("at",),
    )


def _create_prices() -> None:
    op.create_table(
        "price_books",
        sa.Column("epoch", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("epoch", name="pk_price_books"),
    )
    op.create_index("ix_price_books_at", "price_books", ["at"])
    op.create_table(
        "rates",
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("usd", exact, nullable=False),
        sa.PrimaryKeyConstraint("currency", "at", name="pk_rates"),
    )


def _create_audit() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("user_id", sa.Integer),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
    )
    op.create_index("ix_audit_events_user_id_at", "audit_events", ["user_id", "at"])
