"""What a signed list costs the server, against the same bytes served as they are.

Processor time of the server's processes per request, over sequential requests on one connection.
The servers take turns within each round, so that what else happens on the machine meets them all.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import nginx
from bench.client import Client
from bench.processes import Server, coffers, free_port, median_of, running
from bench.results import Row, Target
from bench.seed import PATH, Listed, new_book, settings_in

from coffers.store.engine import Store

ROUNDS = 9
REQUESTS = {1: 600, 100: 300}
"""Requests a round, by the number of accounts in the list."""

COLD_ROUNDS = 40
WARM_TARGETS = {1: Target(0.35, is_least=True), 100: Target(0.5, is_least=True)}
COLD_TARGETS = {100: Target(8.0, of_value=True)}
STATIC = "static raw ASGI route"


@dataclass(frozen=True, slots=True)
class Runner:
    """A server and a connection to it that asks for the list, or for the bytes of one."""

    name: str
    server: Server
    client: Client

    def cost(self, requests: int) -> float:
        """Return the server's processor time per request, in microseconds."""
        begun = self.server.cpu_ns()
        for _ in range(requests):
            if self.client.get().status != 200:  # noqa: PLR2004 - HTTP's
                raise RuntimeError(f"{self.name} did not answer with 200")
        return (self.server.cpu_ns() - begun) / requests / 1000


@contextmanager
def api(data_dir: Path) -> Iterator[Server]:
    """Run the API alone, without limits, on a seeded database."""
    port = free_port()
    env = {
        "COFFERS_DATA_DIR": str(data_dir),
        "COFFERS_LIMITS_ENABLED": "false",
        "COFFERS_LOG_LEVEL": "error",
    }
    command = coffers("serve", "--no-worker", "--port", str(port))
    with running(command, port, "/readyz", env) as server:
        yield server


@contextmanager
def static(body: Path) -> Iterator[Server]:
    """Run the baseline."""
    port = free_port()
    command = [sys.executable, "-m", "bench.static_server", str(port), str(body)]
    with running(command, port, "/") as server:
        yield server


def measure_list(server: Server, listed: Listed, data_dir: Path, work: Path) -> list[Row]:
    """Return the rows of one list: warm against each baseline, and cold."""
    with Client(server.port, PATH, listed.headers) as client, ExitStack() as stack:
        body = _checked_body(client, listed)
        kept = work / f"{listed.accounts}.json"
        kept.write_bytes(body)
        baseline = _runner(stack, STATIC, stack.enter_context(static(kept)), "/")
        others = [baseline]
        if nginx.is_installed():
            found = stack.enter_context(nginx.serving(kept))
            others.append(_runner(stack, "nginx static file", found, f"/{kept.name}"))
        warm = _rows_warm(Runner("the list", server, client), others, listed.accounts)
        return [*warm, asyncio.run(_row_cold(server, client, baseline, listed, data_dir))]


def _checked_body(client: Client, listed: Listed) -> bytes:
    answer = client.get()
    accounts = json.loads(answer.body)
    if answer.status != 200 or len(accounts) != listed.accounts:  # noqa: PLR2004 - HTTP's
        raise RuntimeError(f"the list answered {answer.status}: {answer.body[:200]!r}")
    if any(account["usd_amount"] is None for account in accounts):
        raise RuntimeError("an account of the list has no value")
    return answer.body


def _runner(stack: ExitStack, name: str, server: Server, path: str) -> Runner:
    return Runner(name, server, stack.enter_context(Client(server.port, path)))


def _rows_warm(real: Runner, others: list[Runner], accounts: int) -> list[Row]:
    requests = REQUESTS[accounts]
    runners = [real, *others]
    costs: dict[str, list[float]] = {runner.name: [] for runner in runners}
    for round_number in range(ROUNDS + 1):
        for runner in runners:
            cost = runner.cost(requests)
            if round_number:  # the first one warms up
                costs[runner.name].append(cost)
    return [_row_warm(real.name, other, costs, accounts) for other in others]


def _row_warm(real: str, other: Runner, costs: dict[str, list[float]], accounts: int) -> Row:
    ratios = [base / own for base, own in zip(costs[other.name], costs[real], strict=True)]
    return Row(
        f"warm list of {accounts}, server CPU per request",
        median_of(costs[real]),
        "us",
        f"{other.name}, same bytes",
        median_of(costs[other.name]),
        median_of(ratios),
        WARM_TARGETS[accounts] if other.name == STATIC else None,
    )


async def _row_cold(
    server: Server, client: Client, baseline: Runner, listed: Listed, data_dir: Path
) -> Row:
    store = Store(settings_in(data_dir).database())
    costs: list[float] = []
    bases: list[float] = []
    try:
        before = client.get().body
        for number in range(1, COLD_ROUNDS + 1):
            await new_book(store, number)
            begun = server.cpu_ns()
            body = client.get().body
            costs.append((server.cpu_ns() - begun) / 1e6)
            bases.append(baseline.cost(1) / 1000)
            if body == before:
                raise RuntimeError("a new price book did not change the list")
            before = body
    finally:
        await store.close()
    own, base = median_of(costs), median_of(bases)
    target = COLD_TARGETS.get(listed.accounts)
    name = f"cold list of {listed.accounts} (new prices), server CPU"
    return Row(name, own, "ms", f"{STATIC}, same bytes", base, base / own, target)
