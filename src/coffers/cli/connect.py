"""`coffers account connect`: takes an exchange key, its secret unseen, and connects the account."""

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
from coffers.cli.stdin import text_given
from coffers.clock import SystemClock
from coffers.errors import UsageError
from coffers.secret import Secret

if TYPE_CHECKING:
    from coffers.cli.rooms import VenueRooms
    from coffers.connectors.reading import Credentials
    from coffers.markets.catalogue import Market
    from coffers.portfolio.connecting import Connection
    from coffers.portfolio.wallets import Wallet
    from coffers.settings import Settings
    from coffers.store.records import Account
    from coffers.sync.syncer import Result

_END_OF_PEM = "-----END "
Given = dict[str, str | None]


def connect(
    user: Annotated[str, typer.Option("--user", help="Whose account it is.")],
    market: Annotated[str, typer.Option(help="The market's code, as in docs/markets.md.")],
    name: Annotated[str, typer.Option(help="What to call the account: 2 to 100 characters.")],
    api_key: Annotated[
        str | None, typer.Option(help="The exchange API key, its public half; else asked for.")
    ] = None,
    customer_id: Annotated[str | None, typer.Option(help="Where the exchange needs one.")] = None,
    address: Annotated[
        str | None, typer.Option(help="Where an account is read by its address.")
    ] = None,
    login: Annotated[str | None, typer.Option(help="Where the exchange needs one.")] = None,
    subaccount: Annotated[
        str | None,
        typer.Option(help="A sub-account's id, as coffers subaccounts lists it."),
    ] = None,
    no_summary: Annotated[
        bool, typer.Option("--no-summary", help="Leave the account out of the summary.")
    ] = False,
    secret_stdin: Annotated[
        bool,
        typer.Option(
            "--secret-stdin",
            help="Read the secret from standard input; a passphrase on the line after it.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Connect an exchange account or a wallet: what is given is checked first, then it is read."""
    from coffers.markets.chains import catalogue_of
    from coffers.portfolio.connecting import Connection
    from coffers.portfolio.naming import usable_name
    from coffers.portfolio.secrecy import told
    from coffers.portfolio.wallets import Wallet

    settings = settings_for()
    catalogue = catalogue_of(settings)
    found = catalogue.get(market)
    if found is None:
        near = catalogue.suggest(market)
        hint = f"; did you mean {near}?" if near else "; docs/markets.md lists them"
        raise UsageError(f"--market: there is no market {told(market)}{hint}")
    # What is wrong without a secret is told before one is asked for.
    usable_name(name)
    if found.chain is not None:
        given_address = address if address is not None else str(typer.prompt("Address"))
        wallet = Wallet(0, market, name, given_address, include_in_summary=not no_summary)
        account, result = run_async(_connect_wallet(settings, user, wallet))
        tell_result(account, result, as_json=as_json, done=CONNECTED)
        return
    given = {"api_key": api_key, "customer_id": customer_id, "address": address, "login": login}
    credentials = _credentials(market, given, subaccount, from_stdin=secret_stdin)
    asked = Connection(0, market, name, credentials, include_in_summary=not no_summary)
    account, result = run_async(_connect(settings, user, asked))
    tell_result(account, result, as_json=as_json, done=CONNECTED)


def _credentials(
    code: str, given: Given, subaccount: str | None, *, from_stdin: bool
) -> "Credentials":
    from coffers.connectors.reading import Credentials
    from coffers.markets.catalogue import load_catalogue

    market = load_catalogue().get(code)
    required = ("api_key", "secret") if market is None else market.required_fields
    public = {field: _public(market, field, given[field], required) for field in given}
    read = _from_stdin if from_stdin else _from_terminal
    secret, passphrase = read(market, required)
    return Credentials(
        api_key=public["api_key"] or "",
        secret=secret,
        passphrase=passphrase,
        customer_id=public["customer_id"],
        subaccount_name=subaccount,
        address=public["address"],
        login=public["login"],
    )


def _public(
    market: "Market | None", field: str, given: str | None, required: tuple[str, ...]
) -> str | None:
    if given is not None or field not in required:
        return given
    return str(typer.prompt(_label(market, field)))


def _label(market: "Market | None", field: str) -> str:
    from coffers.markets.fields import field_of

    return field_of(market, field).told


def _from_stdin(
    market: "Market | None",  # noqa: ARG001  # nothing is asked for
    required: tuple[str, ...],
) -> tuple[Secret, Secret | None]:
    if not {"secret", "passphrase"}.intersection(required):
        return Secret(""), None
    lines = [line.strip() for line in text_given().splitlines() if line.strip()]
    if "passphrase" in required and len(lines) > 1:
        return Secret("\n".join(lines[:-1])), Secret(lines[-1])
    return Secret("\n".join(lines)), None


def _from_terminal(
    market: "Market | None", required: tuple[str, ...]
) -> tuple[Secret, Secret | None]:
    secret = _asked_secret(market, "secret") if "secret" in required else ""
    if "passphrase" not in required:
        return Secret(secret), None
    return Secret(secret), Secret(_asked_secret(market, "passphrase"))


def _asked_secret(market: "Market | None", field: str) -> str:
    """Ask unseen; a key in PEM goes on over several lines, until its last one."""
    lines = [str(typer.prompt(_label(market, field), hide_input=True))]
    while "-----BEGIN " in lines[0] and _END_OF_PEM not in lines[-1]:
        lines.append(str(typer.prompt("", prompt_suffix="", hide_input=True, default="")))
    return "\n".join(lines)


async def _connect(
    settings: "Settings", user_name: str, asked: "Connection"
) -> "tuple[Account, Result]":
    from dataclasses import replace

    from coffers.markets.catalogue import load_catalogue
    from coffers.portfolio.connecting import checked
    from coffers.portfolio.users import Users

    async with opened_store(settings) as store:
        user = await Users(store, SystemClock()).named(user_name)
        asked = replace(asked, user_id=user.id)
        # What can be told without the exchange is told before the wait for its library.
        checked(asked, load_catalogue())
    with err.status("loading the exchange library"):
        load_exchange_library()
    return await connect_and_read(settings, asked)


async def _connect_wallet(
    settings: "Settings", user_name: str, asked: "Wallet"
) -> "tuple[Account, Result]":
    from dataclasses import replace

    from coffers.markets.chains import catalogue_of
    from coffers.portfolio.users import Users
    from coffers.portfolio.wallets import ConnectingWallets

    clock, catalogue = SystemClock(), catalogue_of(settings)
    async with opened_store(settings) as store:
        user = await Users(store, clock).named(user_name)
        vault = await opened_vault(settings, store)
        with err.status("loading the exchange library, for prices"):
            load_exchange_library()
        async with opened_venues(settings, store, vault, clock, catalogue) as rooms:
            connecting = ConnectingWallets(store, vault, catalogue, rooms.chains, clock)
            account = await connecting.connect(replace(asked, user_id=user.id))
            return account, await _first_reading(rooms, account)


async def _first_reading(rooms: "VenueRooms", account: "Account") -> "Result":
    with err.status("reading the account"):
        await rooms.prices.refresh()
        return await rooms.syncer.sync(account.user_id, account.id)


async def connect_and_read(settings: "Settings", asked: "Connection") -> "tuple[Account, Result]":
    """Connect an account and read it for the first time, showing what is being done."""
    from coffers.markets.catalogue import load_catalogue
    from coffers.portfolio.connecting import Connecting

    clock, catalogue = SystemClock(), load_catalogue()
    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
        async with opened_venues(settings, store, vault, clock, catalogue) as rooms:
            connecting = Connecting(
                store, vault, catalogue, rooms.connector, clock, settings.key_policy
            )
            with err.status("asking the exchange what the key may do"):
                account = await connecting.connect(asked)
            return account, await _first_reading(rooms, account)
