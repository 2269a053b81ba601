"""`coffers user`: the people whose accounts are kept here."""

from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import print_json, print_table
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.cli.stdin import line_given
from coffers.clock import SystemClock, iso
from coffers.secret import Secret

if TYPE_CHECKING:
    from coffers.portfolio.second_factors import Kept
    from coffers.portfolio.sign_in import SignIn
    from coffers.store.engine import Store
    from coffers.store.records import User

app = typer.Typer(help="Add and list users, and let them sign in.", no_args_is_help=True)
_BY_CODE = "/sign-in?by=code"
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
        typer.echo(f"Added user {user.name} (id {user.id}).")


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


@app.command("currency")
def currency(
    name: Annotated[str, typer.Argument(help="Whose amounts are to be shown in it.")],
    code: Annotated[str, typer.Argument(help="USD, EUR, GBP, BTC, ...")],
    as_json: Json = False,
) -> None:
    """Choose the currency that a user's amounts are shown in."""
    user = run_async(_show_in(name, code))
    if as_json:
        print_json(_plain(user))
    else:
        typer.echo(f"Amounts of {user.name} are now shown in {user.display_currency}.")


@app.command("formats")
def formats(
    name: Annotated[str, typer.Argument(help="For whom numbers and times are written so.")],
    locale: Annotated[
        str | None, typer.Option(help="de_CH, en_IN, ...: how pages write numbers and dates.")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="UTC, Europe/Berlin, ...")] = None,
    as_json: Json = False,
) -> None:
    """Choose how the pages write numbers and times for a user."""
    from coffers.portfolio.manners import WRITTEN

    written_as = "" if locale == "plain" else locale
    if written_as is not None and written_as not in WRITTEN:
        known = ", ".join(["plain", *filter(None, WRITTEN)])
        raise typer.BadParameter(f"must be one of {known}", param_hint="--locale")
    user = run_async(_write_for(name, written_as, time_zone))
    if as_json:
        print_json(_plain(user))
    else:
        typer.echo(f"{user.name} reads {user.written_as or 'plain'} numbers, {user.time_zone}.")


@app.command("password")
def password(
    name: Annotated[str, typer.Argument(help="Whose password is set.")],
    from_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Set a user's password for the pages; the user is signed out everywhere."""
    text = line_given() if from_stdin else _asked()
    run_async(_set_password(name, Secret(text)))
    typer.echo(f"{name} signs in with the new password from now on.")


@app.command("code")
def code(
    name: Annotated[str, typer.Argument(help="Who is to sign in with it.")],
    as_json: Json = False,
) -> None:
    """Make a code by which a user signs in at the pages, once, within 15 minutes."""
    made = run_async(_code(name))
    if as_json:
        print_json({"name": name, "code": made, "path": _BY_CODE})
    else:
        typer.echo(f"The code is {made}. Type it at {_BY_CODE} within 15 minutes; it works once.")


@app.command("factors")
def factors(
    name: Annotated[str, typer.Argument(help="Whose second factors.")],
    remove: Annotated[
        bool, typer.Option("--remove", help="Take all of them away, also the recovery codes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what a user shows beside the password at the pages, or take it away."""
    kept = run_async(_factors(name, remove=remove))
    ways, names = kept.ways, [each.name for each in kept.passkeys]
    if as_json:
        told = {"app": ways.has_totp, "passkeys": names, "recovery_codes": ways.recovery_codes}
        print_json({"name": name, **told})
    elif not ways.is_second_asked:
        typer.echo(f"{name} signs in by the password alone.")
    else:
        app_ = "an app that makes codes" if ways.has_totp else "no app"
        keys = ", ".join(map(repr, names)) or "none"
        typer.echo(f"{name}: {app_}; passkeys: {keys}; {ways.recovery_codes} recovery codes left.")


def _asked() -> str:
    text: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return text


async def _set_password(name: str, text: Secret) -> None:
    async with opened_store(settings_for()) as store:
        await _signing(store).set_password(name, text)


async def _code(name: str) -> str:
    async with opened_store(settings_for()) as store:
        return await _signing(store).ticket_for(name)


async def _factors(name: str, *, remove: bool) -> "Kept":
    from coffers.portfolio.second_factors import FactorsOf

    async with opened_store(settings_for()) as store:
        operator = FactorsOf(store, SystemClock())
        if remove:
            await operator.remove(name)
        return await operator.named(name)


def _signing(store: "Store") -> "SignIn":
    from coffers.access.passwords import Passwords
    from coffers.portfolio.sign_in import SignIn

    return SignIn(store, Passwords(), SystemClock())


async def _add(name: str) -> "User":
    from coffers.portfolio.users import Users

    async with opened_store(settings_for()) as store:
        return await Users(store, SystemClock()).add(name)


async def _show_in(name: str, code: str) -> "User":
    from coffers.portfolio.users import Users

    async with opened_store(settings_for()) as store:
        return await Users(store, SystemClock()).show_in(name, code)


async def _write_for(name: str, locale: str | None, time_zone: str | None) -> "User":
    from coffers.portfolio.users import Manner, Users

    async with opened_store(settings_for()) as store:
        users = Users(store, SystemClock())
        manner = Manner(written_as=locale, time_zone=time_zone)
        return await users.choose(await users.named(name), manner)


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
        "written_as": user.written_as or None,
        "time_zone": user.time_zone,
        "created_at": iso(user.created_at),
    }
