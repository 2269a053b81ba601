"""Backups at the command line: made while something runs, put back on an empty machine."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coffers import __version__
from coffers.store.revision import NEWEST
from postgres import Postgres
from program import Run


@pytest.fixture
def public(coffers: Run, tmp_path: Path) -> str:
    made = coffers("backup-key", str(tmp_path / "key.txt"))
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"age1[a-z0-9]+\n", made.stdout)
    assert "key.txt" in made.stderr
    return made.stdout.strip()


def test_a_machine_comes_back_from_a_backup(
    coffers: Run, tmp_path: Path, public: str, postgres: Postgres
) -> None:
    coffers("user", "add", "ada")
    issued = json.loads(coffers("token", "create", "--user", "ada", "--json").stdout)
    path, key = tmp_path / "b.age", str(tmp_path / "key.txt")
    done = coffers("backup", str(path), "--to", public)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"Wrote .*b\.age, [0-9.]+ kB: users 1, .* rows in all\.\n", done.stdout)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "key.txt").stat().st_mode) == 0o600

    checked = coffers("restore", str(path), "--key", key, "--check", "--json")
    told = json.loads(checked.stdout)
    assert told["rows"]["users"] == 1
    assert (told["release"], told["revision"]) == (__version__, NEWEST)
    assert told["has_master_key"] is True
    database = postgres.create()
    url = postgres.url(database).replace("+asyncpg", "")
    new = {"COFFERS_DATA_DIR": str(tmp_path / "new"), "COFFERS_DATABASE_URL": url}
    restored = coffers("restore", str(path), "--key", key, **new)
    assert (restored.returncode, restored.stderr) == (0, "")
    assert f"release {__version__} (revision {NEWEST}), with the master key." in restored.stdout
    target = "/public/api/ver1/accounts"
    signed = [
        coffers("sign", "GET", target, "--api-key", issued["api_key"], **env).stdout
        for env in ({}, new)
    ]
    assert signed[0] == signed[1]
    assert "Signature" in signed[0]
    again = coffers("restore", str(path), "--key", key, **new)
    assert again.returncode == 1
    assert "not empty" in again.stderr
    postgres.drop(database)


def test_a_restore_that_is_killed_can_be_begun_again(
    coffers: Run, tmp_path: Path, public: str
) -> None:
    coffers("user", "add", "ada")
    path, key = tmp_path / "b.age", str(tmp_path / "key.txt")
    coffers("backup", str(path), "--to", public)
    place = tmp_path / "new"
    command = [sys.executable, "-m", "coffers", "restore", str(path), "--key", key]
    for size in (0, 4_096, 100_000):
        process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            env={**os.environ, "COFFERS_DATA_DIR": str(place)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and _size(place) <= size:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
    restored = coffers("restore", str(path), "--key", key, COFFERS_DATA_DIR=str(place))
    # The last one may have come to its end before it was killed.
    assert restored.returncode == 0 or "not empty" in restored.stderr
    shown = coffers("user", "list", COFFERS_DATA_DIR=str(place))
    assert "ada" in shown.stdout


def test_a_restore_that_fails_leaves_room_for_a_good_one(
    coffers: Run, tmp_path: Path, public: str
) -> None:
    coffers("user", "add", "ada")
    path, key, place = tmp_path / "b.age", str(tmp_path / "key.txt"), tmp_path / "new"
    coffers("backup", str(path), "--to", public)
    whole = path.read_bytes()
    for broken in (b"junk", whole[: len(whole) // 2]):
        path.write_bytes(broken)
        failed = coffers("restore", str(path), "--key", key, COFFERS_DATA_DIR=str(place))
        assert failed.returncode == 1
        assert list(place.glob("coffers.db*")) == []
    path.write_bytes(whole)
    foreign = tmp_path / "foreign.key"
    foreign.write_text("junk")
    odd = {"COFFERS_DATA_DIR": str(place), "COFFERS_MASTER_KEY_FILE": str(foreign)}
    # This one fails at its end, with all rows written but not kept.
    assert coffers("restore", str(path), "--key", key, **odd).returncode != 0
    restored = coffers("restore", str(path), "--key", key, COFFERS_DATA_DIR=str(place))
    assert restored.returncode == 0, restored.stderr
    assert "ada" in coffers("user", "list", COFFERS_DATA_DIR=str(place)).stdout


def _size(place: Path) -> int:
    """Return how many bytes of the database are written, -1 while there is none."""
    files = [place / "coffers.db", place / "coffers.db-wal"]
    return sum(file.stat().st_size for file in files if file.exists()) if place.exists() else -1


def test_bad_options_are_told_and_nothing_is_left(
    coffers: Run, tmp_path: Path, public: str
) -> None:
    coffers("user", "add", "ada")
    path = tmp_path / "b.age"
    nobody = coffers("backup", str(path))
    assert nobody.returncode == 2
    assert "backup-key" in nobody.stderr
    assert coffers("backup", str(path), "--to", "age1nonsense").returncode == 2
    away = coffers("backup", str(tmp_path / "no" / "where.age"), "--to", public)
    assert away.returncode == 1
    assert "cannot be written: No such file" in away.stderr
    path.write_text("mine")
    assert "exists already" in coffers("backup", str(path), "--to", public).stderr
    assert path.read_text() == "mine"
    assert coffers("backup-key", str(path)).returncode == 2
    junk = coffers("restore", str(path), "--key", str(tmp_path / "key.txt"), "--check")
    assert junk.returncode == 1
    assert "cannot be opened" in junk.stderr
    assert not [name for name in tmp_path.iterdir() if name.name.startswith(".")]
