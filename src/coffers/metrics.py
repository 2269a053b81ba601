"""Every metric of Coffers. Labels hold no secret and no user's data.

What processes do is counted in one registry. A server of several processes counts in files that
they share (`PROMETHEUS_MULTIPROC_DIR`, set by `coffers serve` before this module is imported), so
that any of them can tell the whole. What the database holds is a `Fact`: whoever is asked reads it
there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from coffers.counting import Waiting, shared_directory, take_over, told_by_all

REGISTRY = CollectorRegistry()
# A second series for each, which processes that count together do not tell either.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types here


def _latest(name: str, help_text: str) -> Gauge:
    """Return a gauge of which the value set last counts, whichever process set it."""
    return Gauge(name, help_text, registry=REGISTRY, multiprocess_mode="mostrecent")


waiting = Waiting()
"""What this process counts too often to write it each time."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A gauge that is read in the database whenever it is asked for, and kept by no process.

    So it is told while no worker runs, every process tells the same, and nothing stays of what is
    over.
    """

    name: str
    help_text: str
    label: str | None = None

    def of(self, values: float | Mapping[str, float]) -> GaugeMetricFamily:
        """Return the gauge with its value, or with one for each value of its label."""
        if not isinstance(values, Mapping):
            return GaugeMetricFamily(self.name, self.help_text, values)
        family = GaugeMetricFamily(self.name, self.help_text, labels=[self.label or ""])
        for labelled, value in values.items():
            family.add_metric([labelled], value)
        return family


class _Told(Collector):
    def __init__(self, facts: Iterable[GaugeMetricFamily]) -> None:
        self._facts = facts

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._facts


def exposition(facts: Iterable[GaugeMetricFamily] = ()) -> bytes:
    """Return metrics in the text format of Prometheus: those of all processes, and facts."""
    waiting.write()
    told = CollectorRegistry()
    told.register(_Told(facts))
    directory = shared_directory()
    counted = generate_latest(REGISTRY) if directory is None else told_by_all(directory)
    return counted + generate_latest(told)


def leave_out(pid: int) -> None:
    """Count no longer what a process had open that has ended: one that was killed could not say so.

    What it had counted up stays in the sums.
    """
    directory = shared_directory()
    if directory is not None:
        take_over(directory, pid)


def from_nothing(counter: Counter, *labels: Iterable[str]) -> None:
    """Let counters be there before anything is counted, for each combination of labels.

    Prometheus sees only that one rises: of one that begins with its first fault it never does.
    """
    for each in product(*labels):
        counter.labels(*each)


UNKNOWN_ROUTE = "unknown"
"""What a request is counted under whose address has no route."""

requests = Counter(
    "coffers_requests",
    "Requests answered, by route and HTTP status.",
    ["route", "status"],
    registry=REGISTRY,
)
request_seconds = Histogram(
    "coffers_request_seconds",
    "Time from a request's head to the end of its answer.",
    ["route"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 2.5),
    registry=REGISTRY,
)
from_nothing(requests, [UNKNOWN_ROUTE], ["500"])
list_bodies = Counter(
    "coffers_list_bodies",
    "Account lists, by where the body came from: ready, or rendered anew.",
    ["source"],
    registry=REGISTRY,
)
refusals = Counter(
    "coffers_refusals", "Calls that were refused, by wire error.", ["error"], registry=REGISTRY
)
streams = Gauge(
    "coffers_streams",
    "Streams of events that are open.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
streams_ended = Counter(
    "coffers_streams_ended",
    "Streams that ended, by reason: client, token, slow, shutdown, fault.",
    ["reason"],
    registry=REGISTRY,
)
webhook_deliveries = Counter(
    "coffers_webhook_deliveries",
    "Tries to send an event to a webhook, by outcome: delivered, refused, unreachable, timeout, "
    "blocked.",
    ["outcome"],
    registry=REGISTRY,
)
webhooks_disabled = Counter(
    "coffers_webhooks_disabled",
    "Webhooks that were given up, since they failed for too long or said that they are gone.",
    registry=REGISTRY,
)
price_failures = Counter(
    "coffers_price_failures",
    "Rounds of prices in which a venue, or another source, failed or told nothing.",
    ["venue"],
    registry=REGISTRY,
)
syncs = Counter(
    "coffers_syncs",
    "Readings of accounts, by venue and outcome: complete, partial, held_back, or the failure.",
    ["venue", "outcome"],
    registry=REGISTRY,
)
sync_seconds = Histogram(
    "coffers_sync_seconds",
    "Time of one account's reading, the venue's share included.",
    ["venue"],
    registry=REGISTRY,
)
leader = Gauge(
    "coffers_leader",
    "Whether this worker does the work that one of them does for all: prices, accounts, balance.",
    ["work"],
    registry=REGISTRY,
    multiprocess_mode="livemostrecent",
)
unvalued_flows = Counter(
    "coffers_unvalued_flows", "Flows whose worth could not be found yet.", registry=REGISTRY
)
history_steps = Counter(
    "coffers_history_steps",
    "Steps back through old deposits and withdrawals, by venue and outcome: walked, complete, "
    "valued, or the failure.",
    ["venue", "outcome"],
    registry=REGISTRY,
)
worker_failures = Counter(
    "coffers_worker_failures",
    "Pieces of the worker's work that failed for a reason of ours, by kind of error.",
    ["error"],
    registry=REGISTRY,
)
from_nothing(worker_failures, ["CoffersError", "StoreUnavailable"])
processes_ended = Counter(
    "coffers_processes_ended",
    "Processes of a server that ended unasked, and were started again.",
    registry=REGISTRY,
)
snapshots_rolled_up = Counter(
    "coffers_snapshots_rolled_up",
    "Snapshots that were removed since a later one of their slot is kept, by tier.",
    ["tier"],
    registry=REGISTRY,
)
auto_balances = Counter(
    "coffers_auto_balances",
    "Runs of rebalancing, by how they ended.",
    ["outcome"],
    registry=REGISTRY,
)
errands = Counter(
    "coffers_errands",
    "What API processes asked of workers, by kind and by whether it was done or failed.",
    ["kind", "outcome"],
    registry=REGISTRY,
)
operations = Counter(
    "coffers_operations",
    "Orders, conversions and transfers that were asked for, by kind and by how they ended.",
    ["kind", "state"],
    registry=REGISTRY,
)
venue_listings = Counter(
    "coffers_venue_listings",
    "Calls for what a venue lists, by venue, subject (pairs, rates) and outcome: done, or the "
    "failure.",
    ["venue", "subject", "outcome"],
    registry=REGISTRY,
)
notices_down = _latest(
    "coffers_notices_down",
    "1 while a process hears no notices of PostgreSQL and looks more often instead, else 0.",
)
valkey_down = _latest(
    "coffers_valkey_down", "1 while the server that processes share cannot be reached, else 0."
)
valkey_misses = Counter(
    "coffers_valkey_misses",
    "Decisions that a process made by itself while the shared server was gone, by use.",
    ["use"],
    registry=REGISTRY,
)

price_epoch = Fact("coffers_price_epoch", "The number of the newest price book.")
price_age = Fact(
    "coffers_price_age_seconds",
    "Age of the newest price book, while one is needed; infinite before the first.",
)
priced_assets = Fact("coffers_priced_assets", "Assets that have a price in the newest book.")
prices_held_back = Fact(
    "coffers_prices_held_back", "Assets whose price leapt and is not believed yet."
)
syncs_overdue = Fact(
    "coffers_syncs_overdue", "Accounts whose next reading has been due for more than a minute."
)
accounts_locked = Fact(
    "coffers_accounts_locked", "Accounts locked because their keys were refused."
)
accounts_failing = Fact(
    "coffers_accounts_failing",
    "Accounts that the last try could not read, locked ones aside.",
    "venue",
)
histories_open = Fact(
    "coffers_histories_open", "Accounts whose old deposits are not known as far back as they go."
)
webhooks_waiting = Fact(
    "coffers_webhook_deliveries_waiting", "Deliveries to webhooks that have not arrived yet."
)
work_led = Fact(
    "coffers_work_led",
    "Whether a worker does the work that one of them does for all: prices, accounts, balance.",
    "work",
)
rollup_lag = Fact(
    "coffers_snapshot_rollup_lag_seconds",
    "For how long snapshots have been waiting to be rolled up, by tier.",
    "tier",
)
venue_listing_age = Fact(
    "coffers_venue_listing_age_seconds",
    "Age of what is known of a venue's pairs, of those that are kept up; infinite before any is.",
    "venue",
)
FACTS = (
    price_epoch,
    price_age,
    priced_assets,
    prices_held_back,
    syncs_overdue,
    accounts_locked,
    accounts_failing,
    histories_open,
    webhooks_waiting,
    work_led,
    rollup_lag,
    venue_listing_age,
)
"""All that is read in the database."""
