"""What `/metrics` reads in the database: told without a worker, and nothing of what is over."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from math import inf

import pytest
from prometheus_client.core import GaugeMetricFamily

from coffers.api import probes
from coffers.api.facts import facts
from coffers.api.services import Services
from coffers.clock import DAY, HOUR, MINUTE, SECOND, Millis
from coffers.store.engine import Store
from coffers.store.leases import ACCOUNTS, PRICES
from coffers.store.records import Account, AccountStatus
from coffers.store.rollups import HOURLY
from coffers.store.venue_tasks import PAIRS, Task
from served import NOW, Served, add_account, add_book, read_account, serving


@pytest.fixture
async def api(store: Store) -> AsyncIterator[Served]:
    async with serving(store) as served:
        yield served


async def told(api: Served) -> dict[str, float]:
    """Return what the database tells, by the name with its label."""
    scraped = (await api.http.get("/metrics")).text
    lines = re.findall(r"^coffers_(\w+(?:\{[^}]*\})?) (\S+)$", scraped, re.MULTILINE)
    return {name: float(value) for name, value in lines}


async def test_accounts_are_counted_without_a_worker(api: Served) -> None:
    caller = await api.caller()
    store = api.services.store
    found = await told(api)
    assert (found["syncs_overdue"], found["accounts_locked"]) == (0, 0)
    account = await add_account(store, caller.user)
    await add_account(store, caller.user, "Other")
    await read_account(store, account, {}, next_sync_at=Millis(NOW - MINUTE - 1))
    async with store.transaction() as tx:
        own = account.user_id, account.id
        await tx.accounts.record_status(
            *own,
            AccountStatus(
                replace(account.sync, next_sync_at=Millis(NOW - HOUR)),
                "expired",
                is_locked=True,
                lock_reason="invalid_api_key",
            ),
            NOW,
        )
        await tx.walks.begin(*own, NOW, NOW)
    found = await told(api)
    assert (found["syncs_overdue"], found["accounts_locked"]) == (1, 1)
    assert (found["histories_open"], found["webhook_deliveries_waiting"]) == (1, 0)


async def test_prices_have_an_age_as_long_as_somebody_needs_them(api: Served) -> None:
    store, caller = api.services.store, await api.caller()
    assert "price_epoch" not in await told(api)
    await add_book(store)
    api.clock.advance(MINUTE)
    found = await told(api)
    assert (found["price_epoch"], found["priced_assets"], found["prices_held_back"]) == (1, 3, 0)
    # Without an account none are asked for.
    assert "price_age_seconds" not in found
    account = await add_account(store, caller.user)
    assert (await told(api))["price_age_seconds"] == 60
    async with store.transaction() as tx:
        await tx.accounts.remove(account.user_id, account.id)
    assert "price_age_seconds" not in await told(api)


async def test_prices_that_never_came_are_infinitely_old(api: Served) -> None:
    await add_account(api.services.store, (await api.caller()).user)
    found = await told(api)
    assert found["price_age_seconds"] == inf
    assert "price_epoch" not in found


async def test_accounts_that_cannot_be_read_are_counted_by_market(api: Served) -> None:
    store, caller = api.services.store, await api.caller()
    account = await add_account(store, caller.user)
    other = await add_account(store, caller.user, "Other")
    name = f'accounts_failing{{venue="{account.market_code}"}}'
    assert name not in await told(api)
    await _fail(store, account)
    await _fail(store, other)
    assert (await told(api))[name] == 2
    # What is locked is told as that.
    await _fail(store, other, is_locked=True)
    assert (await told(api))[name] == 1
    await read_account(store, account, {})
    assert name not in await told(api)


async def _fail(store: Store, account: Account, *, is_locked: bool = False) -> None:
    async with store.transaction() as tx:
        await tx.accounts.record_status(
            account.user_id,
            account.id,
            AccountStatus(
                replace(account.sync, failures=1, failure_kind="region_refused"),
                "valid",
                is_locked=is_locked,
                lock_reason=None,
            ),
            NOW,
        )


async def test_a_silent_database_keeps_no_metrics_back(
    api: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = asyncio.Event()
    asked = 0

    async def silent(services: Services) -> list[GaugeMetricFamily]:
        nonlocal asked
        asked += 1
        await answers.wait()
        return await facts(services)

    monkeypatch.setattr(probes, "facts", silent)
    monkeypatch.setattr(probes, "FACTS_WITHIN", 0.01)
    for _ in range(2):
        scraped = (await api.http.get("/metrics")).text
        assert "coffers_requests_total" in scraped
        assert "coffers_work_led" not in scraped
    # It is asked once, however often somebody asks for metrics meanwhile.
    assert asked == 1
    answers.set()
    monkeypatch.setattr(probes, "FACTS_WITHIN", 10)
    assert 'work_led{work="prices"}' in await told(api)


async def test_work_is_led_while_a_worker_renews_its_lease(api: Served) -> None:
    store = api.services.store
    for work in (PRICES, ACCOUNTS):
        assert (await told(api))[f'work_led{{work="{work}"}}'] == 0
    async with store.transaction() as tx:
        await tx.leases.take(PRICES, "one", now=NOW, until=Millis(NOW + 12 * SECOND))
    assert (await told(api))['work_led{work="prices"}'] == 1
    # Clocks of machines may differ by less than a minute.
    api.clock.advance(12 * SECOND + MINUTE)
    assert (await told(api))['work_led{work="prices"}'] == 1
    api.clock.advance(1)
    found = await told(api)
    assert found['work_led{work="prices"}'] == found['work_led{work="balance"}'] == 0
    # One that a clock ahead gave is nobody's by now: its holder would have renewed it.
    api.clock.advance(-DAY)
    assert (await told(api))['work_led{work="prices"}'] == 0


async def test_the_lag_of_roll_ups_is_told_once_they_have_begun(api: Served) -> None:
    store = api.services.store
    assert not any(name.startswith("snapshot_rollup_lag") for name in await told(api))
    async with store.transaction() as tx:
        await tx.rollups.roll_up(HOURLY, NOW)
    assert (await told(api))['snapshot_rollup_lag_seconds{tier="hourly"}'] == 0
    api.clock.set(HOURLY.due_to(NOW) + HOURLY.age + HOURLY.span + DAY)
    assert (await told(api))['snapshot_rollup_lag_seconds{tier="hourly"}'] == DAY / SECOND


async def test_listings_have_an_age_while_they_are_kept_up(api: Served) -> None:
    store, kraken = api.services.store, Task("kraken", PAIRS)
    async with store.transaction() as tx:
        await tx.venue_tasks.schedule(kraken, NOW)
    assert (await told(api))['venue_listing_age_seconds{venue="kraken"}'] == inf
    for due_at in (Millis(NOW + HOUR), None):
        async with store.transaction() as tx:
            await tx.venue_tasks.schedule(kraken, NOW)
            assert await tx.venue_tasks.take(kraken, "me", Millis(NOW + HOUR), Millis(NOW + DAY))
            assert await tx.venue_tasks.done(kraken, "me", NOW, due_at)
        api.clock.set(NOW + MINUTE)
        ages = [value for name, value in (await told(api)).items() if "listing_age" in name]
        assert ages == ([] if due_at is None else [60])
