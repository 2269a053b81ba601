"""A database to measure with: one user with 100 accounts, one with a single account."""

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from coffers.cli.rooms import opened_store, opened_vault
from coffers.client import SignedAuth
from coffers.clock import DAY, HOUR, MINUTE, Millis, SystemClock
from coffers.portfolio.tokens import Tokens, Wanted
from coffers.portfolio.users import Users
from coffers.settings import Settings, load_settings
from coffers.store.engine import Store, Transaction
from coffers.store.records import Account, AccountStatus, NewAccount
from coffers.valuation.model import Flow, Position, Price, Snapshot, Value
from coffers.vault.vault import Vault

PATH = "/public/api/ver1/accounts"
PRICED = 1_000
"""Assets in the price book: about what two large venues list."""

POSITIONS = 20
SNAPSHOTS = 62
TOKENS = 16
"""Tokens of each user, for those who ask at once."""

EURO = "EUR"

_BITCOIN = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class Listed:
    """A user's list: how many accounts are in it, and what signs a request for it.

    `tokens` are the headers of each of the user's tokens.
    """

    accounts: int
    tokens: tuple[dict[str, str], ...]

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the first token."""
        return self.tokens[0]


def settings_in(data_dir: Path, **others: object) -> Settings:
    """Return the settings of a database in this directory."""
    return load_settings(data_dir=data_dir, **others)


async def seed(data_dir: Path, **others: object) -> dict[int, Listed]:
    """Fill a new database; return the lists by their numbers of accounts."""
    settings = settings_in(data_dir, **others)
    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
        await new_book(store, 0)
        return {count: await _user(store, vault, count) for count in (1, 100)}


async def crowd(data_dir: Path, users: int) -> list[Listed]:
    """Add so many users with 100 accounts each to a database that `seed` filled."""
    settings = settings_in(data_dir)
    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
        return [await _user(store, vault, 100, f"crowd{number}-") for number in range(users)]


async def in_euro(data_dir: Path) -> Listed:
    """Add a user with 100 accounts who reads in EUR, and what that was worth in the past."""
    settings = settings_in(data_dir)
    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
        listed = await _user(store, vault, 100, "euro")
        user = await Users(store, SystemClock()).named("euro100")
        now = SystemClock().now()
        async with store.transaction() as tx:
            await tx.users.set_display_currency(user.id, EURO)
            for hours in reversed(range(40 * 24)):
                await tx.prices.save_rates({EURO: _rate(hours)}, Millis(now - hours * HOUR))
    return listed


async def new_book(store: Store, number: int) -> None:
    """Write a price book in which every price, and a rate, differs from that of other numbers."""
    now = SystemClock().now()
    async with store.transaction() as tx:
        await tx.prices.save_rates({EURO: _rate(number)}, now)
        prices = {asset(n): _price(n + number, now) for n in range(PRICED)}
        prices[EURO] = replace(_price(number, now), usd=_rate(number))
        await tx.prices.save_book(prices, now)


def _rate(number: int) -> Decimal:
    return Decimal(f"1.{5 + number % 9}{7919 * number % 997:03}")


def asset(number: int) -> str:
    """Return the name of a made-up asset."""
    return f"COIN{number}"


def _price(number: int, now: Millis) -> Price:
    usd = Decimal(f"{1 + 7919 * number % 99_991}.{104_729 * number % 1_000_000:06}")
    return Price(usd / _BITCOIN, usd, (f"COIN/{number}", "USDT/USD"), ("binance", "kraken"), now)


async def _user(store: Store, vault: Vault, count: int, prefix: str = "bench") -> Listed:
    clock = SystemClock()
    user = await Users(store, clock).add(f"{prefix}{count}")
    async with store.transaction() as tx:
        for number in range(count):
            await _account(tx, user.id, number, clock.now())
    return Listed(count, tuple([await _headers(store, vault, user.id) for _ in range(TOKENS)]))


async def _headers(store: Store, vault: Vault, user_id: int) -> dict[str, str]:
    issued = await Tokens(store, vault, SystemClock()).create(user_id, Wanted(("accounts_read",)))
    if issued.secret is None:
        raise RuntimeError("a token without a secret")
    auth = SignedAuth(issued.token.api_key, issued.secret.reveal())
    return auth.headers(PATH.encode())


async def _account(tx: Transaction, user_id: int, number: int, now: Millis) -> None:
    new = NewAccount(user_id, "binance", f"Account {number}", api_key=f"bench-key-{number:032}")
    account = await tx.accounts.add(
        new, identity=new.api_key, credential_id=f"bench-{user_id}-{number}", now=now
    )
    held = [_position(POSITIONS * number + n) for n in range(POSITIONS)]
    await tx.holdings.replace(user_id, account.id, {"spot"}, held)
    for step in range(SNAPSHOTS):
        value = Value(Decimal(f"1.{step:02}0123456789"), Decimal(f"98765.{step:02}4321"))
        at = Millis(now - 31 * DAY + step * 12 * HOUR)
        await tx.history.add_snapshot(user_id, account.id, Snapshot(at, value))
    await tx.history.add_flows(user_id, account.id, [_flow(days, now) for days in (0, 3, 20)])
    await _read(tx, account, now)


def _position(number: int) -> Position:
    code = asset(number * 37 % PRICED)
    free = Decimal(f"{number % 97}.{7919 * number % 100_000_000:08}")
    return Position("spot", code, code, free, Decimal(f"0.{number % 89:02}"))


def _flow(days: int, now: Millis) -> Flow:
    at = Millis(now - days * DAY - HOUR)
    value = Value(Decimal("0.001"), Decimal("100.5"))
    return Flow(
        str(days), "in", asset(1), asset(1), Decimal(3), Decimal(0), asset(1), at, value=value
    )


async def _read(tx: Transaction, account: Account, now: Millis) -> None:
    sync = replace(account.sync, read_at=Millis(now - MINUTE), next_sync_at=Millis(now + DAY))
    await tx.accounts.record_status(
        account.user_id,
        account.id,
        AccountStatus(sync, "ok", is_locked=False, lock_reason=None),
        now,
    )
