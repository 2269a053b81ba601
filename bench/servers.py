"""The servers that are compared, each in a process of its own, and what a request costs them."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client
from bench.processes import Server, coffers, free_port, running

ROUNDS = 9
STATIC = "static raw ASGI route"
FRAMEWORKS = "FastAPI + SQLAlchemy ORM + pydantic"


@dataclass(frozen=True, slots=True)
class Runner:
    """A server and connections to it, all of which ask at once, again and again."""

    name: str
    server: Server
    clients: tuple[Client, ...]
    status: int = 200

    def cost(self, requests: int) -> float:
        """Return the server's processor time per request, in microseconds."""
        begun = self.server.cpu_ns()
        times = requests // len(self.clients)
        for _ in range(times):
            for client in self.clients:
                client.send()
            for client in self.clients:
                if client.receive().status != self.status:
                    raise RuntimeError(f"{self.name} did not answer with {self.status}")
        return (self.server.cpu_ns() - begun) / (times * len(self.clients)) / 1000


def taking_turns(runners: Mapping[Runner, int], rounds: int = ROUNDS) -> list[list[float]]:
    """Return the costs of each runner, round by round; the numbers are of requests a round.

    They take turns within each round, so that what else happens on the machine meets them all.
    """
    costs: list[list[float]] = [[] for _ in runners]
    for round_number in range(rounds + 1):
        for (runner, requests), found in zip(runners.items(), costs, strict=True):
            cost = runner.cost(requests)
            if round_number:  # the first one warms up
                found.append(cost)
    return costs


def settings_env(data_dir: Path, database_url: str | None = None) -> dict[str, str]:
    """Return the settings of a server on a seeded database, without limits."""
    env = {
        "COFFERS_DATA_DIR": str(data_dir),
        "COFFERS_LIMITS_ENABLED": "false",
        "COFFERS_LOG_LEVEL": "error",
    }
    return env if database_url is None else {**env, "COFFERS_DATABASE_URL": database_url}


@contextmanager
def api(
    data_dir: Path, database_url: str | None = None, options: Sequence[str] = ()
) -> Iterator[Server]:
    """Run the API alone, without limits, on a seeded database."""
    port = free_port()
    command = coffers("serve", "--no-worker", "--port", str(port), *options)
    with running(command, port, "/readyz", settings_env(data_dir, database_url)) as server:
        yield server


@contextmanager
def static(body: Path) -> Iterator[Server]:
    """Run the baseline that answers with a file's bytes."""
    with _python("bench.static_server", str(body)) as server:
        yield server


@contextmanager
def unchanged(tag: str) -> Iterator[Server]:
    """Run the baseline that answers with 304."""
    with _python("bench.static_server", "--unchanged", tag) as server:
        yield server


@contextmanager
def frameworks(data_dir: Path) -> Iterator[Server]:
    """Run what users would build instead, on the same database."""
    with _python("bench.baseline.server", env=settings_env(data_dir)) as server:
        yield server


@contextmanager
def _python(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", module, str(port), *arguments]
    with running(command, port, "/", env, is_any_answer=True) as server:
        yield server
