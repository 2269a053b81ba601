"""A demo for each file of tests, since some end theirs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from demo import Demo

GONE_WITHIN = 30


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    place = tmp_path_factory.mktemp("demo")
    env = {name: text for name, text in os.environ.items() if not name.startswith("COFFERS_")}
    command = [sys.executable, "-m", "coffers", "demo", "--port", "0", "--json"]
    with (place / "errors").open("w") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--data-dir", str(place / "data")],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=env,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (place / "errors").read_text()
        yield Demo(process, place, json.loads(line))
    finally:
        process.terminate()
        try:
            process.communicate(timeout=GONE_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
