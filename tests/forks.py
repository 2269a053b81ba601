"""Runs commands in forks of a process that has the program loaded, which takes most of their time.

What a command meets is what it meets in a process of its own: arguments, environment, standard
streams on files, and the exit code.
"""

import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOADED = (
    "coffers.cli.main",
    "coffers.cli.users",
    "coffers.cli.tokens",
    "coffers.cli.connect",
    "coffers.cli.accounts",
    "coffers.cli.importing",
    "coffers.cli.backup",
    "coffers.portfolio.backups",
    "coffers.store.migrate",
    "alembic.command",
    "asyncpg",
    "coffers.connectors.exchange.connector",
)
PATIENCE = 60.0


class Forks:
    """The process that forks for each command."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control.makefile("rw")

    def run(
        self, arguments: Sequence[str], stdin: str, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command until it ends, as `subprocess.run` does."""
        with tempfile.TemporaryDirectory() as home:
            place = Path(home)
            (place / "in").write_text(stdin)
            self._control.write(json.dumps([home, list(arguments), dict(env)]) + "\n")
            self._control.flush()
            code = int(self._control.readline())
            out, err = ((place / name).read_text() for name in ("out", "err"))
        return subprocess.CompletedProcess(["coffers", *arguments], code, out, err)


@contextmanager
def forking() -> Iterator[Forks]:
    """Start the process that forks; its own environment has nothing of Coffers."""
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE)
    env = {name: text for name, text in os.environ.items() if not name.startswith("COFFERS_")}
    command = [sys.executable, __file__, str(theirs.fileno())]
    process = subprocess.Popen(  # noqa: S603 - this file
        command, env={**env, "COLUMNS": "80"}, pass_fds=[theirs.fileno()]
    )
    theirs.close()
    try:
        yield Forks(ours)
    finally:
        ours.close()
        process.terminate()
        process.wait(PATIENCE)


def _serve(control: socket.socket) -> None:
    for name in LOADED:
        importlib.import_module(name)
    lines = control.makefile("rw")
    for line in lines:
        child = os.fork()
        if not child:
            _become(*json.loads(line))
        _, status = os.waitpid(child, 0)
        lines.write(f"{os.waitstatus_to_exitcode(status)}\n")
        lines.flush()


def _become(home: str, arguments: list[str], env: dict[str, str]) -> None:
    """Be the command, to the end."""
    code: Any = 1
    try:
        for number, (name, flags) in enumerate(
            (
                ("in", os.O_RDONLY),
                ("out", os.O_WRONLY | os.O_CREAT),
                ("err", os.O_WRONLY | os.O_CREAT),
            )
        ):
            os.dup2(os.open(Path(home) / name, flags), number)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww")
        )
        os.environ.clear()
        os.environ.update(env)
        sys.argv = ["coffers", *arguments]
        from coffers.cli import console  # noqa: PLC0415 - loaded before
        from coffers.cli.main import run  # noqa: PLC0415 - loaded before

        # They looked for it when they were loaded.
        console.out.width = console.err.width = int(env["COLUMNS"])
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter ends
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
