"""Every command that needs no exchange: what it prints, and how it fails."""

import hashlib
import hmac
import json
import socket
import sqlite3
from pathlib import Path

import pytest

from program import Run


def made_user(coffers: Run) -> dict[str, str]:
    """Add a user with a token; return the token as printed."""
    assert coffers("user", "add", "ann").returncode == 0
    made = coffers("token", "create", "--user", "ann", "--json")
    token: dict[str, str] = json.loads(made.stdout)
    return token


def test_users_are_added_and_listed(coffers: Run) -> None:
    assert coffers("user", "add", "ann").stdout == "Added user ann (id 1).\n"
    again = coffers("user", "add", "ann")
    assert (again.returncode, again.stderr) == (1, "Error: name 'ann' is taken\n")
    (listed,) = json.loads(coffers("user", "list", "--json").stdout)
    assert (listed["id"], listed["name"]) == (1, "ann")


def test_a_token_is_made_listed_and_revoked(coffers: Run) -> None:
    token = made_user(coffers)
    assert len(token["secret"]) >= 64
    listed = coffers("token", "list", "--user", "ann", "--json")
    assert token["secret"] not in listed.stdout
    assert json.loads(listed.stdout)[0]["state"] == "valid"
    assert coffers("token", "revoke", "--user", "ann", token["api_key"]).returncode == 0
    assert "revoked" in coffers("token", "list", "--user", "ann").stdout
    again = coffers("token", "revoke", "--user", "ann", token["api_key"])
    assert again.returncode == 1


def test_signing_gives_the_headers_that_the_server_expects(coffers: Run) -> None:
    token = made_user(coffers)
    path = "/public/api/ver1/accounts?page=1"
    headers = json.loads(
        coffers("sign", "GET", path, "--api-key", token["api_key"], "--json").stdout
    )
    expected = hmac.new(token["secret"].encode(), path.encode(), hashlib.sha256).hexdigest()
    assert headers == {"Apikey": token["api_key"], "Signature": expected}
    from_stdin = coffers(
        "sign", "GET", path, "--api-key", "k", "--secret-stdin", stdin=token["secret"] + "\n"
    )
    assert f"Signature: {expected}" in from_stdin.stdout


def test_signing_a_path_without_the_prefix_is_a_usage_error(coffers: Run) -> None:
    failed = coffers("sign", "GET", "/ver1/accounts", "--api-key", "k")
    assert failed.returncode == 2
    assert "must begin with /public/api/" in failed.stderr


def test_rotating_the_key_keeps_tokens_usable(coffers: Run) -> None:
    token = made_user(coffers)
    rotated = json.loads(coffers("vault", "rotate", "--json").stdout)
    assert (rotated["moved"], rotated["resumed"]) == (1, False)
    signed = coffers("sign", "GET", "/public/api/ver1/ping", "--api-key", token["api_key"])
    assert signed.returncode == 0


def test_the_doctor_finds_all_well_and_says_what_is_wrong(coffers: Run, tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        gateway = f"http://127.0.0.1:{listener.getsockname()[1]}"
        well = coffers("doctor", "--json", COFFERS_EXCHANGE_GATEWAY=gateway)
    assert well.returncode == 0, well.stdout
    assert {found["state"] for found in json.loads(well.stdout)} == {"ok"}
    away = coffers("doctor", COFFERS_EXCHANGE_GATEWAY=gateway)
    assert away.returncode == 1
    assert "FAIL reach" in away.stdout
    (tmp_path / "data" / "master.key").unlink()
    keyless = coffers("doctor", "--json")
    assert keyless.returncode == 1
    assert "master key" in {
        found["subject"] for found in json.loads(keyless.stdout) if found["state"] == "failed"
    }


def test_a_misspelt_setting_is_an_error_that_names_the_near_one(coffers: Run) -> None:
    failed = coffers("user", "list", COFFERS_DATA_DRI="x")
    assert failed.returncode == 2
    assert "did you mean COFFERS_DATA_DIR?" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["account", "list", "--user", "nobody"], "there is no user 'nobody'"),
        (["account", "remove", "--user", "ann", "7", "--yes"], "there is no account 7"),
        (["account", "sync", "--user", "ann", "7"], "there is no account 7"),
        (
            ["account", "connect", "--user", "ann", "--market", "binanse", "--name", "Main"],
            "did you mean binance",
        ),
        (["token", "create", "--user", "ann", "--permissions", "all"], "permissions"),
        (["token", "create", "--user", "ann", "--allow-ip", "x"], "allowed_networks"),
        (["token", "create", "--user", "ann", "--rsa-public-key", "/nowhere"], "cannot be read"),
    ],
)
def test_errors_are_one_sentence_without_a_traceback(
    coffers: Run, arguments: list[str], said: str
) -> None:
    coffers("user", "add", "ann")
    if "connect" in arguments:
        arguments = [*arguments, "--api-key", "fake", "--secret-stdin"]
    failed = coffers(*arguments, stdin="fake-secret\n")
    assert failed.returncode in {1, 2}
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "fake-secret" not in failed.stderr


def test_a_data_directory_that_cannot_be_made_is_told(coffers: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    failed = coffers("user", "list", COFFERS_DATA_DIR=str(tmp_path / "file" / "data"))
    assert failed.returncode == 2
    assert "cannot be made: Not a directory" in failed.stderr


def test_a_database_of_a_later_release_is_left_alone(coffers: Run, tmp_path: Path) -> None:
    coffers("user", "add", "ann")
    with sqlite3.connect(tmp_path / "data" / "coffers.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    failed = coffers("user", "list")
    assert failed.returncode == 1
    assert "later release" in failed.stderr


def test_a_wrong_master_key_is_told_at_start(coffers: Run) -> None:
    made_user(coffers)
    failed = coffers("serve", "--port", "0", COFFERS_MASTER_KEY="ab" * 32)
    assert failed.returncode == 1
    assert "that key is not at hand" in failed.stderr


def test_a_port_in_use_is_told(coffers: Run) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        for command in (["serve"], ["demo"]):
            failed = coffers(*command, "--port", port)
            assert failed.returncode == 1
            assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in failed.stderr


def test_help_fits_eighty_columns_and_needs_no_settings(coffers: Run) -> None:
    shown = coffers("--help", COFFERS_NO_SUCH="x")
    assert shown.returncode == 0
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80
