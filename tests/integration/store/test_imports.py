"""What was taken over from another service, on both databases."""

from decimal import Decimal

import stored
from coffers.clock import DAY, Millis
from coffers.store.engine import Store
from coffers.store.imports import Import
from factories import NOW

SOURCE = "https://money.test/public/api"


async def test_an_account_is_taken_over_once_and_holds_one_past(store: Store) -> None:
    owner = await stored.user(store)
    one, two = await stored.account(store, owner), await stored.account(store, owner, "Two")
    far = 2**33
    async with store.transaction() as tx:
        assert await tx.imports.link(owner.id, SOURCE, far, one.id)
        assert not await tx.imports.link(owner.id, SOURCE, far, two.id)
        assert not await tx.imports.link(owner.id, SOURCE, 8, one.id)
        assert not await tx.imports.link(owner.id, "elsewhere", 8, one.id)
        await tx.imports.advance(owner.id, SOURCE, far, Millis(NOW), is_complete=True)
        assert await tx.imports.of_source(owner.id, SOURCE) == {far: Import(far, one.id, NOW, True)}
        assert await tx.imports.of_source(owner.id, "elsewhere") == {}
        assert await tx.imports.linked(owner.id) == {one.id: (SOURCE, far)}


async def test_values_are_kept_exactly_and_once(store: Store) -> None:
    owner = await stored.user(store)
    known = await stored.account(store, owner)
    exact = stored.snapshot(NOW, "0.1000000000000000000000000000000000012")
    async with store.transaction() as tx:
        assert await tx.imports.add_values(owner.id, known.id, [exact]) == 1
        other = stored.snapshot(NOW, "7")
        assert await tx.imports.add_values(owner.id, known.id, [other]) == 0
        found = await tx.imports.at_moments(owner.id, [known.id], [Millis(NOW)])
    assert found == {known.id: [exact]}


async def test_the_values_at_moments_are_the_last_ones_until_then(store: Store) -> None:
    owner = await stored.user(store)
    one, two = await stored.account(store, owner), await stored.account(store, owner, "Two")
    days = [stored.snapshot(NOW + day * DAY, str(day + 1)) for day in range(4)]
    async with store.transaction() as tx:
        await tx.imports.add_values(owner.id, one.id, days)
        await tx.imports.add_values(owner.id, two.id, days[2:3])
        assert await tx.imports.openings(owner.id, [one.id, two.id, 99]) == {
            one.id: NOW,
            two.id: NOW + 2 * DAY,
        }
        moments = [Millis(NOW + hours) for hours in (-1, DAY // 2, DAY, 2 * DAY + 5)]
        found = await tx.imports.at_moments(owner.id, [one.id, two.id], moments)
        assert found == {one.id: days[:3], two.id: days[2:3]}
        assert await tx.imports.at_moments(owner.id + 1, [one.id], moments) == {}


async def test_with_the_account_all_that_came_with_it_goes(store: Store) -> None:
    owner = await stored.user(store)
    known = await stored.account(store, owner)
    async with store.transaction() as tx:
        await tx.imports.link(owner.id, SOURCE, 7, known.id)
        await tx.imports.add_values(owner.id, known.id, [stored.snapshot(NOW, "1")])
        assert await tx.accounts.remove(owner.id, known.id)
        assert await tx.imports.of_source(owner.id, SOURCE) == {}
        assert await tx.imports.openings(owner.id, [known.id]) == {}


async def test_imported_values_are_in_no_figure(store: Store) -> None:
    owner = await stored.user(store)
    known = await stored.account(store, owner)
    own = stored.snapshot(NOW, "3")
    async with store.transaction() as tx:
        await tx.history.add_snapshot(owner.id, known.id, own)
        earlier = stored.snapshot(NOW - 40 * DAY, "1")
        await tx.imports.add_values(owner.id, known.id, [earlier])
        found = await tx.history.windows(owner.id, [known.id], Millis(NOW), Millis(NOW + DAY))
        assert found[known.id].opening == own
        assert found[known.id].snapshots == (own,)
        assert own.value.usd != Decimal(0)
