"""`coffers paper`: accounts of made-up balances at real prices."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import out, print_json, print_table, printable
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.clock import SystemClock
from coffers.errors import UsageError

if TYPE_CHECKING:
    from coffers.portfolio.paper import Direction, NewPaper, PaperAccount
    from coffers.portfolio.paper_orders import OrderPage, OrderWanted
    from coffers.store.engine import Store
    from coffers.store.paper import PaperOrder

app = typer.Typer(help="Try things out with made-up money at real prices.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
UserName = Annotated[str, typer.Option("--user", help="Whose account it is.")]
AccountId = Annotated[
    int, typer.Argument(metavar="ID", min=1, max=2**31 - 1, help="The paper account's id.")
]
Asset = Annotated[str, typer.Argument(help="An asset: USDT.")]
Amount = Annotated[str, typer.Argument(help="How much of it.")]
Balances = Annotated[
    list[str] | None,
    typer.Option("--balance", help="What it starts with, as USDT=10000; may be repeated."),
]


@app.command("create")
def create(
    user: UserName,
    name: Annotated[str, typer.Option("--name", help="2 to 100 characters.")],
    balance: Balances = None,
    fee: Annotated[
        str, typer.Option("--fee", help="The share that orders cost: 0.001 is 0.1 %.")
    ] = "0.001",
    as_json: Json = False,
) -> None:
    """Make a paper account. Requests in paper mode list it, others do not."""
    from coffers.portfolio.paper import NewPaper

    asked = NewPaper(name, _balances(balance) or {}, fee)
    _tell(run_async(_create(user, asked)), as_json=as_json)


@app.command("deposit")
def deposit(
    user: UserName, account_id: AccountId, asset: Asset, amount: Amount, as_json: Json = False
) -> None:
    """Put made-up money into a paper account; that is no profit."""
    _tell(run_async(_move(user, account_id, "in", asset, amount)), as_json=as_json)


@app.command("withdraw")
def withdraw(
    user: UserName, account_id: AccountId, asset: Asset, amount: Amount, as_json: Json = False
) -> None:
    """Take made-up money out of a paper account; that is no loss."""
    _tell(run_async(_move(user, account_id, "out", asset, amount)), as_json=as_json)


@app.command("order")
def order(
    user: UserName,
    account_id: AccountId,
    side: Annotated[str, typer.Argument(help="buy or sell.")],
    base: Annotated[str, typer.Argument(help="What is bought or sold.")],
    quote: Annotated[str, typer.Argument(help="What it is paid in.")],
    amount: Annotated[
        str | None, typer.Option("--amount", help="How much of what is bought or sold.")
    ] = None,
    quote_amount: Annotated[
        str | None, typer.Option("--quote-amount", help="Or how much of what it is paid in.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="The same order under one key is filled once.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Buy or sell at once, at the price of the newest price book."""
    from coffers.portfolio.paper_orders import OrderWanted, plain_order

    wanted = OrderWanted(side, base, quote, amount, quote_amount, key)
    filled = run_async(_order(user, account_id, wanted))
    if as_json:
        print_json(plain_order(filled))
        return
    told = plain_order(filled)
    out.print(
        f"Paid {told['spent']} {filled.spent_asset}, got {told['received']} "
        f"{filled.received_asset} after a fee of {told['fee']}, at {told['price']}.",
        soft_wrap=True,
    )


@app.command("orders")
def orders(
    user: UserName,
    account_id: AccountId,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 100,
    as_json: Json = False,
) -> None:
    """List the orders of a paper account, newest first."""
    from coffers.portfolio.paper_orders import plain_order

    page = run_async(_orders(user, account_id, limit))
    if as_json:
        print_json([plain_order(each) for each in page.orders])
    else:
        print_table(
            ["id", "at", "side", "spent", "received", "fee", "price"],
            [_row(each) for each in page.orders],
        )


@app.command("reset")
def reset(
    user: UserName,
    account_id: AccountId,
    balance: Balances = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Begin a paper account anew: its orders and its history are forgotten."""
    if not yes and not typer.confirm(f"Forget the orders and the history of {account_id}?"):
        raise typer.Exit(1)
    _tell(run_async(_reset(user, account_id, _balances(balance))), as_json=as_json)


def _balances(given: list[str] | None) -> dict[str, str] | None:
    if not given:
        return None
    pairs = [text.partition("=") for text in given]
    if wrong := [text for text, (_, sign, _) in zip(given, pairs, strict=True) if not sign]:
        raise UsageError(f"{wrong[0]!r} is no balance; write it as USDT=10000")
    balances = {asset: amount for asset, _, amount in pairs}
    if len(balances) < len(pairs):
        raise UsageError("--balance names an asset twice")
    return balances


def _tell(paper: "PaperAccount", *, as_json: bool) -> None:
    from coffers.portfolio.paper import as_plain

    told = as_plain(paper)
    if as_json:
        print_json(told)
        return
    out.print(
        f"Paper account {paper.account.id} ({printable(paper.account.name)}), fee {told['fee']}.",
        markup=False,
        soft_wrap=True,
    )
    balances = told["balances"]
    print_table(["asset", "amount"], balances.items() if isinstance(balances, Mapping) else ())


def _row(each: "PaperOrder") -> tuple[object, ...]:
    from coffers.portfolio.paper_orders import plain_order

    told = plain_order(each)
    spent, received = (f"{told[name]} {told[f'{name}_asset']}" for name in ("spent", "received"))
    return told["id"], told["at"], each.side, spent, received, told["fee"], told["price"]


@asynccontextmanager
async def _opened(user_name: str) -> "AsyncIterator[tuple[Store, int]]":
    from coffers.portfolio.users import Users

    async with opened_store(settings_for()) as store:
        user = await Users(store, SystemClock()).named(user_name)
        yield store, user.id


def _added() -> frozenset[str]:
    from coffers.markets.chains import catalogue_of
    from coffers.portfolio.token_keys import added_chains

    return added_chains(catalogue_of(settings_for()))


async def _create(user_name: str, asked: "NewPaper") -> "PaperAccount":
    from coffers.portfolio.paper import PaperAccounts

    async with _opened(user_name) as (store, user_id):
        return await PaperAccounts(store, SystemClock(), _added()).create(user_id, asked)


async def _move(
    user_name: str, account_id: int, direction: "Direction", asset: str, amount: str
) -> "PaperAccount":
    from coffers.portfolio.paper import PaperAccounts

    async with _opened(user_name) as (store, user_id):
        accounts = PaperAccounts(store, SystemClock(), _added())
        return await accounts.move(user_id, account_id, direction, asset, amount)


async def _reset(
    user_name: str, account_id: int, balances: dict[str, str] | None
) -> "PaperAccount":
    from coffers.portfolio.paper import PaperAccounts

    async with _opened(user_name) as (store, user_id):
        return await PaperAccounts(store, SystemClock(), _added()).reset(
            user_id, account_id, balances
        )


async def _order(user_name: str, account_id: int, wanted: "OrderWanted") -> "PaperOrder":
    from coffers.portfolio.paper_orders import PaperOrders

    async with _opened(user_name) as (store, user_id):
        return await PaperOrders(store, SystemClock(), _added()).place(user_id, account_id, wanted)


async def _orders(user_name: str, account_id: int, limit: int) -> "OrderPage":
    from coffers.portfolio.paper_orders import PaperOrders

    async with _opened(user_name) as (store, user_id):
        found = PaperOrders(store, SystemClock())
        return await found.page(user_id, account_id, limit=limit)
