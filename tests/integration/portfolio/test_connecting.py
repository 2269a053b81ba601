"""Connecting an account: checked at the venue first, stored whole or not at all."""

from collections.abc import Awaitable
from dataclasses import replace

import pytest

from coffers.clock import ManualClock
from coffers.connectors.reading import (
    ConnectorFailure,
    Credentials,
    FailureKind,
    Reading,
    ReadRequest,
)
from coffers.errors import InvalidRecord, NotFound
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from coffers.markets.catalogue import Market, load_catalogue
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.connecting import Connecting, Connection, CountedTwice, KeyPolicy
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.errors import AlreadyConnected
from coffers.store.records import Account
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
        ({"market_code": "hyperliquid"}, "address"),
        ({"market_code": "hyperliquid"}, "secret"),
        ({"market_code": "derive"}, "api_key"),
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


SHARED = Reading(NOW, frozenset({"spot"}), (), identity="mine", shared_wallet="unified account")
SPOT = replace(ASKED, market_code="bybit_spot", name="Spot")
FUTURES = replace(ASKED, market_code="bybit", name="Futures")


async def test_a_wallet_that_another_account_counts_already_is_refused_and_that_one_named(
    store: Store, connector: FakeConnector
) -> None:
    connector.answer = SHARED
    first = await connecting(store, connector).connect(SPOT)
    with pytest.raises(CountedTwice, match="reads the unified account that account 1 .Spot. has"):
        await connecting(store, connector).connect(FUTURES)
    assert await stored(store) == ["Spot"]
    assert first.id == 1


async def test_it_may_be_seen_twice_where_one_is_left_out_of_the_summary(
    store: Store, connector: FakeConnector
) -> None:
    connector.answer = SHARED
    await connecting(store, connector).connect(replace(SPOT, include_in_summary=False))
    await connecting(store, connector).connect(FUTURES)
    third = replace(FUTURES, name="Again", include_in_summary=False)
    third = replace(third, credentials=replace(ASKED.credentials, api_key="another-key"))
    account = await connecting(store, connector).connect(third)
    assert account.include_in_summary is False
    assert await stored(store) == ["Spot", "Futures", "Again"]


async def test_the_same_account_by_another_key_is_refused(
    store: Store, connector: FakeConnector
) -> None:
    connector.answer = replace(SHARED, shared_wallet=None)
    await connecting(store, connector).connect(ASKED)
    again = replace(ASKED, credentials=replace(ASKED.credentials, api_key="another-key"))
    with pytest.raises(CountedTwice, match="is the account that account 1 .Main. has already"):
        await connecting(store, connector).connect(again)


async def test_of_two_at_once_one_is_connected_and_the_other_told_so(
    store: Store, connector: FakeConnector
) -> None:
    connector.answer = replace(SHARED, shared_wallet=None)
    slow = Overtaken(connector.answer)
    slow.other = connecting(store, connector).connect(ASKED)
    with pytest.raises(AlreadyConnected) as refused:
        await connecting(store, slow).connect(ASKED)
    assert refused.value.account_id == 1
    assert await stored(store) == ["Main"]


class Overtaken(FakeConnector):
    """A venue that answers only when another connection has been made meanwhile."""

    other: Awaitable[Account]

    async def read(self, market: Market, credentials: Credentials, request: ReadRequest) -> Reading:
        await self.other
        return await super().read(market, credentials, request)


async def test_other_users_and_other_owners_do_not_stand_in_the_way(
    store: Store, connector: FakeConnector
) -> None:
    connector.answer = SHARED
    await connecting(store, connector).connect(SPOT)
    await connecting(store, connector).connect(replace(FUTURES, user_id=2))
    connector.answer = replace(SHARED, identity="theirs")
    await connecting(store, connector).connect(FUTURES)
    assert await stored(store) == ["Spot", "Futures"]


async def test_an_account_without_a_key_is_known_again_by_its_address_or_its_secret(
    store: Store, connector: FakeConnector
) -> None:
    by_address = Credentials("", Secret(""), address="0x" + "AB" * 20)
    by_secret = Credentials("", Secret("fake-bearer"))
    for code, given in (("hyperliquid", by_address), ("mudrex", by_secret)):
        asked = Connection(1, code, code, given)
        account = await connecting(store, connector).connect(asked)
        with pytest.raises(AlreadyConnected) as caught:
            await connecting(store, connector).connect(asked)
        assert caught.value.account_id == account.id
        assert account.api_key == ""
    other = Connection(1, "mudrex", "Other", Credentials("", Secret("another-bearer")))
    await connecting(store, connector).connect(other)
    async with store.reading() as tx:
        first = (await tx.accounts.of_user(1))[0]
    assert first.address == "0x" + "ab" * 20


async def test_a_sub_account_that_cannot_be_read_is_told_by_its_field(
    store: Store, connector: FakeConnector
) -> None:
    connector.answer = ConnectorFailure(FailureKind.UNSUPPORTED, "no such sub-account")
    named = replace(ASKED.credentials, subaccount_name="one")
    with pytest.raises(InvalidRecord) as caught:
        await connecting(store, connector).connect(replace(ASKED, credentials=named))
    assert caught.value.attributes == {"subaccount_name": ["no such sub-account"]}


async def test_the_main_account_and_each_sub_account_are_connected_once(
    store: Store, connector: FakeConnector
) -> None:
    for name in (None, "one", "two"):
        connector.answer = replace(SHARED, identity=f"sub {name}", shared_wallet=None)
        given = replace(ASKED.credentials, subaccount_name=name)
        asked = replace(ASKED, name=f"sub {name}", credentials=given)
        await connecting(store, connector).connect(asked)
        with pytest.raises(AlreadyConnected):
            await connecting(store, connector).connect(asked)
    assert len(await stored(store)) == 3
