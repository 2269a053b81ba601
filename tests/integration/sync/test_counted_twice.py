"""Two accounts that hold the same money, which only what is read of them tells: it is marked."""

from dataclasses import dataclass, replace

import pytest

from coffers.clock import MINUTE, ManualClock, Millis
from coffers.connectors.reading import Credentials, Reading
from coffers.markets.catalogue import Market, load_catalogue
from coffers.markets.chains import joined, shipped_chains
from coffers.portfolio.connecting import Connecting, Connection
from coffers.portfolio.wallets import ConnectingWallets, Wallet
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.syncer import Outcome, Syncer
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW
from fakes import FakeConnector, FakePast

CLASSIC = Reading(NOW, frozenset({"spot"}), (), identity="mine")
UNIFIED = replace(CLASSIC, shared_wallet="unified account")
MARK = "unified account (counted in account 1 too)"


OWNER = "0x742d35Cc6634C0532925a3b844Bc454e4438f44e"
VALIDATORS = "ethereum_validators"
STAKED = Reading(NOW, frozenset({"staked"}), ())


@dataclass
class Two:
    """Two accounts of one user, and what reads them."""

    store: Store
    connector: FakeConnector
    syncer: Syncer
    connecting: Connecting
    wallets: ConnectingWallets

    async def read(self, account_id: int, answer: Reading) -> Account:
        self.connector.answer = answer
        result = await self.syncer.sync(1, account_id)
        assert result.outcome in {Outcome.COMPLETE, Outcome.PARTIAL}
        async with self.store.reading() as tx:
            account = await tx.accounts.get(1, account_id)
        assert account is not None
        return account


class AsTyped:
    """Takes addresses as they are, and sees nothing that two have in common."""

    async def resolved(self, market: Market, text: str) -> str:
        return text

    def overlaps(self, market: Market, one: str, other: str) -> bool:
        return False


@pytest.fixture
async def nothing(store: Store) -> Two:
    """Return what reads accounts, before there are any."""
    clock, key = ManualClock(NOW), new_key()
    catalogue = joined(load_catalogue(), shipped_chains())
    vault, connector = Vault(lambda: KeyRing([key])), FakeConnector(CLASSIC)
    pace = Pace(Millis(5 * MINUTE), lambda: 0.5)
    valuer = FlowValuer(store, FakePast())
    async with store.transaction() as tx:
        await tx.users.add("ann", NOW)
    connecting = Connecting(store, vault, catalogue, connector, clock, "refuse_withdraw")
    wallets = ConnectingWallets(store, vault, catalogue, AsTyped(), clock)
    syncer = Syncer(store, vault, catalogue, connector, valuer, clock, pace)
    return Two(store, connector, syncer, connecting, wallets)


@pytest.fixture
async def two(nothing: Two) -> Two:
    """Return a classic account's spot and futures wallets, each connected by its code."""
    credentials = Credentials("fake-key", Secret("fake-secret"))
    for code in ("bybit_spot", "bybit"):
        await nothing.connecting.connect(Connection(1, code, code, credentials))
    return nothing


async def test_both_are_clean_while_their_wallets_are_two(two: Two) -> None:
    for account_id in (1, 2):
        assert (await two.read(account_id, CLASSIC)).sync.missing_wallets == ()


async def test_the_younger_one_says_that_it_is_counted_twice_whichever_is_read_first(
    two: Two,
) -> None:
    for account_id, told in ((2, (MARK,)), (1, ()), (2, (MARK,))):
        assert (await two.read(account_id, UNIFIED)).sync.missing_wallets == told


async def test_the_mark_is_gone_once_the_older_one_is_removed(two: Two) -> None:
    await two.read(2, UNIFIED)
    async with two.store.transaction() as tx:
        await tx.accounts.remove(1, 1)
    assert (await two.read(2, UNIFIED)).sync.missing_wallets == ()


@pytest.mark.parametrize(
    ("older", "read", "counted", "twin"),
    [
        # The index of a validator, and the address that it pays.
        (Wallet(1, VALIDATORS, "One", OWNER), 2, {"2", "0xab", OWNER}, 1),
        # One that pays a key: only the account of who deposited for it knows its index.
        (Wallet(1, VALIDATORS, "One", OWNER), 1, {"2", "0xab"}, 2),
        (Wallet(1, VALIDATORS, "One", "1,22"), 2, {"2", "0xab", OWNER}, None),
        (Wallet(1, VALIDATORS, "One", OWNER, include_in_summary=False), 2, {"2", OWNER}, None),
    ],
)
async def test_validators_that_another_account_has_by_another_name_are_counted_twice(
    older: Wallet, read: int, counted: set[str], twin: int | None, nothing: Two
) -> None:
    for wallet in (older, Wallet(1, VALIDATORS, "Two", "2")):
        await nothing.wallets.connect(wallet)
    account = await nothing.read(read, replace(STAKED, counted=frozenset(counted)))
    mark = f"Ethereum Validators Wallet (counted in account {twin} too)"
    assert account.sync.missing_wallets == (() if twin is None else (mark,))
