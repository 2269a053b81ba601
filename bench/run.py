"""All measurements in one run: `python -m bench.run`, one table and `bench/results.json`.

`--accounts` says how many accounts one worker is given to read, 10,000 if nothing does, and
`--readings` how many more readings its memory is watched over, 10,000 too; 100,000 take half an
hour. `--only` measures a part: `lists`, `pages`, `startup`, `chains` or `exchange`.

Every number is compared with a baseline that is measured beside it, since absolute times differ
from machine to machine and from day to day.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import postgres
from bench.chains import measure_chains
from bench.lists import (
    measure_crowd,
    measure_display,
    measure_frameworks,
    measure_list,
    measure_postgres,
)
from bench.pages import measure_pages
from bench.processes import ROOT, Server, coffers, free_port, running
from bench.results import Row, Target, show, write
from bench.scaling import measure_scaling
from bench.seed import Listed, crowd, in_euro, seed, settings_in
from bench.servers import api, static
from bench.startup import measure_startup, measure_worker, memory_of
from rich.console import Console

ACCOUNTS = READINGS = 10_000
CROWD = 10
PARTS = ("lists", "pages", "startup", "chains", "exchange")
_console = Console(stderr=True)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--readings", type=int, default=READINGS)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    wanted = parser.parse_args()
    many: tuple[int, int] = wanted.accounts, wanted.readings
    for variable in [name for name in os.environ if name.startswith("COFFERS_")]:
        del os.environ[variable]
    with tempfile.TemporaryDirectory(prefix="coffers-bench-") as directory:
        rows = _measured(Path(directory), many, wanted.only)
    show(rows)
    write(rows)


def _measured(work: Path, many: tuple[int, int], parts: Sequence[str]) -> list[Row]:
    data_dir = work / "data"
    _console.print("Filling a database ...")
    lists = asyncio.run(seed(data_dir))
    rows: list[Row] = []
    if "lists" in parts:
        rows += _measured_lists(work, data_dir, lists)
    if "pages" in parts:
        _console.print("Asking for pages ...")
        with api(data_dir) as server:
            rows += measure_pages(server, data_dir, work)
    if "startup" in parts:
        _console.print("Starting processes ...")
        rows += measure_startup(data_dir, work / "100.json")
    if "chains" in parts:
        _console.print("Reading balances on a chain ...")
        rows += measure_chains()
    if "exchange" in parts:
        rows += _measured_with_exchange(work, many)
    return rows


def _measured_lists(work: Path, data_dir: Path, lists: Mapping[int, Listed]) -> list[Row]:
    rows: list[Row] = []
    with api(data_dir) as server:
        for count, listed in lists.items():
            _console.print(f"Asking for a list of {count} ...")
            rows += measure_list(server, listed, data_dir, work)
        _console.print("Asking what users would build instead ...")
        rows.append(measure_frameworks(server, lists[100], data_dir))
        _console.print("Asking on PostgreSQL ...")
        rows += _measured_postgres(work, server, lists)
        with static(work / "100.json") as baseline:
            rows.append(memory_of(server, baseline))
        _console.print("Asking for lists of several users ...")
        rows.append(measure_crowd(server, asyncio.run(crowd(data_dir, CROWD)), data_dir, work))
        _console.print("Asking for a list in another currency ...")
        rows.append(measure_display(server, asyncio.run(in_euro(data_dir)), lists, data_dir))
    _console.print("Asking two processes ...")
    return [*rows, *measure_scaling(data_dir, lists[1])]


def _measured_postgres(work: Path, sqlite: Server, lists: Mapping[int, Listed]) -> list[Row]:
    with postgres.database() as url:
        data_dir = work / "postgres"
        asyncio.run(postgres.make_tables(settings_in(data_dir, database_url=url)))
        others = asyncio.run(seed(data_dir, database_url=url))
        with api(data_dir, url) as server:
            return [
                row
                for count, listed in lists.items()
                for row in measure_postgres(sqlite, listed, server, others[count])
            ]


def _measured_with_exchange(work: Path, many: tuple[int, int]) -> list[Row]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = coffers("sandbox", "--port", str(port))
    with running(command, port, "/_sandbox"):
        _console.print("Reading an account at the simulated exchange ...")
        rows = _printed("bench.reading", work / "data", url)
        _console.print("Starting a worker ...")
        rows.append(measure_worker(work / "data", url))
        _console.print(f"Reading {many[0]:,} accounts, then {many[1]:,} times more ...")
        return [*rows, *_printed("bench.many", work / "many", url, *many)]


def _printed(module: str, *arguments: object) -> list[Row]:
    """Return the rows that a process of its own prints."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    found = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return [
        Row(**{**row, "target": row["target"] and Target(**row["target"])})
        for row in json.loads(found.stdout)
    ]


if __name__ == "__main__":
    main()
