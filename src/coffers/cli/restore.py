"""`coffers restore`: a backup put into an empty database, or looked through."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.backup import counted
from coffers.cli.console import print_json, progress
from coffers.cli.rooms import make_data_dir, run_async, settings_for
from coffers.clock import SystemClock
from coffers.errors import CoffersError, UsageError

if TYPE_CHECKING:
    from coffers.portfolio.backups import BackedUp, Progress


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    key: Annotated[
        Path, typer.Option("--key", help="The file with the private key that opens it.")
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Read it to its end and write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put a backup into an empty database; one of SQLite fits PostgreSQL, and the other way."""
    done = _checked(file, key) if check else run_async(_restored(file, key))
    made = datetime.fromtimestamp(done.manifest.made_at / 1000, UTC)
    manifest = done.manifest
    if as_json:
        print_json(
            {
                "made_at": made.isoformat(),
                "release": manifest.release,
                "revision": manifest.revision,
                "has_master_key": manifest.has_master_key,
                "rows": done.rows,
                "restored": not check,
            }
        )
    else:
        verb = "Whole" if check else "Restored"
        typer.echo(f"{verb}: {counted(done)}, as of {made:%Y-%m-%d %H:%M:%S} UTC.")
        kept = "with" if manifest.has_master_key else "without"
        typer.echo(
            f"Made by release {manifest.release} (revision {manifest.revision}), "
            f"{kept} the master key."
        )
    if not check:
        run_async(_look_at_key())


def _checked(file: Path, key: Path) -> "BackedUp":
    from coffers.portfolio.backups import checked

    with _opened(file, key) as members, _shown("checking") as show:
        return checked(members, show)


async def _restored(file: Path, key: Path) -> "BackedUp":
    from coffers.portfolio.backups import restore as put_back
    from coffers.store.engine import Store

    settings = settings_for()
    make_data_dir(settings)
    store = Store(settings.direct_database())
    try:
        with _opened(file, key) as members, _shown("restoring") as show:
            return await put_back(settings, store, members, show)
    finally:
        await store.close()


async def _look_at_key() -> None:
    """Tell if the master key at hand does not open what was restored."""
    from coffers.portfolio.vaulting import open_vault
    from coffers.store.engine import Store

    settings = settings_for()
    store = Store(settings.direct_database())
    try:
        await open_vault(settings, store, SystemClock())
    except CoffersError as error:
        raise CoffersError(
            f"everything is restored, but the exchange keys stay closed: {error}; put the master "
            "key in place, then look with: coffers doctor"
        ) from error
    finally:
        await store.close()


@contextmanager
def _opened(file: Path, key: Path) -> Iterator[Iterator[tuple[str, bytes]]]:
    from coffers.portfolio.archive import identities_in, read

    identities = identities_in(key)
    try:
        source = file.open("rb")
    except OSError as error:
        raise UsageError(f"the backup {file} cannot be read: {error.strerror}") from error
    with source, read(source, identities) as members:
        yield members


@contextmanager
def _shown(doing: str) -> "Iterator[Progress]":
    with progress() as shown:
        task = shown.add_task(doing, total=None)

        def show(table: str, rows: int, _expected: int) -> None:
            shown.update(task, description=f"{doing} {table}", completed=rows)

        yield show
