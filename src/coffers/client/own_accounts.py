"""Accounts with their quality: the forms of what they are worth, and how that came about."""

from datetime import datetime
from typing import Any

from coffers.client.accounts import Amount, Answered
from coffers.client.answers import Price


class Gain(Answered, frozen=True, kw_only=True):
    """A profit over a span of time."""

    profit: Amount = None
    percentage: Amount = None


class Figure(Answered, frozen=True, kw_only=True):
    """What accounts are worth and gained, in a currency."""

    currency: str | None = None
    amount: Amount = None
    day: Gain | None = None
    month: Gain | None = None
    total_profit: Amount = None


class Figures(Answered, frozen=True, kw_only=True):
    """The figures in BTC, USD and the display currency."""

    btc: Figure
    usd: Figure
    display: Figure


class LastFailure(Answered, frozen=True, kw_only=True):
    """Why the last reading failed, and how many did in a row."""

    kind: str
    code: str | None = None
    message: str | None = None
    times: int | None = None


class Standing(Answered, frozen=True, kw_only=True):
    """How the readings of an account fare."""

    key_state: str | None = None
    is_locked: bool | None = None
    lock_reason: str | None = None
    next_reading_at: datetime | None = None
    last_failure: LastFailure | None = None
    has_doubted_reading: bool | None = None


class Quality(Answered, frozen=True, kw_only=True):
    """How far the figures can be trusted."""

    is_complete: bool
    reasons: tuple[str, ...] = ()
    as_of: datetime | None = None
    read_at: datetime | None = None
    unpriced: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    missing_wallets: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    price_sources: tuple[str, ...] = ()
    oldest_price_at: datetime | None = None


class OwnAccount(Answered, frozen=True, kw_only=True):
    """An account with its figures and their quality."""

    id: int
    name: str
    figures: Figures
    quality: Quality
    state: Standing | None = None
    kind: str | None = None
    mode: str | None = None
    market_code: str | None = None
    market_name: str | None = None
    address: str | None = None
    subaccount_name: str | None = None
    include_in_summary: bool | None = None
    version: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    epoch: int | None = None
    prices_at: datetime | None = None
    prices_age_seconds: float | None = None
    told_at: datetime | None = None


class OwnAccounts(Answered, frozen=True, kw_only=True):
    """A page of accounts, by id."""

    accounts: tuple[OwnAccount, ...] = ()
    next_cursor: str | None = None
    epoch: int | None = None
    prices_at: datetime | None = None
    prices_age_seconds: float | None = None
    told_at: datetime | None = None


class Incomplete(Answered, frozen=True, kw_only=True):
    """An account whose figures do not tell everything."""

    account_id: int
    reasons: tuple[str, ...] = ()


class OwnSummary(Answered, frozen=True, kw_only=True):
    """All accounts of a mode as one."""

    figures: Figures
    is_complete: bool
    account_ids: tuple[int, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()
    oldest_reading_at: datetime | None = None
    epoch: int | None = None
    prices_at: datetime | None = None
    prices_age_seconds: float | None = None
    told_at: datetime | None = None


class HeldIn(Answered, frozen=True, kw_only=True):
    """A wallet that an asset lies in."""

    wallet: str
    venue_code: str | None = None
    amount: Amount = None


class ExplainedHolding(Answered, frozen=True, kw_only=True):
    """An asset that counts: amount, price, and the products of those."""

    asset: str
    amount: Amount = None
    wallets: tuple[HeldIn, ...] | None = None
    state: str | None = None
    price: Price | None = None
    btc_value: Amount = None
    usd_value: Amount = None


class ExplainedFlow(Answered, frozen=True, kw_only=True):
    """A deposit or withdrawal with the worth that counts."""

    id: str
    direction: str
    asset: str
    amount: Amount = None
    at: datetime | None = None
    valued_at: datetime | None = None
    btc_value: Amount = None
    usd_value: Amount = None
    rate: Amount = None
    display_value: Amount = None
    is_counted: bool | None = None


class Explained(Answered, frozen=True, kw_only=True):
    """What the figures of an account are made of; `figures` as docs/api.md has them, in texts."""

    account_id: int
    figures: dict[str, dict[str, Any]]
    version: int | None = None
    as_of: datetime | None = None
    prices_at: datetime | None = None
    epoch: int | None = None
    holdings: tuple[ExplainedHolding, ...] = ()
    ignored: tuple[str, ...] = ()
    flows: tuple[ExplainedFlow, ...] = ()
    earlier_flows: dict[str, Any] | None = None


class ExplainedSummary(Answered, frozen=True, kw_only=True):
    """The figures of a summary, and a page of the accounts that are summed."""

    figures: Figures
    account_ids: tuple[int, ...] = ()
    accounts: tuple[Explained, ...] = ()
    next_cursor: str | None = None


class Snapshot(Answered, frozen=True, kw_only=True):
    """What an account was worth when it was read."""

    account_id: int
    at: datetime
    btc_value: Amount = None
    usd_value: Amount = None


class Snapshots(Answered, frozen=True, kw_only=True):
    """A page of snapshots, newest first."""

    snapshots: tuple[Snapshot, ...] = ()
    next_cursor: str | None = None


class HistoryPoint(Answered, frozen=True, kw_only=True):
    """What accounts were worth at a moment, and how old that was then."""

    at: datetime
    btc_value: Amount = None
    usd_value: Amount = None
    btc_deposited: Amount = None
    usd_deposited: Amount = None
    seen_at: datetime | None = None
    carried: bool | None = None
    accounts_carried: int | None = None


class History(Answered, frozen=True, kw_only=True):
    """Value over time, gaps marked."""

    points: tuple[HistoryPoint, ...] = ()


class OwnPosition(Answered, frozen=True, kw_only=True):
    """What a wallet holds of an asset."""

    account_id: int
    wallet: str
    asset: str
    venue_code: str | None = None
    free: Amount = None
    in_orders: Amount = None
    borrowed: Amount = None
    interest: Amount = None
    unrealised: Amount = None
    owned: Amount = None
    is_counted: bool | None = None
    not_counted_as: str | None = None
    state: str | None = None
    price: Price | None = None
    btc_value: Amount = None
    usd_value: Amount = None


class OwnPositions(Answered, frozen=True, kw_only=True):
    """A page of positions."""

    positions: tuple[OwnPosition, ...] = ()
    next_cursor: str | None = None
