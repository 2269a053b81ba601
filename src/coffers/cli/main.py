"""The command `coffers`: its subcommands, and how an error reaches the person at the terminal."""

import os
import resource
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any

import typer

from coffers import __version__
from coffers.errors import CoffersError

COMMANDS = (
    "demo",
    "serve",
    "worker",
    "migrate",
    "sign",
    "sandbox",
    "doctor",
    "price",
    "flows",
    "export",
    "audit",
    "subaccounts",
    "backup",
    "backup-key",
    "restore",
)
"""Commands of one word; each is a function in the module of its name, or of `_MODULES`."""

GROUPS = ("user", "token", "account", "asset", "paper", "vault", "import")
"""Commands of two words; each is an app in its module."""

SERVICES = ("serve", "worker", "sandbox")
"""Commands that run for long: what they print is a log, and so is what they end with."""

_MODULES = {
    "backup-key": "backup",
    "price": "prices",
    "sign": "signing",
    "user": "users",
    "token": "tokens",
    "account": "accounts",
    "asset": "assets",
    "import": "importing",
}


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"coffers {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Settings come from COFFERS_* environment variables; docs/settings.md names them all."""


def make_app(asked: str | None = None) -> typer.Typer:
    """Return the command line; with the command that was asked for alone, where it is known.

    A server must start in a second, and other commands' modules are half of that.
    """
    app = typer.Typer(
        name="coffers",
        help="Lists the exchange accounts you own, with figures you can trust.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        add_completion=False,
    )
    app.callback()(_root)
    for name in COMMANDS:
        if asked in {None, name}:
            app.command(name)(getattr(_module(name), name.replace("-", "_")))
    for name in GROUPS:
        if asked in {None, name}:
            app.add_typer(_module(name).app, name=name)
    return app


def run() -> None:
    """Run the command line; an error is one sentence and an exit code, never a traceback."""
    _bear_every_name()
    _leave_no_core()
    asked = sys.argv[1] if sys.argv[1:] and sys.argv[1] in (*COMMANDS, *GROUPS) else None
    try:
        try:
            make_app(asked)()
        finally:
            # Not when the interpreter ends, where nobody could tell that it failed.
            sys.stdout.flush()
    except CoffersError as error:
        _fail(str(error), error.exit_code, asked)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if isinstance(error, OSError):
            _give_up_output()
        if isinstance(error, BrokenPipeError):
            sys.exit(1)
        if os.environ.get("COFFERS_LOG_LEVEL", "").lower() == "debug":
            raise
        if isinstance(error, OSError) and error.strerror:
            # Such as a full disk behind standard output, or a file that may not be looked at.
            where = "" if error.filename is None else f"{error.filename}: "
            _fail(f"{where}{error.strerror}", 1, asked)
        told = f"unexpected {type(error).__name__}; COFFERS_LOG_LEVEL=debug shows where it arose"
        _fail(told, 1, asked)


def _bear_every_name() -> None:
    """Have a terminal show what it has no letters for by its number, instead of nothing at all."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _leave_no_core() -> None:
    """Have no process write its memory to a disk when it crashes: keys and secrets are in there.

    Those that it starts inherit that.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def _give_up_output() -> None:
    """Keep the interpreter from writing at its end what cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(sentence: str, code: int, asked: str | None) -> None:
    if asked in SERVICES and _log_error(sentence):
        sys.exit(code)
    typer.secho("Error: ", fg=typer.colors.RED, bold=True, nl=False, err=True)
    typer.echo("".join(char if char.isprintable() else " " for char in sentence), err=True)
    sys.exit(code)


def _log_error(sentence: str) -> bool:
    """Log what a service ends with where its logs are JSON; return whether they are."""
    from coffers.logs import configure_logs, is_json, logger

    # The settings may be what is wrong.
    form = os.environ.get("COFFERS_LOG_FORMAT", "auto")
    if not (form == "json" or (form == "auto" and is_json("auto"))):
        return False
    configure_logs("error", "json")
    logger("coffers").error(sentence)
    return True


def _module(name: str) -> Any:  # noqa: ANN401 - a module has what it has
    return import_module(f"coffers.cli.{_MODULES.get(name, name)}")


if __name__ == "__main__":
    run()
