"""`coffers subaccounts`: lists the sub-accounts that a connected account's key can see."""

from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import err, out, print_json, print_table
from coffers.cli.rooms import (
    load_exchange_library,
    opened_store,
    opened_vault,
    run_async,
    settings_for,
)
from coffers.clock import SystemClock

if TYPE_CHECKING:
    from coffers.connectors.exchange.subaccounts import Subaccount
    from coffers.connectors.reading import Credentials
    from coffers.markets.catalogue import Market
    from coffers.settings import Settings


def subaccounts(
    account_id: Annotated[
        int, typer.Argument(metavar="ID", min=1, max=2**31 - 1, help="The account's id.")
    ],
    user: Annotated[str, typer.Option("--user", help="Whose account it is.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List an account's sub-accounts at its exchange; none of them is part of its balance."""
    found = run_async(_subaccounts(settings_for(), user, account_id))
    if as_json:
        print_json([_plain(each) for each in found])
    elif found:
        print_table(
            ["id", "label", "type", "state"],
            [(each.id, each.label, each.kind or "-", _state(each)) for each in found],
        )
    else:
        out.print("The exchange lists no sub-accounts to this key.")


def _plain(found: "Subaccount") -> dict[str, object]:
    kind = found.kind or None
    return {"id": found.id, "label": found.label, "type": kind, "state": _state(found)}


def _state(found: "Subaccount") -> str:
    return "frozen" if found.is_frozen else "active"


async def _subaccounts(
    settings: "Settings", user_name: str, account_id: int
) -> "tuple[Subaccount, ...]":
    market, credentials = await _opened(settings, user_name, account_id)
    with err.status("loading the exchange library"):
        load_exchange_library()
    from coffers.connectors.exchange.connector import ExchangeConnector
    from coffers.connectors.exchange.venues import Venues

    clock = SystemClock()
    venues = Venues(settings.exchange_gateway, settings.venue_timeout, clock)
    connector = ExchangeConnector(venues, clock)
    try:
        with err.status("asking the exchange"):
            return await connector.subaccounts(market, credentials)
    finally:
        await connector.close()


async def _opened(
    settings: "Settings", user_name: str, account_id: int
) -> "tuple[Market, Credentials]":
    from coffers.errors import NotFound
    from coffers.markets.catalogue import load_catalogue
    from coffers.portfolio.accounts import AccountKeeping
    from coffers.portfolio.users import Users
    from coffers.sync.credentials import open_credentials

    async with opened_store(settings) as store:
        user = await Users(store, SystemClock()).named(user_name)
        account = await AccountKeeping(store, SystemClock()).get(user.id, account_id)
        vault = await opened_vault(settings, store)
        async with store.reading() as tx:
            sealed = await tx.secrets.get(user.id, account_id)
    market = load_catalogue().get(account.market_code)
    if market is None or sealed is None:
        raise NotFound(f"account {account_id} has no exchange that could be asked")
    return market, open_credentials(vault, account, sealed)
