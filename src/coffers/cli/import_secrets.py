"""The secrets that moving in needs: from a file that only its owner reads, or asked for unseen."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from coffers.cli.console import err, printable
from coffers.errors import UsageError
from coffers.markets.fields import SECRET_FIELDS, field_of
from coffers.portfolio.fields import FIELDS
from coffers.portfolio.import_plan import Planned

KEY, SECRET = "THREECOMMAS_API_KEY", "THREECOMMAS_SECRET"
"""The environment variables with the source's own API key and its secret."""

_END_OF_PEM = "-----END "


@dataclass(frozen=True, slots=True)
class SecretsFile:
    """What a file of secrets holds: of the source, and of accounts by the source's ids."""

    source: Mapping[str, str] = field(default_factory=dict, repr=False)
    accounts: Mapping[int, Mapping[str, str]] = field(default_factory=dict, repr=False)


def read_secrets(path: Path) -> SecretsFile:
    """Return what a file in TOML holds.

    Raises:
        UsageError: where others can read it, or it is in another form; no value is quoted.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise UsageError(f"others can read {path}; chmod 600 it")
            # Without the mark that some editors put before a text.
            held = tomllib.loads(file.read().decode("utf-8-sig"))
    except OSError as fault:
        raise UsageError(f"{path} cannot be read: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # Without the cause, which may quote the file.
        raise UsageError(f"{path} is no TOML") from None
    if unknown := held.keys() - {"source", "accounts"}:
        raise UsageError(f"{path} has a table {min(unknown)!r}: only source and accounts")
    source = _texts(path, "source", held.get("source", {}), ("api_key", "secret"))
    accounts = held.get("accounts", {})
    if not isinstance(accounts, dict) or not all(key.isdigit() for key in accounts):
        raise UsageError(f"{path}: the tables of accounts are named by their ids, [accounts.123]")
    return SecretsFile(
        source,
        {int(key): _texts(path, f"accounts.{key}", accounts[key], FIELDS) for key in accounts},
    )


def _texts(path: Path, table: str, held: object, names: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(held, dict) or not all(isinstance(text, str) for text in held.values()):
        raise UsageError(f"{path}: [{table}] holds texts")
    if unknown := held.keys() - set(names):
        raise UsageError(f"{path}: [{table}] has no {min(unknown)!r}: {', '.join(names)}")
    return held


def source_key(held: SecretsFile) -> str:
    """Return the source's API key: of the file, else of the environment, else asked for."""
    found = held.source.get("api_key") or os.environ.get(KEY)
    return found or str(typer.prompt("API key of the source", err=True)).strip()


def source_secret(held: SecretsFile) -> str:
    """Return the source's secret: of the file, else of the environment, else asked for unseen."""
    found = held.source.get("secret") or os.environ.get(SECRET)
    return found or str(typer.prompt("Its secret", hide_input=True, err=True)).strip()


class Asking:
    """Finds what planned accounts ask for: in a file, else at the terminal.

    With `skips` nothing is asked for, and what the file does not hold is left for another run; so
    is an account whose first question gets an empty answer.
    """

    def __init__(self, held: SecretsFile, *, skips: bool) -> None:
        self._held = held
        self._skips = skips

    def __call__(self, planned: Planned) -> Mapping[str, str] | None:
        """Return the credentials of an account, None to leave it."""
        held = dict(self._held.accounts.get(planned.source.id, {}))
        lacking = [name for name in planned.asks if not held.get(name)]
        if not lacking:
            return held
        if self._skips:
            return None
        err.print(
            f"\n{planned.name} ({planned.source.market_code}): Enter alone leaves it for later.",
            markup=False,
        )
        for name in lacking:
            given = _asked(planned, name)
            if not given:
                return None
            held[name] = given
        return held


def _asked(planned: Planned, name: str) -> str:
    label = printable(field_of(planned.market, name).told)
    hides = name in SECRET_FIELDS
    lines = [str(typer.prompt(label, hide_input=hides, default="", show_default=False, err=True))]
    while "-----BEGIN " in lines[0] and _END_OF_PEM not in lines[-1]:
        lines.append(str(typer.prompt("", prompt_suffix="", hide_input=True, default="", err=True)))
    return "\n".join(lines).strip()
