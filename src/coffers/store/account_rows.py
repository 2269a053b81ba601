"""Accounts as rows, and back."""

from typing import Any

from sqlalchemy import Row

from coffers.clock import Millis
from coffers.keyrights import KeyRights
from coffers.store.records import Account, AutoBalance, NewAccount, SyncState


def new_columns(
    account_id: int, new: NewAccount, identity: str | None, credential_id: str, now: Millis
) -> dict[str, object]:
    """Return the row of an account that was just connected: due now, at version 1."""
    return {
        "user_id": new.user_id,
        "id": account_id,
        "market_code": new.market_code,
        "name": new.name,
        "mode": new.mode,
        "api_key": new.api_key,
        "customer_id": new.customer_id,
        "subaccount_name": new.subaccount_name,
        "address": new.address,
        "identity": identity,
        "include_in_summary": new.include_in_summary,
        "key_state": "ok",
        "is_locked": False,
        "hedge_mode": False,
        **rights_columns(new.rights),
        **auto_balance_columns(AutoBalance()),
        **sync_columns(SyncState(next_sync_at=now)),
        "credential_id": credential_id,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }


def rights_columns(rights: KeyRights) -> dict[str, object]:
    """Return the columns that hold a key's rights."""
    return {
        "may_read": rights.read,
        "may_trade": rights.trade,
        "may_withdraw": rights.withdraw,
        "address_restricted": rights.address_restricted,
        "key_expires_at": rights.expires_at,
    }


def sync_columns(sync: SyncState) -> dict[str, object]:
    """Return the columns that tell how the reading of an account goes."""
    return {
        "next_sync_at": sync.next_sync_at,
        "read_at": sync.read_at,
        "missing_wallets": sync.missing_wallets,
        "flows_known": sync.flows_known,
        "flows_until": sync.flows_until,
        "failures": sync.failures,
        "failure_kind": sync.failure_kind,
        "failure_code": sync.failure_code,
        "failure_message": sync.failure_message,
        "refusals": sync.refusals,
        "suspect": sync.suspect,
    }


def account_of(row: Row[Any]) -> Account:
    """Return the account of a row of the table."""
    return Account(
        id=row.id,
        user_id=row.user_id,
        market_code=row.market_code,
        name=row.name,
        mode=row.mode,
        api_key=row.api_key,
        customer_id=row.customer_id,
        subaccount_name=row.subaccount_name,
        address=row.address,
        include_in_summary=row.include_in_summary,
        key_state=row.key_state,
        is_locked=row.is_locked,
        lock_reason=row.lock_reason,
        rights=KeyRights(
            row.may_read,
            row.may_trade,
            row.may_withdraw,
            row.address_restricted,
            row.key_expires_at,
        ),
        hedge_mode=row.hedge_mode,
        auto_balance=_auto_balance_of(row),
        sync=_sync_of(row),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        venue_identity=row.venue_identity,
    )


def _sync_of(row: Row[Any]) -> SyncState:
    return SyncState(
        next_sync_at=row.next_sync_at,
        read_at=row.read_at,
        missing_wallets=row.missing_wallets,
        flows_known=row.flows_known,
        flows_until=row.flows_until,
        failures=row.failures,
        failure_kind=row.failure_kind,
        failure_code=row.failure_code,
        failure_message=row.failure_message,
        refusals=row.refusals,
        suspect=row.suspect,
        lacks_prices=row.lacks_prices,
    )


def _auto_balance_of(row: Row[Any]) -> AutoBalance:
    return AutoBalance(
        enabled=row.auto_balance_enabled,
        period_hours=row.auto_balance_period,
        portfolio_id=row.auto_balance_portfolio_id,
        currency_change_limit=row.auto_balance_currency_change_limit,
        method=row.auto_balance_method,
        last_at=row.auto_balance_last_at,
        error=row.auto_balance_error,
    )


def auto_balance_columns(settings: AutoBalance) -> dict[str, object]:
    """Return the columns that hold the rebalancing settings of an account."""
    return {
        "auto_balance_enabled": settings.enabled,
        "auto_balance_period": settings.period_hours,
        "auto_balance_portfolio_id": settings.portfolio_id,
        "auto_balance_currency_change_limit": settings.currency_change_limit,
        "auto_balance_method": settings.method,
        "auto_balance_last_at": settings.last_at,
        "auto_balance_error": settings.error,
    }
