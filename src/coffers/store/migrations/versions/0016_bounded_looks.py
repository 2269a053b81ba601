"""Indexes and two columns, so that no look of a worker goes through all accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    for name in ("has_webhooks", "has_unsent"):
        op.add_column(
            "users", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
        )
    op.execute(
        "UPDATE users SET has_webhooks = true, has_unsent = EXISTS (SELECT 1 FROM webhooks w "
        "WHERE w.user_id = users.id AND w.is_active AND w.enqueued_to < users.last_event) "
        "WHERE EXISTS (SELECT 1 FROM webhooks w WHERE w.user_id = users.id AND w.is_active)"
    )
    _partial("ix_users_has_unsent", "users", ["id"], "has_unsent", "has_unsent = 1")
    op.add_column(
        "auto_balances",
        sa.Column("by_price", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.execute(
        "UPDATE auto_balances SET by_price = EXISTS (SELECT 1 FROM accounts a "
        "WHERE a.user_id = auto_balances.user_id AND a.id = auto_balances.account_id "
        "AND a.auto_balance_method = 'currency_change')"
    )
    for table in ("accounts", "flow_histories", "trade_histories", "auto_balances"):
        moment = "next_sync_at" if table == "accounts" else "next_at"
        op.drop_index(f"ix_{table}_{moment}", table)
    op.create_index("ix_accounts_next_sync_at", "accounts", ["next_sync_at", "id"])
    op.create_index("ix_accounts_market_code", "accounts", ["market_code"])
    _partial("ix_accounts_is_locked", "accounts", ["id"], "is_locked", "is_locked = 1")
    _partial("ix_positions_asset", "positions", ["asset"], "wallet <> 'spam'")
    for table in ("flow_histories", "trade_histories"):
        key = ["next_at", "account_id"]
        _partial(f"ix_{table}_next_at", table, key, "next_at IS NOT NULL")
    _partial(
        "ix_flow_histories_open",
        "flow_histories",
        ["account_id"],
        "NOT is_complete",
        "is_complete = 0",
    )
    _balances()
    _partial("ix_errands_open", "errands", ["created_at", "id"], "outcome IS NULL")
    _partial("ix_webhooks_next_at", "webhooks", ["next_at"], "is_active", "is_active = 1")
    op.create_index("ix_webhook_deliveries_created_at", "webhook_deliveries", ["created_at"])
    op.create_index("ix_rates_at", "rates", ["at"])
    op.create_index("ix_asset_mappings_asset", "asset_mappings", ["asset"])
    _partial(
        "ix_asset_overrides_priced_as", "asset_overrides", ["priced_as"], "priced_as IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_index("ix_asset_overrides_priced_as", "asset_overrides")
    op.drop_index("ix_asset_mappings_asset", "asset_mappings")
    op.drop_index("ix_rates_at", "rates")
    op.drop_index("ix_webhook_deliveries_created_at", "webhook_deliveries")
    op.drop_index("ix_webhooks_next_at", "webhooks")
    op.drop_index("ix_errands_open", "errands")
    for name in ("begun", "by_price"):
        op.drop_index(f"ix_auto_balances_{name}", "auto_balances")
    op.drop_index("ix_flow_histories_open", "flow_histories")
    op.drop_index("ix_positions_asset", "positions")
    op.drop_index("ix_accounts_is_locked", "accounts")
    op.drop_index("ix_accounts_market_code", "accounts")
    for table in ("accounts", "flow_histories", "trade_histories", "auto_balances"):
        moment = "next_sync_at" if table == "accounts" else "next_at"
        op.drop_index(f"ix_{table}_{moment}", table)
        op.create_index(f"ix_{table}_{moment}", table, [moment])
    op.drop_column("auto_balances", "by_price")
    op.drop_index("ix_users_has_unsent", "users")
    for name in ("has_unsent", "has_webhooks"):
        op.drop_column("users", name)


def _balances() -> None:
    table, key = "auto_balances", ["next_at", "account_id"]
    _partial("ix_auto_balances_next_at", table, key, "NOT by_price", "by_price = 0")
    _partial("ix_auto_balances_by_price", table, ["account_id"], "by_price", "by_price = 1")
    _partial("ix_auto_balances_begun", table, key, "planned_at IS NOT NULL")


def _partial(
    name: str, table: str, columns: list[str], where: str, in_sqlite: str | None = None
) -> None:
    others = sa.text(where if in_sqlite is None else in_sqlite)
    op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=others)
