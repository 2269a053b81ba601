"""No secret reaches a log, whoever logs it and however it is written."""

import json
import logging
from collections.abc import Callable

import pytest

from coffers.logs import logger, redact_text
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
    ],
)
def test_a_text_loses_what_may_be_secret(text: str) -> None:
    assert FAKE not in redact_text(text)


def test_a_plain_text_stays_as_it_is() -> None:
    text = "account 7 read in 0.4 s: 12 positions, 3 unpriced; see docs/errors.md"
    assert redact_text(text) == text


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
