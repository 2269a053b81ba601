"""`coffers asset`: what assets are, where they are held, and what a user says of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import out, price, print_json, print_table, printable
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.clock import SystemClock
from coffers.money import plain

if TYPE_CHECKING:
    from coffers.portfolio.assets import Assets, AssetView
    from coffers.portfolio.overrides import Overrides, OverrideWanted
    from coffers.store.records import AssetMapping, AssetOverride, User
    from coffers.valuation.model import PriceBook

app = typer.Typer(help="Look at assets, and say what they are.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
UserName = Annotated[str, typer.Option("--user", help="Whose accounts and choices.")]
AssetCode = Annotated[str, typer.Argument(help="BTC, or chain:contract of a token.")]


@app.command("list")
def list_assets(
    user: UserName,
    held: Annotated[bool, typer.Option("--held", help="Only what is in the accounts.")] = False,
    search: Annotated[str, typer.Option("--search", help="A part of the code or name.")] = "",
    as_json: Json = False,
) -> None:
    """List assets with their names, whether they count, and how much is held."""
    from coffers.portfolio.asset_forms import plain_asset

    views = run_async(_list(user, search, is_held=held))
    if as_json:
        now = SystemClock().now()
        print_json([plain_asset(view, now) for view in views])
    else:
        print_table(["asset", "name", "state", "USD"], [_row(view) for view in views])


@app.command("show")
def show(user: UserName, asset: AssetCode, as_json: Json = False) -> None:
    """Show an asset: its names, where it is held, and whether it counts and why."""
    _tell(run_async(_show(user, asset)), as_json=as_json)


@app.command("set")
def set_override(
    user: UserName,
    asset: AssetCode,
    name: Annotated[str | None, typer.Option("--name", help="What to call it.")] = None,
    symbol: Annotated[str | None, typer.Option("--symbol", help="Its symbol as shown.")] = None,
    coingecko_id: Annotated[
        str | None, typer.Option("--coingecko-id", help="Its id at CoinGecko, for its price.")
    ] = None,
    contract: Annotated[
        str | None, typer.Option("--contract", help="Its chain:address, for its price.")
    ] = None,
    ignore: Annotated[bool, typer.Option("--ignore", help="It counts for nothing.")] = False,
    not_by_symbol: Annotated[
        bool, typer.Option("--not-by-symbol", help="What is paid for its symbol is no price.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what an asset is, in the place of all that was said of it before."""
    from coffers.portfolio.overrides import OverrideWanted

    wanted = OverrideWanted(name, symbol, coingecko_id, contract, ignore, not not_by_symbol)
    _tell(run_async(_set(user, asset, wanted)), as_json=as_json)


@app.command("unset")
def unset(user: UserName, asset: AssetCode, as_json: Json = False) -> None:
    """Take back what was said of an asset."""
    _tell(run_async(_unset(user, asset)), as_json=as_json)


@app.command("map")
def map_code(
    user: UserName,
    market: Annotated[str, typer.Option("--market", help="The market's code.")],
    code: Annotated[str, typer.Option("--code", help="What the exchange calls the asset.")],
    asset: Annotated[str, typer.Argument(help="What it is; with --remove, none.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take the mapping back.")] = False,
    as_json: Json = False,
) -> None:
    """Say which asset an exchange means by a code, in all of a user's accounts there."""
    from coffers.portfolio.asset_forms import plain_mapping
    from coffers.store.records import AssetMapping

    if bool(asset) == remove:
        raise typer.BadParameter("name the asset, or say --remove")
    if remove:
        run_async(_unmap(user, market, code))
        told: dict[str, object] = {"removed": code}
        meaning = "what it is called"
    else:
        said = run_async(_map(user, AssetMapping(market, code, asset)))
        told, meaning = plain_mapping(said), printable(said.asset)
    if as_json:
        print_json(told)
    else:
        typer.echo(f"{printable(code)} of {market} is taken for {meaning} from now on.")


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the commands work with, for one user."""

    user: "User"
    assets: "Assets"
    overrides: "Overrides"
    book: "PriceBook | None"

    async def one(self, asset: str) -> "AssetView":
        return await self.assets.one(self.user.id, self.user.mode, self.book, asset)


@asynccontextmanager
async def _opened(user_name: str) -> "AsyncIterator[_Desk]":
    from coffers.markets.catalogue import load_catalogue
    from coffers.portfolio.assets import Assets
    from coffers.portfolio.overrides import Overrides
    from coffers.portfolio.users import Users

    clock = SystemClock()
    async with opened_store(settings_for()) as store:
        user = await Users(store, clock).named(user_name)
        async with store.reading() as tx:
            book = await tx.prices.newest()
        overrides = Overrides(store, load_catalogue(), clock)
        yield _Desk(user, Assets(store), overrides, book)


async def _list(user_name: str, text: str, *, is_held: bool) -> "list[AssetView]":
    from coffers.portfolio.assets import AssetsWanted

    views: list[AssetView] = []
    async with _opened(user_name) as desk:
        after: str | None = ""
        while after is not None:
            wanted = AssetsWanted(text, is_held, after)
            page = await desk.assets.page(desk.user.id, desk.user.mode, desk.book, wanted)
            views += page.assets
            after = page.next_after
    return views


async def _show(user_name: str, asset: str) -> "AssetView":
    async with _opened(user_name) as desk:
        return await desk.one(asset)


async def _set(user_name: str, asset: str, wanted: "OverrideWanted") -> "AssetView":
    async with _opened(user_name) as desk:
        code = (await desk.one(asset)).asset.code
        await desk.overrides.set(desk.user.id, code, wanted)
        return await desk.one(code)


async def _unset(user_name: str, asset: str) -> "AssetView":
    async with _opened(user_name) as desk:
        code = (await desk.one(asset)).asset.code
        await desk.overrides.unset(desk.user.id, code)
        return await desk.one(code)


async def _map(user_name: str, said: "AssetMapping") -> "AssetMapping":
    async with _opened(user_name) as desk:
        return await desk.overrides.map(desk.user.id, said)


async def _unmap(user_name: str, market_code: str, venue_code: str) -> None:
    async with _opened(user_name) as desk:
        await desk.overrides.unmap(desk.user.id, market_code, venue_code)


def _row(view: "AssetView") -> tuple[object, ...]:
    known = view.price.price
    return view.symbol, view.name, view.state, None if known is None else price(known.usd)


def _tell(view: "AssetView", *, as_json: bool) -> None:
    from coffers.portfolio.asset_forms import plain_asset

    if as_json:
        print_json(plain_asset(view, SystemClock().now()))
        return
    for line in _lines(view):
        out.print(printable(line), soft_wrap=True, markup=False)


def _lines(view: "AssetView") -> list[str]:
    known = view.price.price
    usd = "-" if known is None else price(known.usd)
    asset = view.asset
    lines = [
        f"{view.symbol}  {view.name or '-'}  {usd} USD",
        f"{view.state}: {view.why}",
        f"code {asset.code}  kind {asset.kind or '-'}  CoinGecko {asset.coingecko_id or '-'}",
    ]
    if view.override is not None:
        lines.append(f"you say: {_said(view.override)}")
    return lines + [
        f"account {each.account_id} ({each.market_code}, {each.wallet}): {plain(each.owned)}"
        f" as {each.venue_code}"
        for each in view.held
    ]


def _said(own: "AssetOverride") -> str:
    told = {
        f"called {own.name}": own.name,
        f"symbol {own.symbol}": own.symbol,
        f"priced as {own.priced_as}": own.priced_as,
        "ignored": own.is_ignored,
        "what is paid for its symbol is no price": not own.by_symbol,
    }
    return "; ".join(sentence for sentence, holds in told.items() if holds)
