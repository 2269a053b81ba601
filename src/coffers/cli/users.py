"""`coffers user`: the people whose accounts are kept here."""

from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import out, print_json, print_table
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.clock import SystemClock, iso

if TYPE_CHECKING:
    from coffers.store.records import User

app = typer.Typer(help="Add and list users.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A name to call the user by; one of its own.")],
    as_json: Json = False,
) -> None:
    """Add a user."""
    user = run_async(_add(name))
    if as_json:
        print_json(_plain(user))
    else:
        out.print(f"Added user {user.name} (id {user.id}).", markup=False)


@app.command("list")
def list_users(as_json: Json = False) -> None:
    """List all users."""
    users = run_async(_all())
    if as_json:
        print_json([_plain(user) for user in users])
    else:
        print_table(
            ["id", "name", "mode", "currency", "added"],
            [
                (user.id, user.name, user.mode, user.display_currency, iso(user.created_at))
                for user in users
            ],
        )


async def _add(name: str) -> "User":
    from coffers.portfolio.users import Users

    async with opened_store(settings_for()) as store:
        return await Users(store, SystemClock()).add(name)


async def _all() -> "list[User]":
    from coffers.portfolio.users import Users

    async with opened_store(settings_for()) as store:
        return await Users(store, SystemClock()).all()


def _plain(user: "User") -> dict[str, object]:
    return {
        "id": user.id,
        "name": user.name,
        "mode": user.mode,
        "display_currency": user.display_currency,
        "created_at": iso(user.created_at),
    }
