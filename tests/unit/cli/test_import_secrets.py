"""What moving in asks for at the terminal, and what it takes from a file instead."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from coffers.cli.import_secrets import Asking, SecretsFile, read_secrets, source_key, source_secret
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.import_plan import Here, Planned, plan
from coffers.portfolio.import_source import SourceAccount

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


def planned(market_code: str, **told: Any) -> Planned:
    account = SourceAccount(7, "Main", market_code, **{"api_key": "key", **told})
    (found,) = plan([account], Here((), {}, ()), load_catalogue())
    return found


def test_only_what_the_source_cannot_tell_is_asked_for_and_secrets_unseen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal(monkeypatch, "secret", "words")
    given = Asking(SecretsFile(), skips=False)(planned("kucoin"))
    assert given == {"secret": "secret", "passphrase": "words"}
    assert [hidden for _, hidden in terminal.asked] == [True, True]


def test_a_masked_key_is_asked_for_too(monkeypatch: pytest.MonkeyPatch) -> None:
    Terminal(monkeypatch, "key", "secret")
    given = Asking(SecretsFile(), skips=False)(planned("binance", api_key=""))
    assert given is not None
    assert sorted(given.values()) == ["key", "secret"]


def test_an_empty_answer_leaves_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, "")
    assert Asking(SecretsFile(), skips=False)(planned("kucoin")) is None
    assert len(terminal.asked) == 1


def test_a_key_in_pem_goes_on_until_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    Terminal(monkeypatch, *PEM)
    given = Asking(SecretsFile(), skips=False)(planned("revolutx"))
    assert given == {"secret": "\n".join(PEM)}


def test_what_the_file_holds_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, "words")
    held = SecretsFile({"api_key": "a", "secret": "b"}, {7: {"secret": "secret"}})
    assert Asking(held, skips=True)(planned("kucoin")) is None
    assert Asking(held, skips=True)(planned("binance")) == {"secret": "secret"}
    assert Asking(held, skips=False)(planned("kucoin")) == {
        "secret": "secret",
        "passphrase": "words",
    }
    assert (source_key(held), source_secret(held)) == ("a", "b")
    assert len(terminal.asked) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_of_secrets_shows_none(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "secrets.toml"
    text = '[source]\nsecret = "fake-secret"\n[accounts.7]\nsecret = "fake-secret"\n'
    path.write_text(text, encoding=encoding)
    path.chmod(0o600)
    held = read_secrets(path)
    assert held.accounts == {7: {"secret": "fake-secret"}}
    assert "fake-secret" not in repr(held)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("x", "binance 7"), ("  Main \n", "Main"), ("n" * 150, "n" * 100), ("", "binance 7")],
)
def test_a_name_that_cannot_be_used_here_is_made_to_fit(name: str, expected: str) -> None:
    account = SourceAccount(7, name, "binance", api_key="key")
    (found,) = plan([account], Here((), {}, ()), load_catalogue())
    assert found.name == expected
