"""Three accounts that every world begins with; their keys and secrets are plainly made up."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from coffers.sandbox.accounts import (
    Account,
    Balance,
    Direction,
    KeyRights,
    Ledger,
    Transfer,
)
from coffers.sandbox.assets import ASSETS, UNPRICED
from coffers.sandbox.fills import past_fill
from coffers.sandbox.pairs import PAIRS
from coffers.sandbox.prices import DAY, HOUR


@dataclass(frozen=True, slots=True)
class DemoKey:
    """A key that a fresh world knows, with what its account holds at first (free, locked)."""

    venue: str
    key: str
    secret: str
    balances: Mapping[str, tuple[Decimal, Decimal]]
    can_trade: bool = False


def _holding(**amounts: str | tuple[str, str]) -> dict[str, tuple[Decimal, Decimal]]:
    pairs = {
        asset: given if isinstance(given, tuple) else (given, "0")
        for asset, given in amounts.items()
    }
    return {asset: (Decimal(free), Decimal(locked)) for asset, (free, locked) in pairs.items()}


_SAVER = DemoKey(
    venue="binance",
    key="demo-binance-key-1",
    secret="demo-binance-secret-1",  # noqa: S106  a made-up secret, printed on purpose
    balances=_holding(
        BTC=("0.48213077", "0.05"),
        ETH="6.91400212",
        SOL=("38.5", "12"),
        USDT=("4120.33", "1500"),
        LDO="820.4",
        EUR="310.25",
        ADA="0.3",
    ),
)
_TRADER = DemoKey(
    venue="binance",
    key="demo-binance-key-2",
    secret="demo-binance-secret-2",  # noqa: S106  a made-up secret, printed on purpose
    balances=_holding(
        BTC="0.0713",
        FDUSD=("2200.5", "101"),
        PEPE="184000000",
        LINK="96.21",
        **{UNPRICED: "5000"},
    ),
    can_trade=True,
)
_AMERICAN = DemoKey(
    venue="binanceus",
    key="demo-binanceus-key-1",
    secret="demo-binanceus-secret-1",  # noqa: S106  a made-up secret, printed on purpose
    balances=_holding(
        BTC="0.21",
        ETH=("1.75", "0.25"),
        USD="980.12",
        USDT="1402.7",
        DOGE="5210",
    ),
)

# Days before the world's beginning, direction, asset, amount, fee, pending.
_HISTORY: dict[str, tuple[tuple[int, Direction, str, str, str, bool], ...]] = {
    _SAVER.key: (
        (200, Direction.DEPOSIT, "BTC", "0.35", "0", False),
        (74, Direction.DEPOSIT, "USDT", "9000", "0", False),
        (21, Direction.DEPOSIT, "ETH", "1.5", "0", False),
        (9, Direction.WITHDRAWAL, "USDT", "750", "1", False),
        (3, Direction.DEPOSIT, "SOL", "10", "0", False),
        (0, Direction.DEPOSIT, "BTC", "0.02", "0", True),
    ),
    _TRADER.key: (
        (120, Direction.DEPOSIT, "FDUSD", "5000", "0", False),
        (40, Direction.DEPOSIT, UNPRICED, "5000", "0", False),
        (12, Direction.WITHDRAWAL, "LINK", "20", "0.35", False),
        (5, Direction.DEPOSIT, "BTC", "0.03", "0", False),
        (0, Direction.WITHDRAWAL, "FDUSD", "100", "1", True),
    ),
    _AMERICAN.key: (
        (95, Direction.DEPOSIT, "USD", "12000", "0", False),
        (28, Direction.DEPOSIT, "ETH", "0.4", "0", False),
        (15, Direction.WITHDRAWAL, "USDT", "300", "2.5", False),
        (0, Direction.DEPOSIT, "DOGE", "750", "0", True),
    ),
}

# Days before the world's beginning, symbol, side, price, quantity.
_FILLS: dict[str, tuple[tuple[int, str, str, str, str], ...]] = {
    _SAVER.key: (
        (60, "ETHUSDT", "BUY", "3050.5", "1.2"),
        (18, "SOLUSDT", "BUY", "148.2", "14"),
        (2, "BTCUSDT", "SELL", "97200", "0.01"),
        (0, "ETHUSDT", "BUY", "3310", "0.15"),
    ),
    _AMERICAN.key: ((44, "ETHUSDT", "BUY", "2990", "0.5"),),
}


def demo_keys() -> tuple[DemoKey, ...]:
    """Return the keys that every fresh world knows."""
    return _SAVER, _TRADER, _AMERICAN


def open_demo_accounts(ledger: Ledger, now: int) -> None:
    """Open the demo accounts in a fresh world that begins now, in milliseconds."""
    for demo in demo_keys():
        ledger.add(_account(demo, ledger, now))


def _account(demo: DemoKey, ledger: Ledger, now: int) -> Account:
    account = Account(
        venue=demo.venue,
        key=demo.key,
        secret=demo.secret,
        rights=KeyRights(trade=demo.can_trade),
        created_at=now - 220 * DAY,
        updated_at=now,
    )
    account.spot = {asset: Balance(*amounts) for asset, amounts in demo.balances.items()}
    # The balances are those after the history: it is written down, not acted out.
    account.transfers = [
        Transfer(
            id=ledger.next_id(account),
            direction=direction,
            asset=asset,
            amount=Decimal(amount),
            fee=Decimal(fee),
            network=ASSETS[asset].network,
            at=now - days * DAY - HOUR,
            is_pending=is_pending,
        )
        for days, direction, asset, amount, fee, is_pending in _HISTORY[demo.key]
    ]
    for days, symbol, side, price, quantity in _FILLS.get(demo.key, ()):
        at = now - days * DAY - HOUR // 2
        terms = side, Decimal(price), Decimal(quantity)
        account.orders.append(past_fill(account, PAIRS[demo.venue][symbol], *terms, at))
    return account
