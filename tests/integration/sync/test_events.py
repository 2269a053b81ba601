"""What readings tell as events, on both databases, with a told venue."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from coffers.clock import DAY, HOUR, MINUTE, ManualClock, Millis, iso
from coffers.connectors.reading import ConnectorFailure, Credentials, FailureKind, Reading
from coffers.errors import NotFound
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.connecting import Connecting, Connection
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.syncer import Syncer
from coffers.valuation.model import Flow, Position
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW, position
from fakes import FakeConnector, FakePast

REFUSED = ConnectorFailure(FailureKind.KEY_REFUSED, "no such key: fake-secret", code="-1")
DOWN = ConnectorFailure(FailureKind.VENUE_DOWN, "away", code="503")


class Room:
    """One connected account, its readings, and the events that were not looked at yet."""

    def __init__(self, store: Store, clock: ManualClock, connector: FakeConnector) -> None:
        key = new_key()
        self.vault = Vault(lambda: KeyRing([key]))
        self.store, self.clock, self.connector = store, clock, connector
        catalogue = load_catalogue()
        valuer, pace = FlowValuer(store, FakePast()), Pace(Millis(5 * MINUTE), lambda: 0.5)
        self.syncer = Syncer(store, self.vault, catalogue, connector, valuer, clock, pace)
        self.connecting = Connecting(
            store, self.vault, catalogue, connector, clock, "refuse_withdraw"
        )
        self.seen = 0

    async def connect(self) -> None:
        async with self.store.transaction() as tx:
            self.user = await tx.users.add("ann", self.clock.now())
        credentials = Credentials("fake-key", Secret("fake-secret"))
        self.account = await self.connecting.connect(
            Connection(self.user.id, "binance", "Main", credentials)
        )

    async def read(self, *positions: Position, **changes: Any) -> None:
        wallets = frozenset({held.wallet for held in positions} or {"spot"})
        self.connector.answer = Reading(self.clock.now(), wallets, positions, **changes)
        await self._sync()

    async def fail(self, failure: ConnectorFailure) -> None:
        self.connector.answer = failure
        await self._sync()

    async def _sync(self) -> None:
        await self.syncer.sync(self.account.user_id, self.account.id)
        self.clock.advance(2 * MINUTE)

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        async with self.store.reading() as tx:
            found = await tx.events.after(self.user.id, self.seen, 100)
        assert [each.number for each in found] == [self.seen + n for n in range(1, len(found) + 1)]
        self.seen += len(found)
        for each in found:
            assert (each.account_id, each.mode) == (self.account.id, "real")
            assert "fake-secret" not in each.body
        return [(each.kind, msgspec.json.decode(each.body)) for each in found]


@pytest.fixture
async def room(store: Store) -> Room:
    clock = ManualClock(NOW)
    made = Room(store, clock, FakeConnector(Reading(NOW, frozenset({"spot"}), ())))
    await made.connect()
    return made


async def test_an_account_from_connection_to_removal(room: Room) -> None:
    keeping = AccountKeeping(room.store, room.clock)
    await room.read(position("BTC", "1"), position("ETH", "2"))
    await keeping.rename(room.user.id, room.account.id, "Other")
    await keeping.rename(room.user.id, room.account.id, "Other")
    await keeping.change(room.user.id, room.account.id, name="Last", in_summary=False)
    await keeping.remove(room.user.id, room.account.id)
    assert await room.told() == [
        ("account_connected", {"name": "Main", "market_code": "binance"}),
        ("first_reading", {"assets": ["BTC", "ETH"], "count": 2}),
        ("account_renamed", {"from": "Main", "to": "Other"}),
        ("account_renamed", {"from": "Other", "to": "Last"}),
        ("account_in_summary", {"include_in_summary": False}),
        ("account_removed", {"name": "Last", "market_code": "binance"}),
    ]


async def test_changes_that_come_together_are_told_one_after_the_other(room: Room) -> None:
    keeping = AccountKeeping(room.store, room.clock)
    own = room.user.id, room.account.id
    await room.told()
    await asyncio.gather(
        keeping.rename(*own, "One"), keeping.change(*own, name="Two", in_summary=False)
    )
    names = [data for kind, data in await room.told() if kind == "account_renamed"]
    assert [names[0]["from"], names[1]["from"]] == ["Main", names[0]["to"]]
    removed, changed = await asyncio.gather(
        keeping.remove(*own),
        keeping.change(*own, name="Three", in_summary=True),
        return_exceptions=True,
    )
    assert removed is None
    kinds = [kind for kind, _ in await room.told()]
    assert kinds[-1] == "account_removed"
    assert (len(kinds) == 1) is isinstance(changed, NotFound)


async def test_only_assets_that_changed_are_named_and_interest_is_no_change(room: Room) -> None:
    await room.read(position("BTC", "1"), position("ETH", "2"))
    await room.told()
    await room.read(position("BTC", "1", interest="0.01"), position("ETH", "2", unrealised="3"))
    assert await room.told() == []
    await room.read(position("BTC", "1"), position("ETH", "3"), position("SOL", "4"))
    assert await room.told() == [("balances_changed", {"assets": ["ETH", "SOL"], "count": 2})]


async def test_a_flow_is_told_once_and_not_with_the_first_reading(room: Room) -> None:
    old = Flow("d0", "in", "BTC", "BTC", Decimal(1), Decimal(0), "BTC", NOW)
    await room.read(position("BTC", "1"), flows=(old,))
    assert [kind for kind, _ in await room.told()] == ["account_connected", "first_reading"]
    at = Millis(room.clock.now() - 1)
    new = Flow("w1", "out", "BTC", "BTC", Decimal("0.10"), Decimal(0), "BTC", at)
    for _ in range(2):
        await room.read(position("BTC", "0.9"), flows=(old, new))
    assert await room.told() == [
        ("balances_changed", {"assets": ["BTC"], "count": 1}),
        ("withdrawal", {"id": "w1", "asset": "BTC", "amount": "0.1", "at": iso(at)}),
    ]


async def test_flows_that_are_only_told_later_are_told_from_the_connection_on(room: Room) -> None:
    """The first readings were not told of any, as by a key that may not see them."""
    await room.read(position("BTC", "1"), flows_known=False)
    await room.told()
    since = room.account.created_at
    flows = tuple(
        Flow(name, "in", "BTC", "BTC", Decimal(1), Decimal(0), "BTC", Millis(at))
        for name, at in (("old", since - DAY), ("new", since + 1))
    )
    await room.read(position("BTC", "1"), flows=flows)
    assert [data["id"] for _, data in await room.told()] == ["new"]


async def test_a_withdrawal_is_told_also_where_the_clock_was_ahead_at_the_connection(
    room: Room,
) -> None:
    await room.read(position("BTC", "1"))
    await room.told()
    room.clock.advance(-9 * DAY)
    sent = Flow("w1", "out", "BTC", "BTC", Decimal(1), Decimal(0), "BTC", room.clock.now())
    await room.read(position("BTC", "1"), flows=(sent,))
    assert [data["id"] for _, data in await room.told()] == ["w1"]


async def test_a_withdrawal_that_is_taken_back_is_told(room: Room) -> None:
    await room.read(position("BTC", "1"))
    await room.told()
    at = room.clock.now()
    sent = Flow("w1", "out", "BTC", "BTC", Decimal("0.1"), Decimal(0), "BTC", at)
    await room.read(position("BTC", "0.9"), flows=(sent,))
    await room.read(position("BTC", "1"), flows_undone=frozenset({("out", "w1"), ("out", "w2")}))
    assert [kind for kind, _ in await room.told()] == [
        "balances_changed",
        "withdrawal",
        "balances_changed",
        "flows_undone",
    ]


async def test_missing_wallets_come_and_go(room: Room) -> None:
    await room.read(position("BTC", "1"))
    await room.told()
    await room.read(position("BTC", "1"), missing={"funding": "away"})
    await room.read(position("BTC", "1"), missing={"funding": "away"})
    await room.read(position("BTC", "1"))
    assert await room.told() == [
        ("account_incomplete", {"missing_wallets": ["funding"], "count": 1}),
        ("account_complete", {}),
    ]


async def test_a_refused_key_locks_and_a_reading_unlocks(room: Room) -> None:
    await room.read(position("BTC", "1"))
    await room.told()
    for _ in range(4):
        await room.fail(REFUSED)
    told = await room.told()
    assert told[0] == ("account_locked", {"reason": "invalid_api_key", "failure": "key_refused"})
    assert [kind for kind, _ in told] == ["account_locked", "readings_failing"]
    await room.read(position("BTC", "1"))
    assert await room.told() == [("readings_recovered", {"failures": 4}), ("account_unlocked", {})]


async def test_two_failures_are_not_told_the_third_is_and_only_that(room: Room) -> None:
    await room.read(position("BTC", "1"))
    await room.told()
    for _ in range(2):
        await room.fail(DOWN)
    assert await room.told() == []
    for _ in range(3):
        await room.fail(DOWN)
    ((kind, data),) = await room.told()
    assert (kind, data["failure"]) == ("readings_failing", "venue_down")


async def test_a_doubtful_reading_is_told_once_and_then_what_it_changed(room: Room) -> None:
    await room.read(position("BTC", "1"), position("ETH", "2"))
    await room.told()
    room.clock.advance(HOUR)
    await room.read()
    assert await room.told() == [("reading_held_back", {})]
    await room.read()
    assert await room.told() == [("balances_changed", {"assets": ["BTC", "ETH"], "count": 2})]


async def test_more_rights_of_a_key_are_told(room: Room) -> None:
    await room.read(position("BTC", "1"))
    await room.told()
    await room.read(position("BTC", "1"), rights=KeyRights(read=True, trade=True, withdraw=False))
    assert await room.told() == [
        ("key_rights_changed", {"read": True, "trade": True, "withdraw": False})
    ]
