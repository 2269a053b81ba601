"""`coffers migrate`: bring the database to this release's tables."""

from typing import Annotated

import typer

from coffers.cli.console import out, print_json
from coffers.cli.rooms import make_data_dir, run_async, settings_for


def migrate(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring the database to this release's tables; SQLite is also migrated at every start."""
    before, after = run_async(_migrate())
    if as_json:
        print_json({"from": before, "to": after})
    elif before == after:
        out.print(f"The database is at {after}, nothing to do.")
    else:
        out.print(f"Migrated the database from {before or 'nothing'} to {after}.")


async def _migrate() -> tuple[str | None, str]:
    from coffers.store.engine import Store
    from coffers.store.migrate import upgrade

    settings = settings_for()
    make_data_dir(settings)
    store = Store(settings.direct_database())
    try:
        return await upgrade(store)
    finally:
        await store.close()
