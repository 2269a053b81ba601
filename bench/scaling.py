"""What a second process of the API brings: requests a second, and what a request costs then.

Several connections ask at once, from processes of their own. How many requests a second there are
says something only where processors are free for the servers and for those who ask; what a request
costs in processor time says everywhere whether the processes hinder each other.
"""

import multiprocessing
import os
import time
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client
from bench.processes import Server, median_of
from bench.results import Row, Target
from bench.seed import PATH, Listed
from bench.servers import api

ASKING = 4
"""Connections that ask at once, each from its own process."""

ROUNDS = 5
SECONDS = 1.5
FREE_PROCESSORS = 2 + ASKING
MORE = Target(1.7, is_least=True)
AS_DEAR = Target(1.1)


@dataclass(frozen=True, slots=True)
class _Rate:
    per_second: float
    cost: float  # of a request, in microseconds


def measure_scaling(data_dir: Path, listed: Listed) -> list[Row]:
    """Return the rows of two processes against one."""
    found: dict[int, list[_Rate]] = {1: [], 2: []}
    with api(data_dir) as one, api(data_dir, options=("--workers", "2")) as two:
        for server in (one, two):
            server.unsettle()
        for _ in range(ROUNDS):
            for number, server in ((1, one), (2, two)):
                found[number].append(_rate(server, listed))
    pairs = list(zip(found[1], found[2], strict=True))
    name = f"two processes, list of {listed.accounts}"
    has_room = (os.cpu_count() or 1) >= FREE_PROCESSORS
    return [
        Row(
            f"{name}, requests a second",
            median_of([two.per_second for _, two in pairs]),
            "/s",
            "one process" if has_room else "one process; too few processors to tell",
            median_of([one.per_second for one, _ in pairs]),
            median_of([two.per_second / one.per_second for one, two in pairs]),
            MORE if has_room else None,
        ),
        Row(
            f"{name}, server CPU per request",
            median_of([two.cost for _, two in pairs]),
            "us",
            "one process",
            median_of([one.cost for one, _ in pairs]),
            median_of([two.cost / one.cost for one, two in pairs]),
            AS_DEAR,
        ),
    ]


def _rate(server: Server, listed: Listed) -> _Rate:
    with multiprocessing.get_context("spawn").Pool(ASKING) as pool:
        pool.map(abs, range(ASKING))  # they are there
        before, begun = server.cpu_ns(), time.perf_counter()
        asked = pool.starmap(_ask, [(server.port, listed.headers)] * ASKING, chunksize=1)
        spent = time.perf_counter() - begun
        cost = (server.cpu_ns() - before) / sum(asked) / 1000
    return _Rate(sum(asked) / spent, cost)


def _ask(port: int, headers: dict[str, str]) -> int:
    """Ask for as long as is measured; return how often."""
    until, asked = time.monotonic() + SECONDS, 0
    with Client(port, PATH, headers) as client:
        while time.monotonic() < until:
            client.get()
            asked += 1
    return asked
