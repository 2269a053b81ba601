"""The accounts of the simulated venues: keys, what they may do, balances and what moved."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from coffers.sandbox.assets import ASSETS

ZERO = Decimal(0)


class BadScript(Exception):
    """A script asked for what this world does not have; the text says what."""


class Direction(StrEnum):
    """Which way money moved, seen from the account."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"


class Wallet(StrEnum):
    """The wallets of an account: `spot` trades, and its balance shows neither of the others."""

    SPOT = "spot"
    FUNDING = "funding"
    FUTURES = "futures"


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What a key may do.

    `ips` are the only addresses it may come from (empty: any). `expires_at` is when its right to
    trade ends, as the venue ends that of keys without an address list.
    """

    read: bool = True
    trade: bool = False
    withdraw: bool = False
    ips: tuple[str, ...] = ()
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What a wallet holds of one asset."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Transfer:
    """A deposit or withdrawal. `amount` is without the fee, which a withdrawal takes on top."""

    id: str
    direction: Direction
    asset: str
    amount: Decimal
    fee: Decimal
    network: str
    at: int
    is_pending: bool


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer between two wallets of an account; `way` is the venue's name of both."""

    id: int
    way: str
    asset: str
    amount: Decimal
    at: int


@dataclass(frozen=True, slots=True)
class Order:
    """A market order, filled at once: sums in base and quote, the fee in what was received."""

    id: int
    client_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    fee: Decimal
    fee_asset: str
    at: int


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """A limit order that waits for its price."""

    id: int
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    at: int


@dataclass(slots=True)
class Account:
    """One account with its only key. The secret is for signing and shows in no `repr`."""

    venue: str
    key: str
    secret: str = field(repr=False)
    rights: KeyRights
    created_at: int
    is_revoked: bool = False
    spot: dict[str, Balance] = field(default_factory=dict)
    funding: dict[str, Balance] = field(default_factory=dict)
    futures: dict[str, Balance] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    open_orders: list[OpenOrder] = field(default_factory=list)
    updated_at: int = 0

    @property
    def uid(self) -> int:
        """The venue's number of the account."""
        return int(sha256(f"{self.venue}:{self.key}".encode()).hexdigest()[:8], 16)

    def may_trade(self, at: int) -> bool:
        """Whether the key's right to trade stands at a moment."""
        expires = self.rights.expires_at
        return self.rights.trade and (expires is None or at < expires)

    def wallet(self, wallet: Wallet) -> dict[str, Balance]:
        """Return what a wallet holds."""
        match wallet:
            case Wallet.SPOT:
                return self.spot
            case Wallet.FUNDING:
                return self.funding
            case Wallet.FUTURES:
                return self.futures

    def put(self, asset: str, *, free: Decimal = ZERO, locked: Decimal = ZERO) -> None:
        """Add to what the spot wallet holds of an asset; negative amounts take away.

        Raises:
            BadScript: when less than nothing would be left.
        """
        held = self.spot.get(asset, Balance())
        left = Balance(held.free + free, held.locked + locked)
        if left.free < 0 or left.locked < 0:
            raise BadScript(
                f"{self.key} holds only {held.free} free and {held.locked} locked {asset}"
            )
        self.spot[asset] = left


class Ledger:
    """All accounts, and the moves that a script makes on them.

    Args:
        now: the venue's present moment in milliseconds.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._accounts: dict[tuple[str, str], Account] = {}
        self._moves = 0

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def add(self, account: Account) -> None:
        """Take an account in; one of the same venue and key is replaced."""
        self._accounts[account.venue, account.key] = account

    def add_like(self, account: Account, count: int) -> list[Account]:
        """Add so many accounts that hold what an account holds; a second call replaces them."""
        added = [
            replace(
                account,
                key=f"{account.key}-{number}",
                secret=f"{account.secret}-{number}",
                spot=dict(account.spot),
                funding=dict(account.funding),
                futures=dict(account.futures),
                moves=[],
                transfers=list(account.transfers),
                orders=[],
                open_orders=[],
            )
            for number in range(1, count + 1)
        ]
        for each in added:
            self.add(each)
        return added

    def find(self, venue: str, key: str) -> Account | None:
        """Return the account of a key, None where the venue does not know it."""
        return self._accounts.get((venue, key))

    def get(self, venue: str, key: str) -> Account:
        """Return the account of a key.

        Raises:
            BadScript: when there is none.
        """
        account = self.find(venue, key)
        if account is None:
            raise BadScript(f"{venue} has no key {key!r}")
        return account

    def hold(self, account: Account, asset: str, balance: Balance, wallet: Wallet) -> None:
        """Set what a wallet holds of an asset.

        Raises:
            BadScript: for an unknown asset or a negative amount.
        """
        known(asset)
        if min(counted(balance.free), counted(balance.locked)) < 0:
            raise BadScript(f"a balance of {balance.free} and {balance.locked} cannot be")
        account.wallet(wallet)[asset] = balance
        account.updated_at = self._now()

    def move(self, account: Account, transfer: Transfer) -> Transfer:
        """Write a transfer down and let it act on the spot wallet.

        A pending deposit changes nothing yet; a pending withdrawal locks its amount and fee.

        Raises:
            BadScript: for an unknown asset, an amount that is not positive, or too small a balance.
        """
        known(transfer.asset)
        if counted(transfer.amount) <= 0 or counted(transfer.fee) < 0:
            raise BadScript(f"{transfer.amount} with a fee of {transfer.fee} cannot be moved")
        total = transfer.amount + transfer.fee
        match transfer.direction, transfer.is_pending:
            case Direction.DEPOSIT, False:
                account.put(transfer.asset, free=transfer.amount)
            case Direction.WITHDRAWAL, True:
                account.put(transfer.asset, free=-total, locked=total)
            case Direction.WITHDRAWAL, False:
                account.put(transfer.asset, free=-total)
        account.transfers.append(transfer)
        account.updated_at = self._now()
        return transfer

    def complete(self, account: Account, transfer_id: str) -> Transfer:
        """Finish a pending transfer.

        Raises:
            BadScript: when the account has no such pending transfer.
        """
        for index, transfer in enumerate(account.transfers):
            if transfer.id == transfer_id and transfer.is_pending:
                done = replace(transfer, is_pending=False)
                account.transfers[index] = done
                _settle(account, done)
                account.updated_at = self._now()
                return done
        raise BadScript(f"{account.key} has no pending transfer {transfer_id!r}")

    def next_id(self, account: Account) -> str:
        """Return an id for a new transfer, the same in every run."""
        self._moves += 1
        return sha256(f"{account.venue}:{account.key}:{self._moves}".encode()).hexdigest()[:32]


def _settle(account: Account, done: Transfer) -> None:
    if done.direction is Direction.DEPOSIT:
        account.put(done.asset, free=done.amount)
    else:
        account.put(done.asset, locked=-(done.amount + done.fee))


def known(asset: str) -> None:
    """Accept the code of an asset of this world.

    Raises:
        BadScript: for any other.
    """
    if asset not in ASSETS:
        raise BadScript(f"this world has no asset {asset!r}")


def counted(amount: Decimal) -> Decimal:
    """Return an amount that is a number.

    Raises:
        BadScript: for NaN and the infinities.
    """
    if not amount.is_finite():
        raise BadScript(f"{amount} is no amount")
    return amount
