"""What the database tells to whoever asks for metrics, read anew each time."""

from collections.abc import AsyncIterator
from math import inf
from typing import Final

from prometheus_client.core import GaugeMetricFamily

from coffers import metrics
from coffers.api.services import Services
from coffers.clock import MINUTE, SECOND, Millis, is_recent
from coffers.store.engine import Transaction
from coffers.store.leases import WORKS
from coffers.store.rollups import TIERS
from coffers.store.venue_tasks import PAIRS
from coffers.valuation.model import PriceBook

LEASE_GRACE: Final = MINUTE
"""By how much clocks of machines may differ before somebody's lease looks as if it had run out."""


async def facts(services: Services) -> list[GaugeMetricFamily]:
    """Return all facts.

    Raises:
        StoreUnavailable: when the database cannot be read.
    """
    now, book = services.clock.now(), await services.shelf.newest()
    async with services.store.reading() as tx:
        found = [each async for each in _of_database(tx, now)]
        is_needed = bool(await tx.accounts.venues_in_use())
    if is_needed:  # without an account no prices are asked for
        found.append(metrics.price_age.of(_age(None if book is None else book.at, now)))
    return found if book is None else [*found, *_of_prices(book)]


async def _of_database(tx: Transaction, now: Millis) -> AsyncIterator[GaugeMetricFamily]:
    counts = await tx.accounts.counts(now)
    yield metrics.syncs_overdue.of(counts.overdue)
    yield metrics.accounts_locked.of(counts.locked)
    yield metrics.accounts_failing.of(await tx.accounts.failing())
    yield metrics.histories_open.of(await tx.walks.count_open())
    yield metrics.webhooks_waiting.of(await tx.deliveries.count_waiting())
    leases = {work: await tx.leases.get(work) for work in WORKS}
    yield metrics.work_led.of(
        {
            work: lease is not None and is_recent(lease.until, LEASE_GRACE + 1, now)
            for work, lease in leases.items()
        }
    )
    progress = await tx.rollups.progress()
    yield metrics.rollup_lag.of(
        {
            tier.name: progress[tier.name].lag(tier, now) / SECOND
            for tier in TIERS
            if tier.name in progress
        }
    )
    # One that nobody is interested in any more is at no time due, and grows old for ever.
    listed = {
        venue: _age(standing.done_at, now)
        for venue, standing in (await tx.venue_tasks.of_subject(PAIRS)).items()
        if standing.due_at is not None
    }
    yield metrics.venue_listing_age.of(listed)


def _of_prices(book: PriceBook) -> list[GaugeMetricFamily]:
    return [
        metrics.price_epoch.of(book.epoch),
        metrics.priced_assets.of(len(book.prices)),
        metrics.prices_held_back.of(len(book.held_back)),
    ]


def _age(at: Millis | None, now: Millis) -> float:
    """Return an age in seconds: of what should be there and never was it is infinite."""
    return inf if at is None else (now - at) / SECOND
