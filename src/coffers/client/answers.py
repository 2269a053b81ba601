"""The forms of what the API answers of anything else than accounts and their balances."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from coffers.client.accounts import Amount, Answered


class Pong(Answered, frozen=True, kw_only=True):
    """The server is there."""

    pong: str


class ServerTime(Answered, frozen=True, kw_only=True):
    """The server's time in Unix seconds."""

    server_time: int


class Valid(Answered, frozen=True, kw_only=True):
    """Token and signature are good."""

    valid: bool


class Mode(Answered, frozen=True, kw_only=True):
    """Which accounts lists show: `real` or `paper`."""

    mode: str


class Locale(Answered, frozen=True, kw_only=True):
    """The language that errors are explained in."""

    locale: str


class Contract(Answered, frozen=True, kw_only=True):
    """An open derivative position."""

    wallet: str
    symbol: str
    venue_code: str | None = None
    side: str | None = None
    size: Amount = None
    unit: str | None = None
    settled_in: str | None = None
    leverage: Amount = None
    entry_price: Amount = None
    mark_price: Amount = None
    unrealised: Amount = None
    margin_mode: str | None = None


class Contracts(Answered, frozen=True, kw_only=True):
    """The open contracts of an account; `contracts` is None before the first reading."""

    account_id: int
    read_at: datetime | None = None
    missing_wallets: tuple[str, ...] = ()
    hedge_mode_enabled: bool | None = None
    contracts: tuple[Contract, ...] | None = None


class FlowEnd(Answered, frozen=True, kw_only=True):
    """The other half of an own transfer."""

    account_id: int
    id: str


class Flow(Answered, frozen=True, kw_only=True):
    """A deposit or a withdrawal; `direction` is `in` or `out`.

    `role` is `counted`, or `apart` where figures do not count it, or `made` where no venue told it.
    """

    id: str
    direction: str
    asset: str
    amount: Decimal
    at: datetime
    venue_code: str | None = None
    fee: Amount = None
    fee_asset: str | None = None
    txid: str | None = None
    btc_value: Amount = None
    usd_value: Amount = None
    role: str | None = None
    is_own_transfer: bool | None = None
    paired_with: FlowEnd | None = None


class FlowHistory(Answered, frozen=True, kw_only=True):
    """How far back the flows of an account are known."""

    flows_known: bool | None = None
    known_since: datetime | None = None
    is_complete: bool | None = None
    has_gaps: bool | None = None
    progress: float | None = None
    steps: int | None = None
    last_error: str | None = None


class Flows(Answered, frozen=True, kw_only=True):
    """A page of the flows of an account, newest first."""

    flows: tuple[Flow, ...] = ()
    next_cursor: str | None = None
    history: FlowHistory | None = None


class HeldBack(Answered, frozen=True, kw_only=True):
    """A price that leapt and is not believed yet."""

    usd: Amount = None
    btc: Amount = None
    believed_usd: Amount = None
    believed_btc: Amount = None
    until: datetime | None = None


class Price(Answered, frozen=True, kw_only=True):
    """What one unit of an asset is worth, and how that is known."""

    asset: str
    usd: Amount = None
    btc: Amount = None
    at: datetime | None = None
    age_seconds: float | None = None
    route: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    epoch: int | None = None
    held_back: HeldBack | None = None


class Holding(Answered, frozen=True, kw_only=True):
    """Where an asset is held; a debt is negative."""

    account_id: int
    market_code: str | None = None
    wallet: str | None = None
    venue_code: str | None = None
    amount: Amount = None


class Override(Answered, frozen=True, kw_only=True):
    """What the user said of an asset."""

    name: str | None = None
    symbol: str | None = None
    coingecko_id: str | None = None
    contract: str | None = None
    ignored: bool | None = None
    by_symbol: bool | None = None


class Asset(Answered, frozen=True, kw_only=True):
    """An asset: its names, where it is held, whether it counts and why."""

    asset: str
    symbol: str | None = None
    name: str | None = None
    kind: str | None = None
    coingecko_id: str | None = None
    chain: str | None = None
    contract: str | None = None
    first_seen_at: datetime | None = None
    state: str | None = None
    why: str | None = None
    price: Price | None = None
    held: tuple[Holding, ...] = ()
    override: Override | None = None


class Assets(Answered, frozen=True, kw_only=True):
    """A page of assets, by code."""

    assets: tuple[Asset, ...] = ()
    next_cursor: str | None = None


class AssetMapping(Answered, frozen=True, kw_only=True):
    """What an exchange's code means in all accounts of a market."""

    market_code: str
    venue_code: str
    asset: str


class PaperAccount(Answered, frozen=True, kw_only=True):
    """A paper account: its terms and what it holds."""

    id: int
    name: str
    market_code: str | None = None
    mode: str | None = None
    fee: Amount = None
    start: Mapping[str, Decimal] = {}
    balances: Mapping[str, Decimal] = {}
    created_at: datetime | None = None
    updated_at: datetime | None = None


class PaperOrder(Answered, frozen=True, kw_only=True):
    """A paper order, as it was filled."""

    id: int
    side: str
    base: str
    quote: str
    spent: Amount = None
    spent_asset: str | None = None
    received: Amount = None
    received_asset: str | None = None
    fee: Amount = None
    price: Amount = None
    route: tuple[str, ...] | None = None
    epoch: int | None = None
    at: datetime | None = None


class PaperOrders(Answered, frozen=True, kw_only=True):
    """A page of paper orders, newest first."""

    orders: tuple[PaperOrder, ...] = ()
    next_cursor: str | None = None


class Step(Answered, frozen=True, kw_only=True):
    """An order, a conversion or a transfer of an operation."""

    kind: str
    base: str
    quote: str
    side: str
    state: str
    amount: Amount = None
    filled: Amount = None
    cost: Amount = None
    fee: Amount = None
    fee_asset: str | None = None
    why: str | None = None
    client_order_id: str | None = None
    exchange_order_id: str | None = None
    updated_at: datetime | None = None


class Operation(Answered, frozen=True, kw_only=True):
    """Something that was done at an exchange, step by step; `left` says what stayed and why."""

    id: int
    account_id: int
    kind: str
    state: str
    why: str | None = None
    steps: tuple[Step, ...] = ()
    left: dict[str, str] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Operations(Answered, frozen=True, kw_only=True):
    """A page of operations, newest first."""

    operations: tuple[Operation, ...] = ()
    next_cursor: str | None = None


class Converted(Answered, frozen=True, kw_only=True, rename="camel"):
    """What small amounts became, in the exchange's own coin."""

    total_transfered: Amount = None
    total_service_charge: Amount = None
    transfer_result: tuple[dict[str, Any], ...] = ()


class Available(Answered, frozen=True, kw_only=True):
    """What is free of a currency."""

    currency: str
    available: Amount = None


class Way(Answered, frozen=True, kw_only=True):
    """Two accounts that money can go between."""

    from_account_id: int
    to_account_id: int
    from_account_name: str | None = None
    to_account_name: str | None = None
    currencies: tuple[Available, ...] = ()


class Transfer(Answered, frozen=True, kw_only=True):
    """A transfer between two accounts of one key."""

    id: int
    from_account_id: int
    to_account_id: int
    currency: str
    amount: Amount = None
    state: str | None = None
    why: str | None = None
    created_at: datetime | None = None
