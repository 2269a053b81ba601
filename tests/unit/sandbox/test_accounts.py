from decimal import Decimal
from typing import Any

import pytest

from coffers.sandbox.accounts import (
    Account,
    BadScript,
    Balance,
    Direction,
    KeyRights,
    Ledger,
    Transfer,
    Wallet,
)

NOW = 1_760_000_000_123


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(lambda: NOW)


@pytest.fixture
def account(ledger: Ledger) -> Account:
    made = Account("binance", "some-key", "some-secret", KeyRights(), created_at=0)
    made.spot["BTC"] = Balance(Decimal(2), Decimal("0.5"))
    ledger.add(made)
    return made


def transfer(**changes: Any) -> Transfer:
    made: dict[str, Any] = {
        "id": "t1",
        "direction": Direction.DEPOSIT,
        "asset": "BTC",
        "amount": Decimal(1),
        "fee": Decimal(0),
        "network": "BTC",
        "at": NOW,
        "is_pending": False,
    }
    return Transfer(**(made | changes))


def test_a_finished_deposit_is_free_at_once(ledger: Ledger, account: Account) -> None:
    ledger.move(account, transfer())
    assert account.spot["BTC"] == Balance(Decimal(3), Decimal("0.5"))
    assert account.updated_at == NOW


def test_a_pending_deposit_counts_when_it_is_completed(ledger: Ledger, account: Account) -> None:
    ledger.move(account, transfer(is_pending=True))
    assert account.spot["BTC"].free == 2
    assert not ledger.complete(account, "t1").is_pending
    assert account.spot["BTC"].free == 3


def test_a_withdrawal_takes_its_fee_on_top(ledger: Ledger, account: Account) -> None:
    ledger.move(account, transfer(direction=Direction.WITHDRAWAL, fee=Decimal("0.1")))
    assert account.spot["BTC"].free == Decimal("0.9")


def test_a_pending_withdrawal_is_locked_until_it_is_completed(
    ledger: Ledger, account: Account
) -> None:
    pending = transfer(direction=Direction.WITHDRAWAL, fee=Decimal("0.1"), is_pending=True)
    ledger.move(account, pending)
    assert account.spot["BTC"] == Balance(Decimal("0.9"), Decimal("1.6"))
    ledger.complete(account, "t1")
    assert account.spot["BTC"] == Balance(Decimal("0.9"), Decimal("0.5"))


def test_more_than_there_is_cannot_be_withdrawn(ledger: Ledger, account: Account) -> None:
    with pytest.raises(BadScript, match="holds only 2 free"):
        ledger.move(account, transfer(direction=Direction.WITHDRAWAL, amount=Decimal(3)))
    assert account.transfers == []


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal(0)},
        {"amount": Decimal("NaN")},
        {"amount": Decimal("Infinity")},
        {"fee": Decimal(-1)},
        {"asset": "NOSUCH"},
    ],
)
def test_a_transfer_of_nonsense_is_refused(
    ledger: Ledger, account: Account, change: dict[str, Any]
) -> None:
    with pytest.raises(BadScript):
        ledger.move(account, transfer(**change))


def test_only_a_pending_transfer_can_be_completed(ledger: Ledger, account: Account) -> None:
    ledger.move(account, transfer())
    with pytest.raises(BadScript, match="no pending transfer"):
        ledger.complete(account, "t1")


def test_a_balance_can_be_set_in_either_wallet(ledger: Ledger, account: Account) -> None:
    ledger.hold(account, "ETH", Balance(Decimal(1)), Wallet.SPOT)
    ledger.hold(account, "ETH", Balance(Decimal(9)), Wallet.FUNDING)
    assert account.spot["ETH"].free == 1
    assert account.funding["ETH"].free == 9


def test_a_negative_balance_is_refused(ledger: Ledger, account: Account) -> None:
    with pytest.raises(BadScript, match="cannot be"):
        ledger.hold(account, "ETH", Balance(Decimal(1), Decimal(-1)), Wallet.SPOT)


def test_a_key_belongs_to_one_venue(ledger: Ledger, account: Account) -> None:
    assert ledger.find("binance", account.key) is account
    assert ledger.find("binanceus", account.key) is None
    with pytest.raises(BadScript, match="binanceus has no key"):
        ledger.get("binanceus", account.key)


def test_the_right_to_trade_ends_at_its_expiry() -> None:
    rights = KeyRights(trade=True, expires_at=NOW)
    account = Account("binance", "some-key", "some-secret", rights, created_at=0)
    assert account.may_trade(NOW - 1)
    assert not account.may_trade(NOW)


def test_a_secret_shows_in_no_repr(account: Account) -> None:
    assert "some-secret" not in repr(account)
