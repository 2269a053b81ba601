"""A database with thousands of everything that workers look through, of which little is due."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, text

from coffers.clock import DAY, HOUR, MINUTE
from coffers.store.account_rows import new_columns
from coffers.store.engine import Store
from coffers.store.records import NewAccount
from coffers.store.tables import metadata
from factories import NOW

USERS, ACCOUNTS = 400, 4_000
"""How many there are."""

READER = 3
"""The user who has a past: 400 days of ten accounts, the first of which has the same id."""

LATER, BEFORE = NOW + DAY, NOW - DAY
_AT_ONCE = 400


async def crowd(store: Store) -> None:
    """Put them all in."""
    tables = metadata.tables
    async with store.connection() as connection:
        for name, rows in (*_of_accounts().items(), *_of_users().items(), *_others().items()):
            table: Table = tables[name]
            for start in range(0, len(rows), _AT_ONCE):
                await connection.execute(table.insert(), rows[start : start + _AT_ONCE])
    if store.database.dialect == "postgresql":
        async with store.connection() as connection:
            await connection.execute(text("ANALYZE"))


def _of_accounts() -> dict[str, list[dict[str, Any]]]:
    users = [
        {
            "id": user_id,
            "name": f"user {user_id}",
            "mode": "real",
            "display_currency": "USD",
            "version": 1,
            "created_at": BEFORE,
            "last_event": 10,
            "has_webhooks": True,
            # Of one user something is to be sent.
            "has_unsent": user_id == USERS,
        }
        for user_id in range(1, USERS + 1)
    ]
    owned = [(1 + number % USERS, 1 + number) for number in range(ACCOUNTS)]
    return {
        "users": users,
        "accounts": [_account(*own) for own in owned],
        "credentials": [_credentials(*own) for own in owned],
        "positions": [_position(*own, place) for own in owned for place in range(3)],
        "flow_histories": [_walk(*own) for own in owned],
        "trade_histories": [_walk(*own, look_at=LATER, is_untold=False) for own in owned],
        "auto_balances": [_balance(*own) for own in owned],
    }


def _account(user_id: int, account_id: int) -> dict[str, Any]:
    new = NewAccount(user_id, f"venue{account_id % 5}", f"Account {account_id}", api_key="key")
    columns = new_columns(account_id, new, f"key {account_id}", f"key {account_id}", BEFORE)
    is_due, is_failing = account_id % 1_000 == 0, account_id % 100 == 1
    return {
        **columns,
        "next_sync_at": BEFORE if is_due else LATER,
        "failures": int(is_failing),
        "is_locked": is_due,
    }


def _credentials(user_id: int, account_id: int) -> dict[str, Any]:
    return {"user_id": user_id, "account_id": account_id, "key_id": "key", "blob": b"sealed"}


def _position(user_id: int, account_id: int, place: int) -> dict[str, Any]:
    is_spam = place == 2
    code = f"spam {account_id}" if is_spam else f"COIN{(account_id + place) % 30}"
    return {
        "user_id": user_id,
        "account_id": account_id,
        "wallet": "spam" if is_spam else "spot",
        "asset": code,
        "venue_code": code,
        **{name: Decimal(1) for name in ("free", "in_orders", "borrowed", "interest")},
    }


def _walk(user_id: int, account_id: int, **others: Any) -> dict[str, Any]:
    """Return a walk that is at its end, or due where the account is in trouble."""
    is_due = account_id % 2 == 0
    times = ("known_since", "known_until") if others else ("known_since", "began_at")
    return {
        "user_id": user_id,
        "account_id": account_id,
        **dict.fromkeys(times, BEFORE),
        "is_complete": account_id % 1_000 > 0,
        "has_gaps": False,
        "steps": 1,
        "failures": 0,
        "next_at": BEFORE if is_due else None,
        **others,
    }


def _balance(user_id: int, account_id: int) -> dict[str, Any]:
    """Return the state of a rebalancing: nearly all wait for a price, which is always due."""
    is_by_time = account_id % 500 == 0
    return {
        "user_id": user_id,
        "account_id": account_id,
        "next_at": BEFORE,
        "failures": 0,
        "prices": "{}",
        "by_price": not is_by_time,
    }


def _of_users() -> dict[str, list[dict[str, Any]]]:
    numbers = range(1, 11)
    ids = range(1, USERS + 1)
    return {
        "api_tokens": [_token(user_id, number) for user_id in ids for number in numbers],
        "webhooks": [_webhook(user_id, number) for user_id in ids for number in numbers],
        "webhook_deliveries": [_delivery(user_id, number) for user_id in ids for number in numbers],
        "events": [_event(user_id, number) for user_id in ids for number in numbers],
        # A busy user's, of the hour for which they are kept, are more than those of all others.
        "errands": [_errand(user_id, number) for user_id in ids for number in numbers]
        + [_errand(2, number) for number in range(11, 4_000)],
        "operations": [_operation(user_id, number) for user_id in ids for number in numbers],
        "asset_mappings": [_mapping(user_id, number) for user_id in ids for number in numbers],
        "asset_overrides": [_override(user_id, number) for user_id in ids for number in numbers],
    }


def _token(user_id: int, number: int) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "id": 100 * user_id + number,
        "api_key": token_of(user_id, number),
        "kind": "hmac",
        "secret_key_id": "key",
        "secret_blob": b"sealed",
        "permissions": "accounts_read",
        "allowed_networks": "",
        "require_timestamp": False,
        "created_at": BEFORE,
    }


def token_of(user_id: int, number: int) -> str:
    """Return what names one of a user's ten tokens."""
    return f"token {user_id} {number}"


def _webhook(user_id: int, number: int) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "id": 100 * user_id + number,
        "url": "https://example.com",
        "kinds": (),
        "mode": "real",
        "key_id": "k1",
        "blob": b"",
        "is_active": True,
        "enqueued_to": 9 if user_id == USERS else 10,
        "numbered": 1,
        "failures": 0,
        "next_at": BEFORE if user_id == 1 else None,
        "created_at": BEFORE,
        "updated_at": BEFORE,
    }


def _delivery(user_id: int, number: int) -> dict[str, Any]:
    is_waiting = user_id == 1
    return {
        "user_id": user_id,
        "webhook_id": 100 * user_id + number,
        "number": 1,
        "kind": "deposit",
        "body": "{}",
        "state": "pending" if is_waiting else "delivered",
        "tries": 1,
        "refusals": 0,
        "created_at": NOW - HOUR,
        "next_at": NOW,
        "ended_at": None if is_waiting else NOW - MINUTE,
    }


def _event(user_id: int, number: int) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "number": number,
        "kind": "deposit",
        "mode": "real",
        "at": BEFORE + number,
        "body": "{}",
    }


def _errand(user_id: int, number: int) -> dict[str, Any]:
    is_open = user_id == 1
    return {
        "user_id": user_id,
        "id": 100 * user_id + number,
        "kind": "refresh",
        "key_id": "k1",
        "blob": b"",
        "created_at": NOW,
        "expires_at": LATER,
        "outcome": None if is_open else "{}",
    }


def _operation(user_id: int, number: int) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "id": 100 * user_id + number,
        "account_id": user_id,
        "kind": "transfer",
        "asked": "{}",
        "state": "done",
        "left": "{}",
        "created_at": BEFORE,
        "updated_at": BEFORE,
    }


def _mapping(user_id: int, number: int) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "market_code": "binance",
        "venue_code": f"V{number}",
        "asset": f"MAPPED{number}",
        "updated_at": NOW,
    }


def _override(user_id: int, number: int) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "asset": f"COIN{number}",
        "priced_as": f"coingecko:{number}" if number == 1 else None,
        "is_ignored": False,
        "by_symbol": True,
        "updated_at": NOW,
    }


def _trade(number: int) -> dict[str, Any]:
    """Return one of the thousands of trades that the first account has."""
    return {
        "user_id": 1,
        "account_id": 1,
        "symbol": "BTC/USDT",
        "trade_id": str(number),
        "kind": "spot",
        "base": "BTC",
        "quote": "USDT",
        "side": "buy",
        "price": Decimal(1),
        "amount": Decimal(1),
        "cost": Decimal(1),
        "cost_asset": "USDT",
        "at": BEFORE - number * MINUTE,
    }


def _past_of_ten() -> Iterator[dict[str, Any]]:
    """Return a value of each day, for all ten accounts of one user."""
    for account_id in range(READER, ACCOUNTS + 1, USERS):
        for day in range(400):
            at = NOW - (day + 2) * DAY
            own = {"user_id": READER, "account_id": account_id, "at": at}
            yield {**own, "btc": Decimal(1), "usd": Decimal(1)}


def _flow(account_id: int, number: int, *, is_valued: bool) -> dict[str, Any]:
    """Return a deposit, or a withdrawal whose worth is looked for later.

    The first account has thousands of each.
    """
    return {
        "user_id": 1 + (account_id - 1) % USERS,
        "account_id": account_id,
        "direction": "in" if is_valued else "out",
        "external_id": str(number),
        "asset": "BTC",
        "venue_code": "BTC",
        "amount": Decimal(1),
        "fee": Decimal(0),
        "fee_asset": "BTC",
        "at": BEFORE - number * HOUR,
        "btc": Decimal(1) if is_valued else None,
        "usd": Decimal(1) if is_valued else None,
        "txid": txid_of(number) if is_valued else None,
        "value_at": None if is_valued else LATER,
    }


def txid_of(number: int) -> str:
    """Return the transaction of one of the deposits."""
    return "0x" + f"{number:064x}"[::-1]


def _others() -> dict[str, list[dict[str, Any]]]:
    moments = (NOW - 390 * DAY + 3 * step * HOUR for step in range(3_120))
    return {
        "trades": [_trade(number) for number in range(4_000)],
        "snapshots": [{**value, "tier": 2} for value in _past_of_ten()],
        "imported_values": list(_past_of_ten()),
        "flows": [
            *(_flow(1, number, is_valued=True) for number in range(4_000)),
            *(_flow(1, number, is_valued=False) for number in range(4_000)),
            *(_flow(1 + number, 0, is_valued=True) for number in range(1, ACCOUNTS)),
        ],
        "audit_events": [
            {"user_id": 1, "at": BEFORE + number, "kind": "k", "subject": "", "details": ""}
            for number in range(4_000)
        ],
        "rates": [
            {"currency": code, "at": at, "usd": Decimal(1)}
            for at in moments
            for code in ("EUR", "GBP")
        ],
    }
