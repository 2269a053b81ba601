"""`coffers vault`: the master key that seals the exchange keys."""

from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import print_json, progress
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.clock import SystemClock

if TYPE_CHECKING:
    from coffers.portfolio.vaulting import Rotation

app = typer.Typer(help="Look after the master key.", no_args_is_help=True)


@app.callback()
def _vault() -> None:
    """Look after the master key that seals all exchange keys."""


@app.command("rotate")
def rotate(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Seal everything under a new master key; may be interrupted and run again."""
    done = run_async(_rotate())
    if as_json:
        print_json({"key_id": done.key_id, "moved": done.moved, "resumed": done.resumed})
    else:
        how = "Finished the rotation that was under way" if done.resumed else "Rotated"
        typer.echo(f"{how}: {done.moved} secrets are now sealed under key {done.key_id}.")


async def _rotate() -> "Rotation":
    from coffers.portfolio.vaulting import rotate as rotate_keys

    settings = settings_for()
    async with opened_store(settings) as store:
        with progress() as shown:
            task = shown.add_task("re-wrapping secrets", total=None)
            return await rotate_keys(
                settings,
                store,
                SystemClock(),
                lambda moved: shown.update(task, completed=moved),
            )
