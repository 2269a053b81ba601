"""The program as people run it: a process of its own, with a data directory of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from program import Run


@pytest.fixture
def coffers(tmp_path: Path) -> Run:
    """Runs `coffers ARGUMENTS`; keyword arguments in capitals are environment variables."""

    def run(*arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("COFFERS_")}
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "coffers", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**kept, "COFFERS_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "80", **env},
        )

    return run
