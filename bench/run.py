"""All measurements in one run: `python -m bench.run`, one table and `bench/results.json`.

Every number is compared with a baseline that is measured beside it, since absolute times differ
from machine to machine and from day to day.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.lists import api, measure_list, static
from bench.processes import ROOT, coffers, free_port, running
from bench.results import Row, Target, show, write
from bench.seed import seed
from bench.startup import measure_startup, measure_worker, memory_of
from rich.console import Console

_console = Console(stderr=True)


def main() -> None:
    """Measure, print and write."""
    for variable in [name for name in os.environ if name.startswith("COFFERS_")]:
        del os.environ[variable]
    with tempfile.TemporaryDirectory(prefix="coffers-bench-") as directory:
        rows = _measured(Path(directory))
    show(rows)
    write(rows)


def _measured(work: Path) -> list[Row]:
    data_dir = work / "data"
    _console.print("Filling a database ...")
    lists = asyncio.run(seed(data_dir))
    rows: list[Row] = []
    with api(data_dir) as server:
        for count, listed in lists.items():
            _console.print(f"Asking for a list of {count} ...")
            rows += measure_list(server, listed, data_dir, work)
        with static(work / "100.json") as baseline:
            rows.append(memory_of(server, baseline))
    _console.print("Starting processes ...")
    rows += measure_startup(data_dir, work / "100.json")
    return [*rows, *_measured_with_exchange(data_dir)]


def _measured_with_exchange(data_dir: Path) -> list[Row]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = coffers("sandbox", "--port", str(port))
    with running(command, port, "/_sandbox"):
        _console.print("Reading an account at the simulated exchange ...")
        rows = _reading(data_dir, url)
        _console.print("Starting a worker ...")
        return [*rows, measure_worker(data_dir, url)]


def _reading(data_dir: Path, sandbox_url: str) -> list[Row]:
    command = [sys.executable, "-m", "bench.reading", str(data_dir), sandbox_url]
    found = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return [
        Row(**{**row, "target": row["target"] and Target(**row["target"])})
        for row in json.loads(found.stdout)
    ]


if __name__ == "__main__":
    main()
