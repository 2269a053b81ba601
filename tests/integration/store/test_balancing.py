"""Portfolios and the runs of rebalancing, kept on both databases."""

from dataclasses import replace
from decimal import Decimal

import stored
from coffers.clock import HOUR, MINUTE, Millis
from coffers.store.balancing import Due
from coffers.store.engine import Store
from coffers.store.records import Account, AutoBalance, BalanceState, Portfolio
from factories import NOW

HALVES = {"BTC": Decimal("50.5"), "ETH": Decimal("49.5")}
UNTIL = Millis(NOW + MINUTE)


def portfolio(user_id: int, name: str = "Halves") -> Portfolio:
    return Portfolio(0, user_id, name, HALVES, Decimal("1.5"), True, NOW, NOW)


async def rebalanced(
    store: Store, known: Account, state: BalanceState, method: str = "time", **said: object
) -> None:
    settings = AutoBalance(enabled=True, portfolio_id=1, method=method, **said)  # type: ignore[arg-type]
    async with store.transaction() as tx:
        await tx.accounts.set_auto_balance(known.user_id, known.id, settings, NOW)
        await tx.balancing.put(known.user_id, known.id, state)


async def test_a_portfolio_comes_back_as_it_was_put(store: Store) -> None:
    ann, bob = await stored.user(store), await stored.user(store, "bob")
    async with store.transaction() as tx:
        made = await tx.portfolios.add(portfolio(ann.id))
        other = await tx.portfolios.add(portfolio(ann.id, "Other"))
        await tx.portfolios.add(portfolio(bob.id))
    anew = replace(made, name="All", targets={"SOL": Decimal(100)}, sells_others=False)
    async with store.transaction() as tx:
        assert await tx.portfolios.get(ann.id, made.id, is_held=True) == made
        assert await tx.portfolios.get(bob.id, made.id) is None
        assert await tx.portfolios.replace(anew)
        assert not await tx.portfolios.replace(replace(anew, user_id=bob.id))
        assert await tx.portfolios.page(ann.id, limit=5) == [anew, other]
        assert await tx.portfolios.page(ann.id, limit=5, after=made.id) == [other]
        assert await tx.portfolios.page(ann.id, limit=1, offset=1) == [other]
        assert await tx.portfolios.count(ann.id) == 2
        assert await tx.portfolios.remove(ann.id, other.id)
        assert not await tx.portfolios.remove(ann.id, other.id)
        assert await tx.portfolios.page(ann.id, limit=5) == [anew]


async def test_settings_are_shown_and_grow_versions(store: Store) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    settings = AutoBalance(True, 5, 9, 3, "currency_change", NOW, "it failed")
    async with store.transaction() as tx:
        assert await tx.accounts.set_auto_balance(ann.id, known.id, settings, NOW)
        assert not await tx.accounts.set_auto_balance(ann.id, known.id + 1, settings, NOW)
        assert await tx.portfolios.users_of(ann.id, 9) == [known.id]
    seen = await stored.seen(store, known)
    assert (seen.auto_balance, seen.version) == (settings, known.version + 1)
    assert (await stored.fresh(store, ann)).version == ann.version + 2


async def test_what_is_due_is_found_and_what_waits_for_prices_is_not(store: Store) -> None:
    ann = await stored.user(store)
    names = ("Due", "Later", "Off", "Waiting", "Begun")
    due, later, off, waiting, begun = [await stored.account(store, ann, name) for name in names]
    await rebalanced(store, due, BalanceState(NOW))
    await rebalanced(store, later, BalanceState(Millis(NOW + 1)))
    await rebalanced(store, off, BalanceState(None))
    prices = {"BTC": Decimal("50000.5")}
    limited = {"currency_change_limit": 7}
    await rebalanced(store, waiting, BalanceState(NOW, prices=prices), "currency_change", **limited)
    await rebalanced(store, begun, BalanceState(None))
    async with store.transaction() as tx:
        await tx.balancing.claim(ann.id, begun.id, "gone", now=NOW, until=Millis(NOW + 5))
        assert await tx.balancing.due(NOW, 9) == [(ann.id, due.id, NOW)]
        assert (ann.id, begun.id, None) in await tx.balancing.due(Millis(NOW + 6), 9)
        (found,) = await tx.balancing.watched(NOW, 9)
        assert (found.account_id, found.next_at) == (waiting.id, NOW)
        assert (found.limit, found.prices) == (7, prices)
        assert await tx.balancing.watched(NOW, 9, waiting.id) == []


async def test_a_run_has_one_holder_and_keeps_its_moment_until_it_ends(store: Store) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    own = ann.id, known.id
    await rebalanced(store, known, BalanceState(NOW))
    async with store.transaction() as tx:
        assert await tx.balancing.claim(*own, "one", now=NOW, until=UNTIL) == NOW
    async with store.transaction() as tx:
        assert await tx.balancing.claim(*own, "two", now=NOW, until=UNTIL) is None
        assert await tx.balancing.extend(*own, "one", Millis(UNTIL + 1))
        assert not await tx.balancing.extend(*own, "two", UNTIL)
    later = Millis(NOW + HOUR)
    async with store.transaction() as tx:
        assert await tx.balancing.claim(*own, "two", now=later, until=later) == NOW
        state = BalanceState(later, prices={"BTC": Decimal("1.5")})
        assert not await tx.balancing.finish(*own, "one", state)
        assert await tx.balancing.finish(*own, "two", state)
        assert await tx.balancing.get(*own) == state
        assert await tx.balancing.claim(*own, "one", now=later, until=later) == later


async def test_a_run_that_failed_is_gone_on_with_after_its_wait(store: Store) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    own = ann.id, known.id
    await rebalanced(store, known, BalanceState(NOW))
    async with store.transaction() as tx:
        await tx.balancing.claim(*own, "one", now=NOW, until=UNTIL)
        await tx.balancing.finish(*own, "one", BalanceState(UNTIL, 1, planned_at=NOW))
        assert await tx.balancing.due(NOW, 9) == []
        assert await tx.balancing.due(UNTIL, 9) == [(*own, UNTIL)]


async def test_what_is_due_is_claimed_only_as_it_was_found(store: Store) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    own = ann.id, known.id
    await rebalanced(store, known, BalanceState(NOW))
    claim = {"now": UNTIL, "until": UNTIL}
    async with store.transaction() as tx:
        [due] = await tx.balancing.due(NOW, 9)
        for state in (BalanceState(None), BalanceState(Millis(NOW + 1)), BalanceState(UNTIL, 1)):
            await tx.balancing.put(*own, state)
            assert await tx.balancing.claim(*own, "one", **claim, due=due) is None
            assert await tx.balancing.claim(*own, "one", **claim, due=Due(*own, None)) is None
        # What was begun is gone on with, also by whoever found it switched off.
        assert await tx.balancing.claim(*own, "two", now=NOW, until=NOW) == NOW
        await tx.balancing.put(*own, BalanceState(None))
        assert await tx.balancing.claim(*own, "one", **claim, due=Due(*own, None)) == NOW


async def test_an_account_takes_its_runs_along(store: Store) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann)
    await rebalanced(store, known, BalanceState(NOW))
    async with store.transaction() as tx:
        await tx.accounts.remove(ann.id, known.id)
        assert await tx.balancing.get(ann.id, known.id) is None
        assert await tx.balancing.claim(ann.id, known.id, "one", now=NOW, until=UNTIL) is None
        assert not await tx.balancing.remove(ann.id, known.id)
