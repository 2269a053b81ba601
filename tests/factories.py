"""Values that tests begin with; each test changes what it is about."""

from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

from coffers.clock import Clock, Millis, SettledClock
from coffers.keyrights import UNKNOWN_RIGHTS
from coffers.store.records import Account, AutoBalance, SyncState
from coffers.valuation.figures import DisplayCurrency, Figures, sheet_of
from coffers.valuation.history import History
from coffers.valuation.model import Position, Price, Value

NOW = Millis(1_760_000_000_000)


def account(**changes: Any) -> Account:
    """Return an account on Binance that was read a minute ago."""
    made = Account(
        id=7,
        user_id=1,
        market_code="binance",
        name="Main",
        mode="real",
        api_key="fake-key-0123456789",
        customer_id=None,
        subaccount_name=None,
        address=None,
        include_in_summary=True,
        key_state="ok",
        is_locked=False,
        lock_reason=None,
        rights=UNKNOWN_RIGHTS,
        hedge_mode=False,
        auto_balance=AutoBalance(),
        sync=SyncState(next_sync_at=NOW, read_at=Millis(NOW - 60_000)),
        version=1,
        created_at=Millis(NOW - 86_400_000),
        updated_at=Millis(NOW - 60_000),
    )
    return replace(made, **changes)


def position(asset: str, free: str, **amounts: Any) -> Position:
    """Return a holding in the spot wallet."""
    wallet = amounts.pop("wallet", "spot")
    rest = {name: Decimal(text) for name, text in amounts.items()}
    return Position(wallet, asset, asset, Decimal(free), **rest)


def price(btc: str, usd: str) -> Price:
    """Return a price without a past."""
    return Price(Decimal(btc), Decimal(usd), ("X/USD",), ("test",), NOW)


def settled(clock: Clock) -> SettledClock:
    """Return a clock that has gone evenly for long enough, however it is moved from now on."""
    made = SettledClock(clock, count(0, 10**9).__next__)
    made.now()
    return made


def figures_of(
    as_of: Millis, value: Value | None, history: History | None, display: DisplayCurrency
) -> Figures:
    """Return the figures of one account alone."""
    return sheet_of([as_of], [value], [history], display).row(0)
