"""What services print: a log that programs can read, from the first line to the last."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from program import Run


def served(home: Path, **settings: str) -> tuple[list[str], int]:
    """Serve until the code for the first user is told; return all lines and the exit code."""
    env = {**os.environ, "COFFERS_DATA_DIR": str(home / "data"), **settings}
    arguments = ["serve", "--no-worker", "--port", "0", "--until-stdin-closes"]
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "coffers", *arguments],
        env=env,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stdin is not None
        lines = [process.stderr.readline() for _ in range(2)]
        found = re.search(r"serves (http://[\d.:]+)", lines[0])
        assert found is not None
        while process.poll() is None and not _answers(f"{found[1]}/healthz"):
            time.sleep(0.05)
        process.stdin.close()
        lines += process.stderr.readlines()
    return lines, process.returncode


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("form", ["json", "auto"])
@pytest.mark.parametrize("level", ["info", "error"])
def test_a_server_begins_with_json_where_its_logs_are(
    tmp_path: Path, form: str, level: str
) -> None:
    lines, _ = served(tmp_path, COFFERS_LOG_FORMAT=form, COFFERS_LOG_LEVEL=level)
    told = [json.loads(line) for line in lines]
    assert told[0]["event"] == f"Coffers serves {told[0]['address']}"
    page, code = told[1]["page"], told[1]["code"]
    assert page == f"{told[0]['address']}/welcome"
    assert told[1]["event"] == f"Nobody can sign in yet: open {page}; the code is {code}"
    assert len(told) > 2 or level == "error"


def test_a_server_begins_with_sentences_where_its_logs_are_text(tmp_path: Path) -> None:
    lines, _ = served(tmp_path, COFFERS_LOG_FORMAT="text")
    assert lines[0].startswith("Coffers serves http://127.0.0.1:")
    assert lines[1].startswith("Nobody can sign in yet: open http://127.0.0.1:")


def simulated(*arguments: str, **settings: str) -> tuple[list[str], str]:
    """Run the sandbox until it answers; return all lines and the address that it tells."""
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "coffers", "sandbox", "--port", "0", *arguments],
        env={**os.environ, **settings},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            lines = [process.stderr.readline() for _ in range(2)]
            address = re.findall(r"http://[\w.]+:\d+", lines[0])[0]
            while process.poll() is None and not _answers(f"{address}/_sandbox"):
                time.sleep(0.05)
        finally:
            process.terminate()
        lines += process.stderr.readlines()
    return lines, address


@pytest.mark.parametrize("level", ["info", "error"])
@pytest.mark.parametrize("form", ["json", "auto", "text"])
def test_the_sandbox_writes_as_the_settings_say(form: str, level: str) -> None:
    lines, address = simulated(COFFERS_LOG_FORMAT=form, COFFERS_LOG_LEVEL=level)
    assert "COFFERS_EXCHANGE_GATEWAY" in lines[1]
    assert len(lines) > 2 or level == "error"
    if form == "text":
        assert lines[0].startswith(f"A simulated exchange runs on {address}; ")
    else:
        told = [json.loads(line) for line in lines]
        assert (told[0]["address"], told[0]["logger"]) == (address, "coffers.sandbox")


def test_a_sandbox_on_all_addresses_tells_one_that_can_be_opened() -> None:
    _, address = simulated("--host", "0.0.0.0")  # noqa: S104 - the sandbox holds no secrets
    assert address.startswith("http://localhost:")


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_service_ends_in_json_too(coffers: Run, command: str) -> None:
    wrong = {"COFFERS_PRICE_VENUES": "krakn", "COFFERS_LOG_LEVEL": "error"}
    failed = coffers(command, COFFERS_LOG_FORMAT="json", **wrong)
    assert failed.returncode == 2
    (line,) = failed.stderr.splitlines()
    assert (json.loads(line)["level"], "krakn" in json.loads(line)["event"]) == ("error", True)
    unset = coffers(command, COFFERS_LOG_FORMAT="json", COFFERS_PRICE_VENUE="kraken")
    assert "COFFERS_PRICE_VENUE" in json.loads(unset.stderr)["event"]
    as_text = coffers(command, COFFERS_LOG_FORMAT="text", **wrong)
    assert as_text.stderr.startswith("Error: ")


def test_the_sandbox_ends_in_json_too(coffers: Run) -> None:
    failed = coffers("sandbox", "--host", "192.0.2.1", COFFERS_LOG_FORMAT="json")
    assert failed.returncode == 1
    assert "cannot listen on 192.0.2.1:9000" in json.loads(failed.stderr)["event"]
