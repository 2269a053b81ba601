"""Two accounts that come to share a wallet after both were connected: the younger one says so."""

from dataclasses import dataclass, replace

import pytest

from coffers.clock import MINUTE, ManualClock, Millis
from coffers.connectors.reading import Credentials, Reading
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.connecting import Connecting, Connection
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


@dataclass
class Two:
    """A classic account's spot and futures wallets, each connected by its code."""

    store: Store
    connector: FakeConnector
    syncer: Syncer

    async def read(self, account_id: int, answer: Reading) -> Account:
        self.connector.answer = answer
        result = await self.syncer.sync(1, account_id)
        assert result.outcome in {Outcome.COMPLETE, Outcome.PARTIAL}
        async with self.store.reading() as tx:
            account = await tx.accounts.get(1, account_id)
        assert account is not None
        return account


@pytest.fixture
async def two(store: Store) -> Two:
    clock, key, catalogue = ManualClock(NOW), new_key(), load_catalogue()
    vault, connector = Vault(lambda: KeyRing([key])), FakeConnector(CLASSIC)
    pace = Pace(Millis(5 * MINUTE), lambda: 0.5)
    valuer = FlowValuer(store, FakePast())
    async with store.transaction() as tx:
        await tx.users.add("ann", NOW)
    connecting = Connecting(store, vault, catalogue, connector, clock, "refuse_withdraw")
    credentials = Credentials("fake-key", Secret("fake-secret"))
    for code in ("bybit_spot", "bybit"):
        await connecting.connect(Connection(1, code, code, credentials))
    return Two(store, connector, Syncer(store, vault, catalogue, connector, valuer, clock, pace))


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
