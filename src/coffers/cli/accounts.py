"""`coffers account`: connect exchange accounts, list them, read one now, remove one."""

from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli import connect
from coffers.cli.account_output import READ, plain, print_accounts, tell_result
from coffers.cli.console import err, out, print_json
from coffers.cli.rooms import (
    load_exchange_library,
    opened_store,
    opened_vault,
    opened_venues,
    run_async,
    settings_for,
)
from coffers.clock import SystemClock

if TYPE_CHECKING:
    from coffers.portfolio.view import AccountView
    from coffers.settings import Settings
    from coffers.store.records import Account
    from coffers.sync.syncer import Result

app = typer.Typer(help="Connect exchange accounts and look at them.", no_args_is_help=True)
app.command("connect")(connect.connect)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
UserName = Annotated[str, typer.Option("--user", help="Whose account it is.")]
AccountId = Annotated[
    int, typer.Argument(metavar="ID", min=1, max=2**31 - 1, help="The account's id.")
]


@app.command("list")
def list_accounts(user: UserName, as_json: Json = False) -> None:
    """List a user's accounts, what they are worth, and how far that can be trusted."""
    settings = settings_for()
    views = run_async(_views(settings, user))
    now, stale_after = SystemClock().now(), settings.stale_age
    if as_json:
        print_json([plain(view, now, stale_after) for view in views])
    else:
        print_accounts(views, now, stale_after)


@app.command("sync")
def sync(user: UserName, account_id: AccountId, as_json: Json = False) -> None:
    """Read an account at its exchange now."""
    account, result = run_async(_sync(settings_for(), user, account_id))
    tell_result(account, result, as_json=as_json, done=READ)


@app.command("remove")
def remove(
    user: UserName,
    account_id: AccountId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove an account with its key and its whole history."""
    if not yes and not typer.confirm(f"Remove account {account_id} and its history?"):
        raise typer.Exit(1)
    run_async(_remove(settings_for(), user, account_id))
    if as_json:
        print_json({"removed": account_id})
    else:
        out.print(f"Removed account {account_id}.")


async def _views(settings: "Settings", user_name: str) -> "list[AccountView]":
    from coffers.portfolio.listing import Listing
    from coffers.portfolio.users import Users

    clock = SystemClock()
    async with opened_store(settings) as store:
        user = await Users(store, clock).named(user_name)
        async with store.reading() as tx:
            accounts = await tx.accounts.of_user(user.id)
            book = await tx.prices.newest()
        return await Listing(store, clock).views(user.id, accounts, book, user.display_currency)


async def _sync(settings: "Settings", user_name: str, account_id: int) -> "tuple[Account, Result]":
    from coffers.markets.chains import catalogue_of
    from coffers.portfolio.accounts import AccountKeeping
    from coffers.portfolio.users import Users

    clock, catalogue = SystemClock(), catalogue_of(settings)
    async with opened_store(settings) as store:
        user = await Users(store, clock).named(user_name)
        keeping = AccountKeeping(store, clock)
        await keeping.get(user.id, account_id)
        vault = await opened_vault(settings, store)
        with err.status("loading the exchange library"):
            load_exchange_library()
        async with opened_venues(settings, store, vault, clock, catalogue) as rooms:
            with err.status("reading the account"):
                await rooms.prices.refresh()
                result = await rooms.syncer.sync(user.id, account_id)
        return await keeping.get(user.id, account_id), result


async def _remove(settings: "Settings", user_name: str, account_id: int) -> None:
    from coffers.portfolio.accounts import AccountKeeping
    from coffers.portfolio.users import Users

    clock = SystemClock()
    async with opened_store(settings) as store:
        user = await Users(store, clock).named(user_name)
        await AccountKeeping(store, clock).remove(user.id, account_id)
