"""What a signed list costs the server, against the same bytes served as they are.

Processor time of the server's processes per request; where nothing else is said over sequential
requests on one connection, which bring the same headers to each. The servers take turns within each
round, so that what else happens on the machine meets them all.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from decimal import Decimal
from operator import eq
from pathlib import Path
from typing import Any

from bench import nginx
from bench.client import Answer, Client
from bench.processes import Server, median_of
from bench.results import Row, Target
from bench.seed import EURO, PATH, Listed, new_book, settings_in
from bench.servers import (
    FRAMEWORKS,
    STATIC,
    Runner,
    frameworks,
    static,
    taking_turns,
    unchanged,
)

from coffers.cli.rooms import opened_store

REQUESTS = {1: 600, 100: 300}
"""Requests a round, by the number of accounts in the list."""

REQUESTS_OF_FRAMEWORKS = 10
COLD_ROUNDS = 40
WARM_TARGETS = {1: Target(0.45, is_least=True), 100: Target(0.6, is_least=True)}
UNCHANGED_TARGET = Target(0.6, is_least=True)
COLD_TARGETS = {100: Target(4.0, of_value=True)}
DISPLAY_TARGET = Target(1.5)
FRAMEWORKS_TARGET = Target(10.0, is_least=True)
POSTGRES_TARGET = Target(1.5)


def measure_list(server: Server, listed: Listed, data_dir: Path, work: Path) -> list[Row]:
    """Return the rows of one list: warm against each baseline, unchanged, and cold."""
    with Client(server.port, PATH, listed.headers) as client, ExitStack() as stack:
        answer = checked(client, listed)
        kept = work / f"{listed.accounts}.json"
        kept.write_bytes(answer.body)
        baseline = _runner(stack, STATIC, stack.enter_context(static(kept)), "/", listed)
        others = [baseline]
        if nginx.is_installed():
            found = stack.enter_context(nginx.serving(kept))
            others.append(_runner(stack, "nginx static file", found, f"/{kept.name}", listed))
        rows = _rows_warm(Runner("the list", server, (client,)), others, listed.accounts)
        rows.append(asyncio.run(_row_cold(server, [listed], baseline, data_dir)))
    return [*rows, _row_unchanged(server, listed)]


def measure_crowd(server: Server, crowd: Sequence[Listed], data_dir: Path, work: Path) -> Row:
    """Return the row of cold lists of several users in turn, once the first list was measured.

    The first of them brings the new prices into the process for all.
    """
    with ExitStack() as stack:
        same = stack.enter_context(static(work / f"{crowd[0].accounts}.json"))
        baseline = _runner(stack, STATIC, same, "/", crowd[0])
        return asyncio.run(_row_cold(server, crowd, baseline, data_dir))


def measure_display(
    server: Server, shown: Listed, lists: Mapping[int, Listed], data_dir: Path
) -> Row:
    """Return the row of a cold list in a display currency with rates of its own, against USD.

    The user of the shortest list asks first, and brings the new prices into the process.
    """
    return asyncio.run(_row_display(server, shown, lists, data_dir))


def measure_frameworks(server: Server, listed: Listed, data_dir: Path) -> Row:
    """Return the row of a list against what users would build instead."""
    with (
        Client(server.port, PATH, listed.headers) as client,
        frameworks(data_dir) as other,
        Client(other.port, PATH, listed.headers) as others_client,
    ):
        _check_equal(checked(client, listed), checked(others_client, listed))
        runners = {
            Runner("the list", server, (client,)): REQUESTS[listed.accounts],
            Runner(FRAMEWORKS, other, (others_client,)): REQUESTS_OF_FRAMEWORKS,
        }
        own, base = taking_turns(runners)
    name = f"warm list of {listed.accounts}, server CPU per request"
    return _compared(name, own, f"{FRAMEWORKS}, values alone", base, FRAMEWORKS_TARGET)


def measure_postgres(
    sqlite: Server, on_sqlite: Listed, postgres: Server, on_postgres: Listed
) -> list[Row]:
    """Return the rows of a warm list on PostgreSQL against the same on SQLite.

    Asked for by many at once, each with a token of their own, and by one alone: then every request
    waits for the database, with nobody to share the question.
    """
    found: list[Row] = []
    for number in (len(on_sqlite.tokens), 1):
        with ExitStack() as stack:
            runners = {
                Runner(
                    name,
                    server,
                    tuple(
                        stack.enter_context(Client(server.port, PATH, headers))
                        for headers in listed.tokens[:number]
                    ),
                ): REQUESTS[listed.accounts]
                for name, server, listed in (
                    ("on SQLite", sqlite, on_sqlite),
                    ("on PostgreSQL", postgres, on_postgres),
                )
            }
            for runner, listed in zip(runners, (on_sqlite, on_postgres), strict=True):
                for client in runner.clients:
                    checked(client, listed)
            base, own = taking_turns(runners)
        ratios = [mine / other for mine, other in zip(own, base, strict=True)]
        asked = f"{number} at once" if number > 1 else "one after another"
        row = Row(
            f"warm list of {on_sqlite.accounts} on PostgreSQL, {asked}, server CPU per request",
            median_of(own),
            "us",
            "the same on SQLite",
            median_of(base),
            median_of(ratios),
            POSTGRES_TARGET,
        )
        found.append(row)
    return found


def checked(client: Client, listed: Listed) -> Answer:
    """Return an answer that holds the whole list, each account with its value.

    Raises:
        RuntimeError: for any other.
    """
    answer = client.get()
    accounts = json.loads(answer.body)
    if answer.status != 200 or len(accounts) != listed.accounts:  # noqa: PLR2004 - HTTP's
        raise RuntimeError(f"the list answered {answer.status}: {answer.body[:200]!r}")
    if any(account["usd_amount"] is None for account in accounts):
        raise RuntimeError("an account of the list has no value")
    return answer


def _check_equal(own: Answer, other: Answer) -> None:
    """Require that the baseline tells the same, but for the profits that it does not make."""
    for mine, theirs in zip(json.loads(own.body), json.loads(other.body), strict=True):
        if list(mine) != list(theirs) or any(
            _told(mine[key]) != _told(theirs[key])
            for key in mine
            if "profit" not in key and key != "market_icon"
        ):
            raise RuntimeError("the baseline answers something else")


def _told(value: Any) -> Any:  # noqa: ANN401 - any of the answer
    """Return a value of an answer; amounts as numbers, however many zeros end them."""
    match value:
        case {"amount": str(amount)}:
            return Decimal(amount)
        case str() if value.replace(".", "").isdecimal():
            return Decimal(value)
        case _:
            return value


def _runner(stack: ExitStack, name: str, server: Server, path: str, listed: Listed) -> Runner:
    # What a request brings costs each server something before its route is asked.
    client = Client(server.port, path, listed.headers)
    return Runner(name, server, (stack.enter_context(client),))


def _rows_warm(real: Runner, others: list[Runner], accounts: int) -> list[Row]:
    runners = dict.fromkeys([real, *others], REQUESTS[accounts])
    own, *bases = taking_turns(runners)
    name = f"warm list of {accounts}, server CPU per request"
    return [
        _compared(
            name,
            own,
            f"{other.name}, same bytes",
            base,
            WARM_TARGETS[accounts] if other.name == STATIC else None,
        )
        for other, base in zip(others, bases, strict=True)
    ]


def _row_unchanged(server: Server, listed: Listed) -> Row:
    with Client(server.port, PATH, listed.headers) as client:
        tag = checked(client, listed).header("etag")
    headers = {**listed.headers, "If-None-Match": tag}
    with (
        unchanged(tag) as other,
        Client(server.port, PATH, headers) as client,
        Client(other.port, "/", headers) as others_client,
    ):
        runners = {
            Runner("the unchanged list", server, (client,), 304): REQUESTS[1],
            Runner(STATIC, other, (others_client,), 304): REQUESTS[1],
        }
        own, base = taking_turns(runners)
    name = f"unchanged list of {listed.accounts} (304), server CPU per request"
    return _compared(name, own, f"{STATIC}, a bare 304", base, UNCHANGED_TARGET)


def _compared(
    name: str, own: list[float], baseline: str, base: list[float], target: Target | None
) -> Row:
    ratios = [theirs / mine for theirs, mine in zip(base, own, strict=True)]
    return Row(name, median_of(own), "us", baseline, median_of(base), median_of(ratios), target)


async def _row_cold(
    server: Server, crowd: Sequence[Listed], baseline: Runner, data_dir: Path
) -> Row:
    costs: list[float] = []
    bases: list[float] = []
    async with opened_store(settings_in(data_dir)) as store, AsyncExitStack() as stack:
        clients = [
            stack.enter_context(Client(server.port, PATH, listed.headers)) for listed in crowd
        ]
        before = [client.get().body for client in clients]
        for number in range(1, COLD_ROUNDS + 1):
            await new_book(store, number)
            begun = server.cpu_ns()
            found = [client.get().body for client in clients]
            costs.append((server.cpu_ns() - begun) / len(clients) / 1e6)
            bases.append(baseline.cost(1) / 1000)
            if any(map(eq, found, before)):
                raise RuntimeError("a new price book did not change the list")
            before = found
    own, base = median_of(costs), median_of(bases)
    accounts = crowd[0].accounts
    of = f", of {len(crowd)} users in turn" if len(crowd) > 1 else ""
    name = f"cold list of {accounts} (new prices){of}, server CPU"
    target = COLD_TARGETS.get(accounts)
    return Row(name, own, "ms", f"{STATIC}, same bytes", base, base / own, target)


async def _row_display(
    server: Server, shown: Listed, lists: Mapping[int, Listed], data_dir: Path
) -> Row:
    costs: list[list[float]] = [[], []]
    async with opened_store(settings_in(data_dir)) as store, AsyncExitStack() as stack:
        first, *clients = [
            stack.enter_context(Client(server.port, PATH, listed.headers))
            for listed in (lists[1], lists[shown.accounts], shown)
        ]
        before = [b"", b""]
        for number in range(COLD_ROUNDS + 1):
            await new_book(store, number)
            first.get()
            for place in sorted((0, 1), reverse=bool(number % 2)):
                begun = server.cpu_ns()
                body = clients[place].get().body
                if number:  # at the first one the past is read
                    costs[place].append((server.cpu_ns() - begun) / 1e6)
                if body == before[place]:
                    raise RuntimeError("a new price book did not change the list")
                before[place] = body
        told = [
            value
            for account in json.loads(before[1])
            for key, value in account.items()
            if "primary_display_currency" in key
        ]
        if any(value["amount"] is None for value in told):
            raise RuntimeError(f"a figure of the list is not known in {EURO}")
    base, own = map(median_of, costs)
    name = f"cold list of {shown.accounts} (new prices) in {EURO}, server CPU"
    return Row(name, own, "ms", "the same in USD", base, own / base, DISPLAY_TARGET)
