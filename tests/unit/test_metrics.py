"""Counts that wait in memory come out as if they had been written one by one."""

import asyncio

from prometheus_client import CollectorRegistry, Counter, Histogram

from coffers.metrics import REGISTRY, Waiting, from_nothing

SPANS = [0.0001, 0.001, 0.002, 0.002, 3.0, 0.5]


def histograms() -> tuple[CollectorRegistry, Histogram, Histogram]:
    registry = CollectorRegistry()
    bounds = (0.001, 0.01, 0.5)
    one = Histogram("one", "Spans.", buckets=bounds, registry=registry)
    other = Histogram("other", "Spans.", buckets=bounds, registry=registry)
    return registry, one, other


async def test_spans_fall_into_the_buckets_that_the_library_finds() -> None:
    registry, one, other = histograms()
    waiting = Waiting()
    for span in SPANS:
        one.observe(span)
        waiting.observe(other, span)
    waiting.write()
    for sample in ("sum", "count"):
        expected = registry.get_sample_value(f"one_{sample}")
        assert registry.get_sample_value(f"other_{sample}") == expected
    for bound in ("0.001", "0.01", "0.5", "+Inf"):
        expected = registry.get_sample_value("one_bucket", {"le": bound})
        assert registry.get_sample_value("other_bucket", {"le": bound}) == expected


async def test_what_waits_is_written_by_itself() -> None:
    registry = CollectorRegistry()
    counter = Counter("calls", "Calls.", registry=registry)
    waiting, written = Waiting(), asyncio.Event()
    waiting.WITHIN = 0.001
    waiting.count(counter)
    waiting.count(counter)
    assert registry.get_sample_value("calls_total") == 0
    asyncio.get_running_loop().call_later(0.01, written.set)
    await written.wait()
    assert registry.get_sample_value("calls_total") == 2


def test_without_an_event_loop_nothing_waits() -> None:
    registry = CollectorRegistry()
    counter = Counter("calls", "Calls.", registry=registry)
    Waiting().count(counter)
    assert registry.get_sample_value("calls_total") == 1


def test_a_counter_can_be_there_before_its_first_count() -> None:
    registry = CollectorRegistry()
    counter = Counter("ends", "Ends.", ["kind", "state"], registry=registry)
    from_nothing(counter, ["a", "b"], ["failed"])
    for kind in ("a", "b"):
        assert registry.get_sample_value("ends_total", {"kind": kind, "state": "failed"}) == 0


def test_what_alarms_look_at_is_there_from_the_start() -> None:
    for name, labels in (
        ("requests", {"route": "unknown", "status": "500"}),
        ("worker_failures", {"error": "StoreUnavailable"}),
        ("worker_failures", {"error": "CoffersError"}),
        ("processes_ended", {}),
        ("webhooks_disabled", {}),
    ):
        assert REGISTRY.get_sample_value(f"coffers_{name}_total", labels) is not None


def test_nothing_is_told_beside_what_is_documented() -> None:
    names = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    assert not [name for name in names if name.endswith("_created")]
