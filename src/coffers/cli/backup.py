"""`coffers backup`, `coffers backup-key`: everything in one encrypted file, while all runs."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import print_json, progress
from coffers.cli.new_file import new_file
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.clock import SystemClock
from coffers.errors import UsageError

if TYPE_CHECKING:
    from coffers.portfolio.archive import Recipient
    from coffers.portfolio.backups import BackedUp

TOLD = ("users", "accounts", "snapshots", "flows")
"""Tables whose rows a person counts."""


def backup(
    file: Annotated[
        Path | None,
        typer.Argument(help="The file to write; coffers-TIME.age in this directory by default."),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", help="A public key that opens it: age1... or ssh-...; several are possible."
        ),
    ] = None,
    without_master_key: Annotated[
        bool,
        typer.Option("--without-master-key", help="Leave the master key out; keep it elsewhere."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write everything into one encrypted file, as it is at this moment; nothing has to stop."""
    from coffers.portfolio.archive import recipient_of

    if not to:
        raise UsageError(
            "whom is the backup for? --to takes a public key; make one with: "
            "coffers backup-key FILE, and keep that file elsewhere"
        )
    recipients = [recipient_of(key) for key in to]
    path = file or Path(f"coffers-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.age")
    done = run_async(_back_up(path, recipients, with_master_key=not without_master_key))
    if as_json:
        print_json({"file": str(path), "bytes": path.stat().st_size, "rows": done.rows})
        return
    typer.echo(f"Wrote {path}, {_size(path.stat().st_size)}: {counted(done)}.")
    if without_master_key:
        typer.echo("It has no master key: without a copy of that, exchange keys stay closed.")


def backup_key(
    file: Annotated[Path, typer.Argument(help="The file for the private key; must not exist.")],
) -> None:
    """Make a key that opens backups: the private half into a file, the public half shown."""
    from coffers.portfolio.archive import new_identity

    text, public = new_identity()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{file} cannot be made: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
    said = f"The private key is in {file}. Keep it away from this machine, and not only once."
    typer.echo(said, err=True)
    typer.echo(f"Back up with: coffers backup --to {public}", err=True)
    typer.echo(public)


def counted(done: "BackedUp") -> str:
    """Return in words how much a backup holds."""
    parts = [f"{table} {done.rows.get(table, 0):,}" for table in TOLD]
    return f"{', '.join(parts)}; {sum(done.rows.values()):,} rows in all"


async def _back_up(
    path: Path, recipients: "list[Recipient]", *, with_master_key: bool
) -> "BackedUp":
    from coffers.portfolio.archive import written
    from coffers.portfolio.backups import back_up

    settings, clock = settings_for(), SystemClock()
    with new_file(path) as file:
        async with opened_store(settings) as store:
            with progress() as shown:
                task = shown.add_task("backing up", total=None)

                def show(table: str, rows: int, expected: int) -> None:
                    shown.update(task, description=table, completed=rows, total=expected)

                with written(file, recipients, clock.now() // 1000) as members:
                    return await back_up(
                        settings,
                        store,
                        clock,
                        members,
                        with_master_key=with_master_key,
                        progress=show,
                    )


def _size(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB" if count >= 100_000 else f"{count / 1_000:,.1f} kB"  # noqa: PLR2004
