"""What `coffers account connect` asks for: what the market requires, and secrets unseen."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from coffers.cli import connect
from coffers.connectors.reading import Credentials

NOTHING = dict.fromkeys(("api_key", "customer_id", "address", "login"))
PEM = ["-----BEGIN PRIVATE KEY-----", "MC4CAQAwBQ==", "-----END PRIVATE KEY-----"]


class Terminal:
    """Answers prompts in their order, and keeps what was asked and whether unseen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self.asked: list[tuple[str, bool]] = []
        self._answers: Iterator[str] = iter(answers)
        monkeypatch.setattr(typer, "prompt", self._prompt)

    def _prompt(self, text: str, *, hide_input: bool = False, **_rest: Any) -> str:
        self.asked.append((text, hide_input))
        return next(self._answers)


def given(code: str, **options: str) -> Credentials:
    return connect._credentials(code, {**NOTHING, **options}, None, from_stdin=False)


def test_key_and_secret_are_asked_for_the_secret_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, "key", "secret")
    credentials = given("binance")
    assert (credentials.api_key, credentials.secret.reveal()) == ("key", "secret")
    assert terminal.asked == [("API key", False), ("API secret", True)]


def test_what_an_option_gives_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, "secret", "words")
    credentials = given("kucoin", api_key="key")
    assert credentials.passphrase is not None
    assert [hidden for _, hidden in terminal.asked] == [True, True]
    assert (credentials.api_key, credentials.passphrase.reveal()) == ("key", "words")


def test_no_secret_is_asked_for_where_the_address_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal(monkeypatch, "0xabc")
    credentials = given("hyperliquid")
    assert (credentials.address, credentials.secret.reveal()) == ("0xabc", "")
    assert len(terminal.asked) == 1


def test_a_key_in_pem_is_asked_for_until_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, "key", *PEM)
    assert given("revolutx").secret.reveal() == "\n".join(PEM)
    assert [hidden for _, hidden in terminal.asked] == [False, True, True, True]
