"""What a user does with accounts, on both databases: names, removal, and whose they are."""

import pytest

import stored
from coffers.clock import ManualClock
from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio.accounts import MOST_ID, AccountKeeping
from coffers.portfolio.users import Users
from coffers.store.engine import Store
from factories import NOW

LATER = NOW + 60_000


def keeping(store: Store) -> AccountKeeping:
    return AccountKeeping(store, ManualClock(LATER))


async def events(store: Store, user_id: int) -> list[tuple[str, str, str]]:
    async with store.reading() as tx:
        found = await tx.audit.of_user(user_id)
    return [(event.kind, event.subject, event.details) for event in found]


async def test_a_new_name_is_a_change_that_lists_see_and_that_is_kept(store: Store) -> None:
    ann = await stored.user(store)
    known = await stored.account(store, ann, "Old")
    before = await stored.fresh(store, ann)
    renamed = await keeping(store).rename(ann.id, known.id, "  New name ")
    assert (renamed.name, renamed.version, renamed.updated_at) == ("New name", 2, LATER)
    assert (await stored.fresh(store, ann)).version == before.version + 1
    assert await events(store, ann.id) == [("account_renamed", str(known.id), "Old -> New name")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (" x ", "is too short (minimum is 2 characters)"),
        ("x" * 101, "is too long (maximum is 100 characters)"),
        ("a\0b", "is invalid"),
    ],
)
async def test_a_name_that_cannot_be(sqlite_store: Store, name: str, said: str) -> None:
    ann = await stored.user(sqlite_store)
    known = await stored.account(sqlite_store, ann, "Old")
    with pytest.raises(InvalidRecord) as raised:
        await keeping(sqlite_store).rename(ann.id, known.id, name)
    assert raised.value.attributes == {"name": [said]}
    assert (await stored.seen(sqlite_store, known)).name == "Old"


async def test_what_is_nobodys_or_somebody_elses_is_not_found(store: Store) -> None:
    ann, bob = await stored.user(store), await stored.user(store, "bob")
    theirs = await stored.account(store, bob)
    for account_id in (theirs.id, 999, MOST_ID + 1, 10**10):
        with pytest.raises(NotFound):
            await keeping(store).get(ann.id, account_id)
        with pytest.raises(NotFound):
            await keeping(store).rename(ann.id, account_id, "Mine")
        with pytest.raises(NotFound):
            await keeping(store).remove(ann.id, account_id)
    assert await stored.seen(store, theirs) == theirs
    assert await events(store, ann.id) == []


async def test_the_summary_has_the_accounts_of_one_mode_that_are_wanted_there(store: Store) -> None:
    ann = await stored.user(store)
    one = await stored.account(store, ann, "1")
    await stored.account(store, ann, "2", include_in_summary=False)
    paper = await stored.account(store, ann, "3", mode="paper")
    await stored.account(store, await stored.user(store, "bob"), "4")
    assert await keeping(store).in_summary(ann.id, "real") == [one]
    assert await keeping(store).in_summary(ann.id, "paper") == [paper]


async def test_a_mode_is_kept_and_is_a_change_that_lists_see(store: Store) -> None:
    ann = await stored.user(store)
    users = Users(store, ManualClock(LATER))
    await users.choose_mode(ann.id, "paper")
    chosen = await users.get(ann.id)
    assert (chosen.mode, chosen.version) == ("paper", ann.version + 1)
    assert await events(store, ann.id) == [("mode_chosen", str(ann.id), "paper")]


@pytest.mark.parametrize("mode", ["", "demo", "REAL"])
async def test_a_mode_that_there_is_not(sqlite_store: Store, mode: str) -> None:
    ann = await stored.user(sqlite_store)
    with pytest.raises(InvalidRecord) as raised:
        await Users(sqlite_store, ManualClock(LATER)).choose_mode(ann.id, mode)
    assert raised.value.attributes == {"mode": ["does not have a valid value"]}


async def test_a_user_that_there_is_not(sqlite_store: Store) -> None:
    with pytest.raises(NotFound):
        await Users(sqlite_store, ManualClock(LATER)).get(99)
