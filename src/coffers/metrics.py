"""Every metric of Coffers, in one registry. Labels hold no secret and no user's data."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

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
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5),
    registry=REGISTRY,
)
list_bodies = Counter(
    "coffers_list_bodies",
    "Account lists, by where the body came from: ready, or rendered anew.",
    ["source"],
    registry=REGISTRY,
)
refusals = Counter(
    "coffers_refusals", "Calls that were refused, by wire error.", ["error"], registry=REGISTRY
)
price_epoch = Gauge(
    "coffers_price_epoch", "The number of the newest price book seen.", registry=REGISTRY
)
price_age = Gauge("coffers_price_age_seconds", "Age of the newest price book.", registry=REGISTRY)
priced_assets = Gauge(
    "coffers_priced_assets", "Assets that have a price in the newest book.", registry=REGISTRY
)
price_failures = Counter(
    "coffers_price_failures", "Failed ticker calls, by venue.", ["venue"], registry=REGISTRY
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
syncs_overdue = Gauge(
    "coffers_syncs_overdue", "Accounts whose next reading is past due.", registry=REGISTRY
)
accounts_locked = Gauge(
    "coffers_accounts_locked", "Accounts locked because their keys were refused.", registry=REGISTRY
)
unvalued_flows = Counter(
    "coffers_unvalued_flows", "Flows whose worth could not be found yet.", registry=REGISTRY
)
