"""Counts of processes that have ended, in the files that those which live read."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coffers import counting, metrics

COUNTING = """
import os, sys
from coffers import metrics
metrics.syncs.labels("binance", "complete").inc(int(sys.argv[1]))
metrics.request_seconds.labels("/one").observe(0.02)
metrics.streams.inc()
metrics.valkey_down.set(int(sys.argv[1]))
print(os.getpid(), flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


def test_what_was_counted_stays_and_what_was_open_does_not(directory: Path) -> None:
    for number in (1, 2, 4):
        metrics.leave_out(_killed(number))
    told = metrics.exposition()
    assert _value(told, 'coffers_syncs_total{outcome="complete",venue="binance"}') == 7
    assert _value(told, 'coffers_request_seconds_count{route="/one"}') == 3
    assert _value(told, 'coffers_request_seconds_bucket{le="0.025",route="/one"}') == 3
    assert _value(told, "coffers_valkey_down") == 4
    assert b"\ncoffers_streams " not in told


def test_processes_that_die_again_and_again_take_the_room_of_one(directory: Path) -> None:
    metrics.leave_out(_killed(1))
    before = {path.name: path.stat().st_size for path in directory.iterdir()}
    for _ in range(3):
        metrics.leave_out(_killed(1))
    assert {path.name: path.stat().st_size for path in directory.iterdir()} == before


def test_a_process_that_was_killed_as_it_began_to_count_harms_nothing(directory: Path) -> None:
    (directory / "counter_77.db").touch()
    metrics.leave_out(77)
    assert not (directory / "counter_77.db").exists()
    assert metrics.exposition() is not None


def test_nobody_reads_a_sum_that_falls_or_counts_twice(directory: Path) -> None:
    pids = [_killed(1) for _ in range(6)]
    name = 'coffers_syncs_total{outcome="complete",venue="binance"}'
    with ThreadPoolExecutor(1) as others:
        taking = others.submit(lambda: [counting.take_over(directory, pid) for pid in pids])
        while not taking.done():
            assert _value(counting.told_by_all(directory), name) == 6
        taking.result()
    assert _value(counting.told_by_all(directory), name) == 6


def _killed(number: int) -> int:
    """Return the id of a process that counted and was killed."""
    command = [sys.executable, "-c", COUNTING, str(number)]
    found = subprocess.run(command, check=False, stdout=subprocess.PIPE)  # noqa: S603
    return int(found.stdout)


def _value(told: bytes, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", told.decode(), re.MULTILINE)
    assert found is not None, told.decode()
    return float(found[1])
