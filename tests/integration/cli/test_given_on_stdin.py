"""Secrets on standard input: taken as they are, and refused where they are no text."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from program import Run


def given(home: Path, text: bytes, *arguments: str, **env: str) -> tuple[int, str]:
    """Run a command with bytes on standard input; return its exit code and what it says."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "coffers", *arguments],
        env={**os.environ, "COFFERS_DATA_DIR": str(home / "data"), **env},
        input=text,
        capture_output=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode()


SIGN = ("sign", "GET", "/public/api/ver1/accounts", "--api-key", "k", "--secret-stdin")
CONNECT = ("account", "connect", "--user", "ann", "--market", "binance", "--name", "One")
PASSWORD = ("user", "password", "ann", "--password-stdin")


@pytest.mark.parametrize(
    "command", [PASSWORD, SIGN, (*CONNECT, "--api-key", "fake", "--secret-stdin")]
)
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_bytes_that_are_no_text_are_told_in_a_sentence(
    coffers: Run, tmp_path: Path, command: tuple[str, ...], locale: str
) -> None:
    assert coffers("user", "add", "ann").returncode == 0
    code, said = given(tmp_path, b"a long p\xe4ssword\n", *command, LC_ALL=locale)
    assert (code, said) == (2, "Error: standard input is no text in UTF-8\n")


def test_where_there_is_no_standard_input_it_is_told(coffers: Run, tmp_path: Path) -> None:
    assert coffers("user", "add", "ann").returncode == 0
    done = subprocess.run(  # noqa: S603 - our own program
        ["/bin/sh", "-c", f"{sys.executable} -m coffers {' '.join(PASSWORD)} <&-"],
        env={**os.environ, "COFFERS_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "Error: there is no standard input\n")


def test_a_password_is_the_first_line(coffers: Run, tmp_path: Path) -> None:
    assert coffers("user", "add", "ann").returncode == 0
    for text in ("a l\xf6ng password\n", "\ufeffa long password\r\nmore\n"):
        code, said = given(tmp_path, text.encode(), *PASSWORD, LC_ALL="C.UTF-8")
        assert (code, said) == (0, "ann signs in with the new password from now on.\n")
