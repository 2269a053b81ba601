"""The tables, all in one schema. Those with a user's data have `user_id` first in their key.

Instants are whole milliseconds since 1970 UTC. Ids come from `counters`, in the transaction that
uses them, so that SQLite and PostgreSQL give them out alike and none is above 2**31.

There is a file for each group of tables; the rest of the program imports all of them from here.
"""

from coffers.store.tables.accounts import account_memories, accounts, credentials, sync_logs
from coffers.store.tables.events import events, webhook_deliveries, webhooks
from coffers.store.tables.flows import (
    TRANSACTION_LENGTH,
    flow_histories,
    flows,
    transaction_start,
    transfers,
)
from coffers.store.tables.history import (
    SNAPSHOT_PARTITIONS,
    imported_values,
    imports,
    snapshot_rollups,
    snapshots,
)
from coffers.store.tables.holdings import contracts, positions, unlisted_counts, unpriced_assets
from coffers.store.tables.prices import (
    accepted_prices,
    asset_mappings,
    asset_overrides,
    assets,
    price_books,
    rates,
)
from coffers.store.tables.processes import QUEUE_TABLES, counters, errands, leases, vault_keys
from coffers.store.tables.schema import MOST_TRIES, lacks_worth, metadata, worth_due
from coffers.store.tables.sign_in import (
    ceremonies,
    passkeys,
    passwords,
    recovery_codes,
    sessions,
    sign_in_failures,
    sign_in_tickets,
    totp_secrets,
)
from coffers.store.tables.trades import trade_histories, trades
from coffers.store.tables.trading import (
    auto_balances,
    operation_steps,
    operations,
    paper_accounts,
    paper_orders,
    portfolio_targets,
    portfolios,
)
from coffers.store.tables.users import api_tokens, audit_events, users
from coffers.store.tables.venues import venue_currencies, venue_pairs, venue_rates, venue_tasks

__all__ = [
    "MOST_TRIES",
    "QUEUE_TABLES",
    "SNAPSHOT_PARTITIONS",
    "TRANSACTION_LENGTH",
    "accepted_prices",
    "account_memories",
    "accounts",
    "api_tokens",
    "asset_mappings",
    "asset_overrides",
    "assets",
    "audit_events",
    "auto_balances",
    "ceremonies",
    "contracts",
    "counters",
    "credentials",
    "errands",
    "events",
    "flow_histories",
    "flows",
    "imported_values",
    "imports",
    "lacks_worth",
    "leases",
    "metadata",
    "operation_steps",
    "operations",
    "paper_accounts",
    "paper_orders",
    "passkeys",
    "passwords",
    "portfolio_targets",
    "portfolios",
    "positions",
    "price_books",
    "rates",
    "recovery_codes",
    "sessions",
    "sign_in_failures",
    "sign_in_tickets",
    "snapshot_rollups",
    "snapshots",
    "sync_logs",
    "totp_secrets",
    "trade_histories",
    "trades",
    "transaction_start",
    "transfers",
    "unlisted_counts",
    "unpriced_assets",
    "users",
    "vault_keys",
    "venue_currencies",
    "venue_pairs",
    "venue_rates",
    "venue_tasks",
    "webhook_deliveries",
    "webhooks",
    "worth_due",
]
