"""Commands and their options: all of them documented, and every example one that there is."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from coffers.cli.main import make_app
from coffers.settings import Settings

MAKEFILE = (Path(__file__).resolve().parents[2] / "Makefile").read_text()
OTHER_PROGRAMS = {
    "cd", "cp", "curl", "docker", "echo", "export", "git", "grep", "install", "journalctl",
    "openssl", "rm", "sqlite3", "systemctl", "systemd-run", "tar",
}  # fmt: skip
SCRIPTS = {".venv/bin/python": ["scripts/make_catalogue.py"]}
Pages = dict[str, str]
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## (coffers .+)$", re.MULTILINE)


def _commands() -> dict[str, Any]:
    return dict(_below("coffers", typer.main.get_command(make_app())))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for part, child in inner.items():
        yield from _below(f"{name} {part}", child)


def _options(command: Any) -> set[str]:
    return {
        name
        for parameter in command.params
        for name in parameter.opts
        if name.startswith("--") and not getattr(parameter, "hidden", False)
    } - {"--help"}


COMMANDS = _commands()


def _sections(text: str) -> dict[str, str]:
    _, *parts = _HEADING.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_commands_are_documented_and_no_others(pages: Pages) -> None:
    assert set(_sections(pages["docs/cli.md"])) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_documented_and_no_others(pages: Pages, name: str) -> None:
    section = _sections(pages["docs/cli.md"])[name]
    told = re.findall(r"^\| `(--[\w-]+)` \|", section, re.MULTILINE)

    assert set(told) == _options(COMMANDS[name])
    assert len(told) == len(set(told))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example(pages: Pages, name: str) -> None:
    blocks = _SHELL.findall(_sections(pages["docs/cli.md"])[name])

    assert any(line.startswith(name) for block in blocks for line in block.splitlines())


def test_targets_of_make_are_documented_and_no_others(pages: Pages) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE))
    told = re.findall(r"^\| `make ?([a-z]*)` \|", pages["docs/development.md"], re.MULTILINE)

    assert set(told) - {""} == targets - {"help"}


def test_texts_name_only_targets_that_exist(pages: Pages) -> None:
    named = {word for page in pages for word in re.findall(r"`make ([a-z]+)", pages[page])}

    assert [word for word in sorted(named) if not _is_target(word)] == []


def test_examples_name_only_commands_options_targets_and_settings_that_exist(pages: Pages) -> None:
    faults = [
        f"{page}: {line}: {fault}"
        for page, text in pages.items()
        for block in _SHELL.findall(text)
        for line in block.replace("\\\n", "").splitlines()
        if (fault := _fault(shlex.split(line)))
    ]

    assert faults == []


def _fault(words: list[str]) -> str | None:
    """Return what is wrong with a line of shell, None where nothing is."""
    if "|" in words:
        cut = words.index("|")
        return _fault(words[:cut]) or _fault(words[cut + 1 :])
    program, *arguments = words
    match program.removeprefix(".venv/bin/"):
        case "make":
            return next((word for word in arguments if not _is_target(word)), None)
        case "coffers":
            return _fault_of_command(arguments)
        case "export":
            return next((word for word in arguments if not _is_setting(word)), None)
        case name:
            is_known = name in OTHER_PROGRAMS or SCRIPTS.get(program) == arguments
            return None if is_known else "an unknown program"


def _fault_of_command(arguments: list[str]) -> str | None:
    name = next(
        (name for name in COMMANDS if arguments[: name.count(" ")] == name.split()[1:]), None
    )
    if name is None:
        return "an unknown command"
    given = {word for word in arguments if word.startswith("--")}
    unknown = given - _options(COMMANDS[name])
    needed = {
        parameter.opts[0]
        for parameter in COMMANDS[name].params
        if parameter.required and parameter.opts[0].startswith("--")
    }
    return f"{sorted(unknown | (needed - given))}" if unknown or needed - given else None


def _is_target(word: str) -> bool:
    """Tell whether `make` knows a word: a target, or a variable that is given a value."""
    variable, sign, _ = word.partition("=")
    pattern = rf"^{variable} \?=" if sign else rf"^{word}:"
    return re.search(pattern, MAKEFILE, re.MULTILINE) is not None


def _is_setting(word: str) -> bool:
    return word.partition("=")[0].removeprefix("COFFERS_").lower() in Settings.model_fields
