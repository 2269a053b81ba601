"""Every command that needs no exchange: what it prints, and how it fails."""

import hashlib
import hmac
import json
import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from program import Run


def made_user(coffers: Run) -> dict[str, str]:
    """Add a user with a token; return the token as printed."""
    assert coffers("user", "add", "ann").returncode == 0
    made = coffers("token", "create", "--user", "ann", "--json")
    token: dict[str, str] = json.loads(made.stdout)
    return token


def test_second_factors_are_shown_and_taken_away(coffers: Run) -> None:
    made_user(coffers)
    assert "by the password alone" in coffers("user", "factors", "ann").stdout
    told = json.loads(coffers("user", "factors", "ann", "--remove", "--json").stdout)
    assert told == {"name": "ann", "app": False, "passkeys": [], "recovery_codes": 0}
    assert "there is no user" in coffers("user", "factors", "nobody").stderr


def test_a_code_is_told_beside_its_address_and_not_in_it(coffers: Run) -> None:
    made_user(coffers)
    told = coffers("user", "code", "ann").stdout
    assert re.match(r"The code is ([A-Z0-9]+-?)+\. Type it at /sign-in\?by=code within", told)


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


def test_what_a_token_may_and_its_moments_are_not_broken_within_a_word(
    coffers: Run, tmp_path: Path
) -> None:
    coffers("user", "add", "ann")
    both = "accounts_read,accounts_write"
    coffers("token", "create", "--user", "ann", "--permissions", both, "--expires", "30")
    with closing(sqlite3.connect(tmp_path / "data" / "coffers.db")) as database, database:
        database.execute(
            "UPDATE api_tokens SET used_from = '127.0.0.1', used_at = ?", (1_796_102_057_123,)
        )
    listed = coffers("token", "list", "--user", "ann", COLUMNS="80").stdout
    assert len(re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d\b", listed)) == 2
    assert "2026-12-01T05:14," in listed
    assert "accounts_write" in listed


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


def test_a_token_that_requires_the_time_is_not_signed_without_it(coffers: Run) -> None:
    made_user(coffers)
    made = coffers("token", "create", "--user", "ann", "--require-timestamp", "--json")
    sign = ("sign", "GET", "/public/api/ver1/ping", "--api-key", json.loads(made.stdout)["api_key"])
    failed = coffers(*sign)
    assert (failed.returncode, "add --timestamp" in failed.stderr) == (2, True)
    assert "Timestamp" in coffers(*sign, "--timestamp").stdout


def test_an_option_that_cannot_be_is_named_with_what_can(coffers: Run) -> None:
    made_user(coffers)
    odd = coffers("user", "formats", "ann", "--locale", "xx_YY")
    assert (odd.returncode, "--locale" in odd.stderr, "plain" in odd.stderr) == (2, True, True)
    late = coffers("token", "create", "--user", "ann", "--expires", "99999999")
    assert (late.returncode, "--expires" in late.stderr) == (2, True)


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
    made_user(coffers)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        gateway = f"http://127.0.0.1:{listener.getsockname()[1]}"
        well = coffers("doctor", "--json", COFFERS_EXCHANGE_GATEWAY=gateway)
    assert well.returncode == 0, well.stdout
    assert {found["state"] for found in json.loads(well.stdout)} == {"ok"}
    assert "binance, kraken, coinbase are asked for" in well.stdout
    away = coffers("doctor", COFFERS_EXCHANGE_GATEWAY=gateway)
    assert away.returncode == 1
    assert "FAIL reach" in away.stdout
    (tmp_path / "data" / "master.key").unlink()
    keyless = coffers("doctor", "--json")
    assert keyless.returncode == 1
    assert "master key" in {
        found["subject"] for found in json.loads(keyless.stdout) if found["state"] == "failed"
    }


def test_the_doctor_makes_nothing_where_there_is_nothing_yet(coffers: Run, tmp_path: Path) -> None:
    misspelt = tmp_path / "dtaa"
    looked = coffers("doctor", "--json", COFFERS_DATA_DIR=str(misspelt))
    assert looked.returncode == 0
    found = {each["subject"]: each for each in json.loads(looked.stdout)}
    assert found["data"]["state"] == found["database"]["state"] == "warning"
    assert f"no database here yet ({misspelt}/coffers.db)" in found["database"]["said"]
    assert not misspelt.exists()


def test_the_doctor_looks_at_the_chains_file(coffers: Run, tmp_path: Path) -> None:
    there = tmp_path / "chains.toml"
    there.write_text('[ethereum]\nurls = "http://127.0.0.1:8545"\n')
    for path, state in ((there, "ok"), (tmp_path / "nonexist.toml", "failed")):
        done = coffers("doctor", "--json", COFFERS_CHAINS_FILE=str(path))
        found = {each["subject"]: each for each in json.loads(done.stdout)}
        assert found["chains"]["state"] == state
        assert path.name in found["chains"]["said"]


def test_an_exchange_that_there_is_not_is_told_before_anything_is_served(
    coffers: Run, tmp_path: Path
) -> None:
    misspelt = {"COFFERS_PRICE_VENUES": "krakn"}
    for command in (["serve", "--port", "0"], ["worker"]):
        failed = coffers(*command, **misspelt)
        assert failed.returncode == 2
        assert (
            json.loads(failed.stderr)["event"]
            == "COFFERS_PRICE_VENUES: 'krakn' is no exchange; did you mean kraken?"
        )
        assert "serves" not in failed.stderr
    nowhere = str(tmp_path / "nonexist.toml")
    unchained = coffers("serve", "--port", "0", COFFERS_CHAINS_FILE=nowhere)
    assert (unchained.returncode, "serves" in unchained.stderr) == (2, False)
    told = json.loads(coffers("doctor", "--json", **misspelt).stdout)
    assert {each["subject"]: each["state"] for each in told}["prices"] == "failed"


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
    with closing(sqlite3.connect(tmp_path / "data" / "coffers.db")) as database, database:
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


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("G T", "/public/api/ver1/ping", "METHOD"),
        ("GET", "/public/api/ver1/ping\nX: y", "PATH"),
        ("GET", "/public/api/ver1/ping#frag", "PATH"),
        ("GET", "/public/api/ver1/ä", "PATH"),
    ],
)
def test_what_cannot_be_sent_is_not_signed(coffers: Run, method: str, path: str, said: str) -> None:
    failed = coffers("sign", method, path, "--api-key", "k", "--secret-stdin", stdin="s\n")
    assert failed.returncode == 2
    assert said in failed.stderr


def test_a_curl_command_sends_what_was_signed(coffers: Run) -> None:
    sign = ("--api-key", "k", "--secret-stdin", "--curl", "http://127.0.0.1:1")
    path = "/public/api/ver1/accounts?a[]={1,2}"
    shown = coffers("sign", "GET", path, *sign, stdin="s\n").stdout
    assert shown.startswith("curl -sSg -H")
    assert f"'http://127.0.0.1:1{path}'" in shown
    assert "-X GET" in coffers("sign", "GET", path, *sign, "--body", "{}", stdin="s\n").stdout
    assert "--head" in coffers("sign", "HEAD", path, *sign, stdin="s\n").stdout


def test_a_curl_command_says_that_a_json_body_is_json(coffers: Run) -> None:
    sign = ("--api-key", "k", "--secret-stdin", "--curl", "http://127.0.0.1:1")
    path = "/public/api/ver1/users/change_mode"
    said = "Content-Type: application/json"
    shown = coffers("sign", "POST", path, *sign, "--body", '{"mode":"paper"}', stdin="s\n").stdout
    assert f"-H '{said}'" in shown
    assert said not in coffers("sign", "POST", path, *sign, "--body", "a=1", stdin="s\n").stdout


def test_names_with_markup_are_shown_as_they_are(coffers: Run) -> None:
    assert coffers("user", "add", "[/red]x").returncode == 0
    assert "[/red]x" in coffers("user", "list").stdout


def test_an_account_id_that_no_account_can_have_is_a_usage_error(coffers: Run) -> None:
    coffers("user", "add", "ann")
    failed = coffers("account", "sync", "--user", "ann", "99999999999999999999")
    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr


def test_a_key_file_without_an_end_is_not_read_to_its_end(coffers: Run) -> None:
    coffers("user", "add", "ann")
    failed = coffers("token", "create", "--user", "ann", "--rsa-public-key", "/dev/zero")
    assert failed.returncode == 1
    assert "PEM" in failed.stderr


def test_the_sandbox_tells_of_a_port_in_use(coffers: Run) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        failed = coffers("sandbox", "--port", str(listener.getsockname()[1]))
    assert failed.returncode == 1
    assert "Address already in use" in failed.stderr


def test_the_database_is_its_owner_s_alone_also_in_an_open_directory(
    coffers: Run, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    coffers("user", "add", "ann")
    assert (tmp_path / "data" / "coffers.db").stat().st_mode & 0o077 == 0


def test_how_a_user_reads_numbers_and_times_is_chosen(coffers: Run) -> None:
    coffers("user", "add", "ann")
    chosen = coffers("user", "formats", "ann", "--locale", "de_CH", "--json")
    assert json.loads(chosen.stdout)["written_as"] == "de_CH"
    told = coffers("user", "formats", "ann", "--time-zone", "Europe/Zurich")
    assert told.stdout == "ann reads de_CH numbers, Europe/Zurich.\n"
    wrong = coffers("user", "formats", "ann", "--time-zone", "Mars")
    assert (wrong.returncode, "time_zone" in wrong.stderr) == (1, True)
    plain = coffers("user", "formats", "ann", "--locale", "plain", "--json")
    assert json.loads(plain.stdout)["written_as"] is None


def test_a_worker_whose_port_for_metrics_is_taken_says_so(coffers: Run) -> None:
    assert coffers("migrate").returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = coffers("worker", COFFERS_WORKER_METRICS_PORT=f"{port}")
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert f"cannot serve metrics on 127.0.0.1:{port}: Address already in use" in told
    assert "COFFERS_WORKER_METRICS_PORT" in told
