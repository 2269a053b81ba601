"""Connecting an account: checked at the venue first, stored whole or not at all."""

from dataclasses import replace

import pytest

from coffers.clock import ManualClock
from coffers.connectors.reading import ConnectorFailure, Credentials, FailureKind, Reading
from coffers.errors import InvalidRecord, NotFound
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.connecting import Connecting, Connection, KeyPolicy
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.errors import AlreadyConnected
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW
from fakes import FakeConnector

ASKED = Connection(1, "binance", "Main", Credentials("fake-key", Secret("fake-secret")))


def connecting(
    store: Store, connector: FakeConnector, policy: KeyPolicy = "refuse_withdraw"
) -> Connecting:
    key = new_key()
    vault = Vault(lambda: KeyRing([key]))
    return Connecting(store, vault, load_catalogue(), connector, ManualClock(NOW), policy)


@pytest.fixture
def connector() -> FakeConnector:
    return FakeConnector(Reading(NOW, frozenset({"spot"}), ()))


@pytest.fixture(autouse=True)
async def user(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.users.add("ann", NOW)
        await tx.users.add("bob", NOW)


async def stored(store: Store, user_id: int = 1) -> list[str]:
    async with store.reading() as tx:
        return [account.name for account in await tx.accounts.of_user(user_id)]


async def test_an_account_is_stored_with_its_rights_and_due_at_once(
    store: Store, connector: FakeConnector
) -> None:
    connector.key_rights = KeyRights(read=True, trade=True, withdraw=False)
    account = await connecting(store, connector).connect(ASKED)
    assert (account.name, account.market_code, account.rights.trade) == ("Main", "binance", True)
    assert account.sync.next_sync_at == NOW
    async with store.reading() as tx:
        assert await tx.secrets.get(1, account.id) is not None
        (event,) = await tx.audit.of_user(1)
    assert (event.kind, event.subject) == ("account_connected", str(account.id))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "x"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"market_code": "binanse"}, "market_code"),
        ({"market_code": "paper_trading"}, "market_code"),
        ({"market_code": "hyperliquid"}, "market_code"),
        ({"credentials": Credentials("", Secret("s"))}, "api_key"),
        ({"credentials": Credentials("a b", Secret("s"))}, "api_key"),
        ({"credentials": Credentials("k", Secret(""))}, "secret"),
        ({"market_code": "kucoin"}, "passphrase"),
    ],
)
async def test_a_field_that_cannot_be_accepted_is_named_and_nothing_is_asked(
    store: Store, connector: FakeConnector, change: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidRecord) as caught:
        await connecting(store, connector).connect(replace(ASKED, **change))  # type: ignore[arg-type]
    assert field in caught.value.attributes
    assert connector.opened == []
    assert await stored(store) == []


async def test_a_near_market_code_is_suggested(store: Store, connector: FakeConnector) -> None:
    with pytest.raises(InvalidRecord, match="did you mean binance"):
        await connecting(store, connector).connect(replace(ASKED, market_code="binanse"))


async def test_a_key_that_may_withdraw_is_refused(store: Store, connector: FakeConnector) -> None:
    connector.key_rights = KeyRights(read=True, withdraw=True)
    with pytest.raises(InvalidRecord, match="may withdraw"):
        await connecting(store, connector).connect(ASKED)
    assert await stored(store) == []


async def test_the_operator_may_accept_such_keys(store: Store, connector: FakeConnector) -> None:
    connector.key_rights = KeyRights(read=True, withdraw=True)
    await connecting(store, connector, "accept_all").connect(ASKED)
    assert await stored(store) == ["Main"]


async def test_a_refused_key_is_told_with_the_venue_s_words(
    store: Store, connector: FakeConnector
) -> None:
    connector.key_rights = ConnectorFailure(FailureKind.KEY_REFUSED, "Binance refused the key")
    with pytest.raises(InvalidRecord, match="Binance refused the key"):
        await connecting(store, connector).connect(ASKED)
    assert await stored(store) == []


async def test_a_venue_that_is_down_stores_nothing(store: Store, connector: FakeConnector) -> None:
    connector.key_rights = ConnectorFailure(FailureKind.VENUE_DOWN, "maintenance")
    with pytest.raises(ConnectorFailure, match="maintenance"):
        await connecting(store, connector).connect(ASKED)
    assert await stored(store) == []


async def test_where_a_venue_tells_no_rights_the_key_must_at_least_read(
    store: Store, connector: FakeConnector
) -> None:
    connector.key_rights = UNKNOWN_RIGHTS
    connector.answer = ConnectorFailure(FailureKind.KEY_REFUSED, "wrong signature")
    with pytest.raises(InvalidRecord, match="wrong signature"):
        await connecting(store, connector).connect(ASKED)
    connector.answer = Reading(NOW, frozenset({"spot"}), ())
    account = await connecting(store, connector).connect(ASKED)
    assert account.rights == UNKNOWN_RIGHTS


async def test_the_same_key_again_names_the_account_it_is_connected_as(
    store: Store, connector: FakeConnector
) -> None:
    account = await connecting(store, connector).connect(ASKED)
    with pytest.raises(AlreadyConnected) as caught:
        await connecting(store, connector).connect(replace(ASKED, name="Again"))
    assert caught.value.account_id == account.id
    assert await stored(store) == ["Main"]


async def test_another_user_may_connect_the_same_key(
    store: Store, connector: FakeConnector
) -> None:
    await connecting(store, connector).connect(ASKED)
    await connecting(store, connector).connect(replace(ASKED, user_id=2, name="Also"))
    assert await stored(store, 2) == ["Also"]


async def test_removing_takes_key_and_history_and_only_one_s_own(
    store: Store, connector: FakeConnector
) -> None:
    account = await connecting(store, connector).connect(ASKED)
    keeping = AccountKeeping(store, ManualClock(NOW))
    with pytest.raises(NotFound):
        await keeping.remove(2, account.id)
    await keeping.remove(1, account.id)
    async with store.reading() as tx:
        assert await tx.secrets.get(1, account.id) is None
    with pytest.raises(NotFound):
        await keeping.get(1, account.id)
