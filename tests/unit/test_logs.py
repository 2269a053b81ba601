"""No secret reaches a log, whoever logs it and however it is written; and no flood fills it."""

import json
import logging
import timeit
from collections.abc import Callable
from typing import Any

import pytest

from coffers.logs import LONGEST, SAID_AGAIN, Repeats, logger, redact_text, seldom
from coffers.secret import Secret

FAKE = "fAkEsEcReT0123456789"


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://venue.example/api/v3/account?timestamp=1&signature={FAKE}",
        f"GET /public/api/ver1/accounts/new?type=binance&secret={FAKE} HTTP/1.1",
        f'{{"apiKey": "{FAKE}", "secret": "{FAKE}"}}',
        f"headers X-MBX-APIKEY: {FAKE}",
        f"could not connect to postgresql://me:{FAKE}@localhost/coffers",
        f"passphrase={FAKE};",
        f"{{'api_secret': '{FAKE}'}}",
        f"{{b'api_secret': b'{FAKE}'}}",
        f"Authorization: Bearer {FAKE}",
        f"{{'Authorization': 'Bearer {FAKE}', 'Accept': '*/*'}}",
        f'Authorization: Digest username="me", response="{FAKE}"',
        f"Cookie: theme=dark; session={FAKE}",
        f"privateKey: {FAKE}",
        f"private_key={FAKE}",
        f"Private key: {FAKE}",
        f"private-key='-----BEGIN EC PRIVATE KEY-----\n{FAKE}\n-----END EC PRIVATE KEY-----'",
        f"private_key=-----BEGIN EC PRIVATE KEY-----\n{FAKE}\n-----END EC PRIVATE KEY-----",
        f"mnemonic: {FAKE}",
        f"mnemonic: abandon ability able about above absent absorb abstract absurd abuse {FAKE}",
        f"seed phrase: abandon, ability, {FAKE}",
        f"passphrase='my {FAKE} phrase {FAKE}'",
        f'passphrase="my \\" {FAKE}"',
        f"passphrase='my {FAKE} phrase that was cut",
        f'said "{{\\"secret\\": \\"my {FAKE}\\", \\"id\\": 1}}"',
        f"passwd={FAKE}",
        f"master_key: {FAKE}",
    ],
)
def test_a_text_loses_what_may_be_secret(text: str) -> None:
    assert FAKE not in redact_text(text)


def test_a_quoted_value_ends_with_its_quote() -> None:
    text = 'passphrase=\'my pass phrase\', account 7; {"secret": "a b", "id": 1}'
    assert redact_text(text) == 'passphrase=***, account 7; {"secret": ***, "id": 1}'


def test_a_plain_text_stays_as_it_is() -> None:
    text = "account 7 read in 0.4 s: 12 positions, 3 unpriced; see docs/errors.md"
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "part",
    [
        *("a", "/", "://", "secret", "secret ", "sign-", "secret=", "token: '", "?a=", "https://"),
        *(
            "\\",
            "seed: a ",
            "seed phrase ",
            "token=\\'",
            "token='\\",
            "token:\n-----BEGIN ",
            "cookie:",
        ),
    ],
)
def test_a_text_takes_time_in_proportion_to_its_length(part: str) -> None:
    def took(length: int) -> float:
        text = part * (length // len(part))
        return min(timeit.repeat(lambda: redact_text(text), number=1, repeat=3))

    # Eight times the text: 64 times the work, or 512 times, where runs are looked through anew.
    assert took(1_200) < 32 * took(150)


def test_a_text_is_cut_before_it_is_looked_through() -> None:
    assert len(redact_text("x" * 1_000_000)) < LONGEST + 10
    assert redact_text("one two three", 7) == "one two ..."


@pytest.mark.parametrize("length", range(1, 40))
@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://me:{FAKE}@localhost/coffers",
        f"https://venue.example/?signature={FAKE}",
        f"passphrase={FAKE}",
        f"passphrase='my {FAKE}'",
        f"Authorization: Bearer {FAKE}",
    ],
)
def test_what_is_cut_off_leaves_no_half_of_a_secret(text: str, length: int) -> None:
    assert FAKE[:2] not in redact_text(text, length)


def test_events_lose_values_under_telling_names(
    logs_of_a_process: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    logs_of_a_process("info")
    logger("test").info(
        "connected", api_key=FAKE, credentials=Secret(FAKE), nested={"secret": FAKE}, account=7
    )
    line = capsys.readouterr().err
    assert FAKE not in line
    assert json.loads(line)["account"] == 7


def test_a_library_s_log_and_traceback_are_redacted_too(
    logs_of_a_process: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    logs_of_a_process("info")
    try:
        int(f"https://venue.example/x?signature={FAKE}")
    except ValueError:
        logging.getLogger("some.library").exception("failed with secret=%s", FAKE)
    line = capsys.readouterr().err
    assert FAKE not in line
    assert json.loads(line)["logger"] == "some.library"
    assert "ValueError" in line


def test_a_level_that_another_server_left_keeps_nothing_back(
    logs_of_a_process: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logs_of_a_process("info")
    logging.getLogger("uvicorn.error").warning("heard")
    assert [each["event"] for each in written(capsys)] == ["heard"]


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_what_is_said_in_the_same_words_is_written_seldom_and_with_how_often(
    logs_of_a_process: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1_000.0
    monkeypatch.setattr("coffers.logs.time.monotonic", lambda: now)
    logs_of_a_process("info")
    for _ in range(100):
        seldom("test").warning("work failed", reason="away")
    seldom("test").warning("work failed", reason="another")
    seldom("other").warning("work failed", reason="away")
    assert [line.get("left_out") for line in written(capsys)] == [None] * 3
    now += SAID_AGAIN
    seldom("test").warning("work failed", reason="away")
    (again,) = written(capsys)
    assert (again["reason"], again["left_out"]) == ("away", 99)
    assert "seldom" not in again


def test_faults_count_as_words_and_what_goes_to_and_fro_is_all_written(
    logs_of_a_process: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    logs_of_a_process("info")
    for fault in (KeyError("a"), KeyError("b"), KeyError("a")):
        try:
            raise fault
        except KeyError:
            seldom("test").exception("work failed")
    assert [line["exception"][-3:] for line in written(capsys)] == ["'a'", "'b'"]
    for _ in range(2):
        logger("test").warning("gone")
        logger("test").info("reached")
    assert [line["event"] for line in written(capsys)] == ["gone", "reached"] * 2


def test_lines_that_all_differ_are_not_remembered_for_ever(
    logs_of_a_process: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    logs_of_a_process("info")
    for number in range(Repeats.MOST + 1):
        seldom("test").warning("work failed", account=number)
    capsys.readouterr()
    seldom("test").warning("work failed", account=0)
    seldom("test").warning("work failed", account=Repeats.MOST)
    assert [line["account"] for line in written(capsys)] == [0]
