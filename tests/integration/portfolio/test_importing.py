"""Moving in from another server of our own: what charts show then, and what figures do not."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from shutil import copyfile

import pytest

from coffers.api.entity import masked
from coffers.cli.three_commas import ThreeCommas
from coffers.client import AsyncClient, SignedAuth
from coffers.clock import DAY, MINUTE, Millis
from coffers.connectors.chain.connector import ChainConnector
from coffers.connectors.reading import Reading
from coffers.errors import InvalidRecord
from coffers.markets.chains import shipped_chains
from coffers.portfolio.connecting import Connecting
from coffers.portfolio.import_plan import Planned
from coffers.portfolio.importing import Brought, Hands, Importing
from coffers.portfolio.loose import LooseAccounts
from coffers.portfolio.wallets import ConnectingWallets
from coffers.store.engine import Store
from coffers.store.records import Account, AssetOverride
from coffers.valuation.model import Snapshot, Value
from factories import NOW, position
from fakes import FakeConnector
from served import LIST, Caller, Served, add_account, add_book, listening, serving

OPENED = Millis(NOW - MINUTE)
"""When an account that came in was read here for the first time."""


@dataclass
class Move:
    """Two servers: accounts are taken over from the one to the other."""

    source: Served
    here: Served
    caller: Caller
    importing: Importing
    hands: Hands
    address: ThreeCommas
    told: list[str] = field(default_factory=list)

    async def all(self, plan: Sequence[Planned] | None = None) -> list[Brought]:
        async def seen(account: Account) -> None:
            at_present = Snapshot(OPENED, Value(Decimal("0.5"), Decimal(25000)))
            async with self.here.services.store.transaction() as tx:
                await tx.history.add_snapshot(account.user_id, account.id, at_present)

        def given(planned: Planned) -> Mapping[str, str] | None:
            return {"secret": f"fake-secret of {planned.name}"}

        plan = await self.importing.plan() if plan is None else plan
        say = self.told.append
        return [await self.importing.bring(each, self.hands, given, seen, say) for each in plan]

    async def chart(self, of: str, since: str = "2025-09-01") -> list[dict[str, Decimal]]:
        target = f"{LIST}/{of}/balance_chart_data?date_from={since}"
        points: list[dict[str, Decimal]] = (await self.here.get(self.caller, target)).json()
        return points


@pytest.fixture
async def move(store: Store, tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Move]:
    copyfile(sqlite_template, tmp_path / "source.db")
    away = Store(f"sqlite:///{tmp_path / 'source.db'}")
    async with serving(away) as source, serving(store) as here, listening(source.app) as url:
        there = await source.caller("source")
        caller = await here.caller("ann")
        for served in (source, here):
            await add_book(served.services.store)
        auth = SignedAuth(there.api_key, there.secret)
        services, catalogue = here.services, here.services.catalogue
        venue = FakeConnector(Reading(NOW, frozenset({"spot"}), (position("BTC", "0.5"),)))
        chains = ChainConnector(shipped_chains(), None, 1.0, here.clock)
        fixed = services.vault, catalogue
        hands = Hands(
            Connecting(store, *fixed, venue, here.clock, "refuse_withdraw"),
            ConnectingWallets(store, *fixed, chains, here.clock),
            LooseAccounts(store, here.clock),
        )
        async with AsyncClient(url, auth, mode="real") as client:
            asked = ThreeCommas(client, "test")
            importing = Importing(store, catalogue, here.clock, asked, caller.user.id)
            yield Move(source, here, caller, importing, hands, asked)
        await chains.close()
    await away.close()


async def with_past(move: Move, name: str, **new: str) -> Account:
    """Add an account at the source, whose worth rose by 1,000 USD a day over its last month."""
    store = move.source.services.store
    user = (await move.source.caller("source")).user
    account = await add_account(store, user, name, **new)
    async with store.transaction() as tx:
        for day in range(30, 0, -1):
            worth = Value(Decimal("0.4"), Decimal(30_000 - 1000 * day))
            await tx.history.add_snapshot(
                user.id, account.id, Snapshot(Millis(NOW - day * DAY), worth)
            )
    return account


async def test_a_chart_shows_what_was_before_and_says_that_deposits_are_not_known(
    move: Move,
) -> None:
    await with_past(move, "Main")
    (brought,) = await move.all()
    assert brought.state == "done"
    points = await move.chart("1")
    before, own = points[:-1], points[-1]
    # The source connected it two days ago: what it was worth there before that is not asked for.
    assert list(dict.fromkeys(point["usd"] for point in before)) == [27_000, 28_000, 29_000]
    assert {point["usd_deposit_amount"] for point in before} == {None}
    assert (own["usd"], own["usd_deposit_amount"]) == (25_000, 25_000)


async def test_figures_begin_with_the_first_own_reading(move: Move) -> None:
    await with_past(move, "Main")
    await move.all()
    (account,) = (await move.here.get(move.caller)).json()
    assert (account["name"], account["api_key"]) == ("Main", "key-of-Main")
    async with move.here.services.store.reading() as tx:
        assert await tx.history.opening(1, 1) == Snapshot(
            OPENED, Value(Decimal("0.5"), Decimal(25_000))
        )


async def test_the_summarys_deposits_are_unknown_while_one_accounts_are(move: Move) -> None:
    other = await add_account(move.here.services.store, move.caller.user, "Own")
    await with_past(move, "Main")
    await move.all()
    points = await move.chart("summary")
    assert points[0]["usd"] == 27_000
    # From its own opening two days ago the other account counts, too.
    assert points[-2]["usd"] == 29_000 + 18_000
    assert {point["usd_deposit_amount"] for point in points[:-1]} == {None}
    assert points[-1]["usd_deposit_amount"] == 25_000
    alone = await move.chart(str(other.id))
    assert {point["usd_deposit_amount"] for point in alone} == {18_000, 0}


async def test_a_key_that_the_source_masks_is_asked_for_with_its_secret(move: Move) -> None:
    user = (await move.source.caller("source")).user
    for name, shown in (("Long", masked("yzNYzv8a0VEBwsrhc3MD")), ("Short", masked("k"))):
        await add_account(move.source.services.store, user, name, api_key=shown)
    plan = await move.importing.plan()
    assert [sorted(each.asks) for each in plan] == [["api_key", "secret"]] * 2


async def test_a_wallet_and_a_hand_kept_account_come_without_a_question(move: Move) -> None:
    bitcoin = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
    await with_past(move, "Cold", market_code="bitcoin_wallet", address=bitcoin, api_key="")
    user = (await move.source.caller("source")).user
    await add_account(
        move.source.services.store,
        user,
        "Drawer",
        market_code="manual",
        api_key="",
        held={"BTC": "0.25", "ETH": "2"},
    )
    cold, drawer = await move.all()
    assert (cold.state, drawer.state) == ("done", "done")
    async with move.here.services.store.reading() as tx:
        accounts = await tx.accounts.of_user(1)
        held = await tx.holdings.of_account(1, drawer.account_id or 0)
        events = await tx.audit.of_user(1)
    assert [each.address for each in accounts] == [bitcoin, None]
    assert {each.asset: each.free for each in held} == {
        "BTC": Decimal("0.25"),
        "ETH": Decimal(2),
    }
    assert [each.details for each in events if each.kind == "account_imported"] == [
        "from test, account 2",
        "from test, account 1",
    ]


async def test_a_token_that_is_shown_under_bitcoins_symbol_comes_as_the_token(move: Move) -> None:
    token = "ethereum:0x" + "ab" * 20
    store, user = move.source.services.store, (await move.source.caller("source")).user
    await add_account(store, user, "Drawer", market_code="manual", api_key="", held={token: "5"})
    async with store.transaction() as tx:
        await tx.choices.override(user.id, AssetOverride(token, symbol="BTC"), NOW)
    (drawer,) = await move.all()
    async with move.here.services.store.reading() as tx:
        held = await tx.holdings.of_account(1, drawer.account_id or 0)
    assert {each.asset: each.free for each in held} == {token: Decimal(5)}


async def test_a_hand_kept_account_with_an_unknown_asset_is_not_made_by_halves(
    move: Move,
) -> None:
    user = (await move.source.caller("source")).user
    await add_account(
        move.source.services.store,
        user,
        "Drawer",
        market_code="manual",
        held={"BTC": "1", "QQQQQ": "5"},
    )
    (brought,) = await move.all()
    assert brought.state == "failed"
    assert "'QQQQQ' is no known asset" in brought.told
    async with move.here.services.store.reading() as tx:
        assert await tx.accounts.of_user(1) == []


async def test_a_hand_kept_account_comes_once_from_a_server_with_two_addresses(move: Move) -> None:
    user, store = (await move.source.caller("source")).user, move.source.services.store
    drawer = await add_account(store, user, "Drawer", market_code="manual", held={"BTC": "1"})
    assert [each.state for each in await move.all()] == ["done"]
    move.address.name = "http://localhost"
    (same,) = await move.all()
    assert (same.state, same.account_id) == ("skipped", None)
    assert same.told.startswith("account 1 here has its name and came as account 1 of test")
    async with store.transaction() as tx:
        await tx.accounts.rename(user.id, drawer.id, "Another drawer", NOW)
    assert [each.state for each in await move.all()] == ["done"]


async def test_an_account_that_was_removed_here_comes_again_when_asked_for(move: Move) -> None:
    await with_past(move, "Main")
    (first,) = await move.all()
    async with move.here.services.store.transaction() as tx:
        await tx.accounts.remove(1, first.account_id or 0)
    (second,) = await move.all()
    assert second.state == "done"
    assert second.account_id != first.account_id


async def test_two_runs_at_once_bring_each_account_once(move: Move) -> None:
    await with_past(move, "Main")
    user = (await move.source.caller("source")).user
    store = move.source.services.store
    drawer = {"market_code": "manual", "api_key": "", "held": {"BTC": "0.25"}}
    await add_account(store, user, "Drawer", **drawer)
    other = await move.importing.plan()
    first = await move.all()
    second = await move.all(other)
    assert [(each.state, each.told) for each in [*first, *second]] == [("done", "")] * 4
    assert [each.account_id for each in first] == [each.account_id for each in second]
    async with move.here.services.store.reading() as tx:
        assert len(await tx.accounts.of_user(1)) == 2


async def test_a_refused_key_is_told_in_the_venues_words_alone(move: Move) -> None:
    await with_past(move, "Main")
    (planned,) = await move.importing.plan()

    class Refusing:
        async def connect(self, _asked: object) -> Account:
            raise InvalidRecord({"api_key": ["Binance refused the key"], "name": ["is taken"]})

    hands = replace(move.hands, exchanges=Refusing())

    async def seen(_account: Account) -> None:
        raise AssertionError

    brought = await move.importing.bring(
        planned, hands, lambda _planned: {"secret": "fake-secret"}, seen, move.told.append
    )
    assert (brought.state, brought.told) == ("failed", "Binance refused the key; name is taken")
