"""The program as people run it: a process of its own, with a data directory of its own."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from forks import Forks, forking
from program import Run


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    with forking() as started:
        yield started


@pytest.fixture
def coffers(tmp_path: Path, forks: Forks) -> Run:
    """Runs `coffers ARGUMENTS`; keyword arguments in capitals are environment variables."""

    def run(*arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("COFFERS_")}
        own = {"COFFERS_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "80"}
        return forks.run(arguments, stdin, {**kept, **own, **env})

    return run
