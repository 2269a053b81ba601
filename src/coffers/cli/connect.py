"""`coffers account connect`: takes an exchange key, its secret unseen, and connects the account."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.account_output import CONNECTED, tell_result
from coffers.cli.console import err
from coffers.cli.rooms import (
    load_exchange_library,
    opened_store,
    opened_vault,
    opened_venues,
    run_async,
    settings_for,
)
from coffers.clock import SystemClock
from coffers.secret import Secret

if TYPE_CHECKING:
    from coffers.connectors.reading import Credentials
    from coffers.portfolio.connecting import Connection
    from coffers.settings import Settings
    from coffers.store.records import Account
    from coffers.sync.syncer import Result


def connect(
    user: Annotated[str, typer.Option("--user", help="Whose account it is.")],
    market: Annotated[str, typer.Option(help="The market's code, as in docs/markets.md.")],
    name: Annotated[str, typer.Option(help="What to call the account: 2 to 100 characters.")],
    api_key: Annotated[
        str | None, typer.Option(help="The exchange API key, its public half; else asked for.")
    ] = None,
    customer_id: Annotated[str | None, typer.Option(help="Where the exchange needs one.")] = None,
    secret_stdin: Annotated[
        bool,
        typer.Option(
            "--secret-stdin",
            help="Read the secret from standard input; a passphrase on the line after it.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Connect an exchange account: its key is checked first, then the account is read."""
    settings = settings_for()
    key = api_key if api_key is not None else typer.prompt("API key")
    credentials = _credentials(market, key.strip(), customer_id, from_stdin=secret_stdin)
    account, result = run_async(_connect(settings, user, market, name, credentials))
    tell_result(account, result, as_json=as_json, done=CONNECTED)


def _credentials(
    market: str, key: str, customer_id: str | None, *, from_stdin: bool
) -> "Credentials":
    from coffers.connectors.reading import Credentials
    from coffers.markets.catalogue import load_catalogue

    found = load_catalogue().get(market)
    fields = () if found is None else (*found.required_fields, *found.optional_fields)
    ask = _from_stdin if from_stdin else _from_terminal
    secret, passphrase = ask(with_passphrase="passphrase" in fields)
    return Credentials(key, secret, passphrase, customer_id)


def _from_stdin(*, with_passphrase: bool) -> tuple[Secret, Secret | None]:
    lines = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
    if with_passphrase and len(lines) > 1:
        return Secret("\n".join(lines[:-1])), Secret(lines[-1])
    return Secret("\n".join(lines)), None


def _from_terminal(*, with_passphrase: bool) -> tuple[Secret, Secret | None]:
    secret = Secret(typer.prompt("Secret", hide_input=True).strip())
    if not with_passphrase:
        return secret, None
    return secret, Secret(typer.prompt("Passphrase", hide_input=True).strip())


async def _connect(
    settings: "Settings", user_name: str, market: str, name: str, credentials: "Credentials"
) -> "tuple[Account, Result]":
    from coffers.markets.catalogue import load_catalogue
    from coffers.portfolio.connecting import Connection, checked
    from coffers.portfolio.users import Users

    async with opened_store(settings) as store:
        user = await Users(store, SystemClock()).named(user_name)
        asked = Connection(user.id, market, name, credentials)
        # What can be told without the exchange is told before the wait for its library.
        checked(asked, load_catalogue())
    with err.status("loading the exchange library"):
        load_exchange_library()
    return await connect_and_read(settings, asked)


async def connect_and_read(settings: "Settings", asked: "Connection") -> "tuple[Account, Result]":
    """Connect an account and read it for the first time, showing what is being done."""
    from coffers.markets.catalogue import load_catalogue
    from coffers.portfolio.connecting import Connecting
    from coffers.sync.prices import refresh_prices

    clock, catalogue = SystemClock(), load_catalogue()
    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
        async with opened_venues(settings, store, vault, clock, catalogue) as rooms:
            connecting = Connecting(
                store, vault, catalogue, rooms.connector, clock, settings.key_policy
            )
            with err.status("asking the exchange what the key may do"):
                account = await connecting.connect(asked)
            with err.status("reading the account"):
                await refresh_prices(store, catalogue, rooms.keeper)
                result = await rooms.syncer.sync(account.user_id, account.id)
    return account, result
