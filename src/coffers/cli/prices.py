"""`coffers price`: what an asset is worth by the newest price book, and how that is known."""

from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import out, print_json
from coffers.cli.console import price as short
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.clock import SystemClock, iso
from coffers.money import plain

if TYPE_CHECKING:
    from coffers.portfolio.prices import PriceOf
    from coffers.settings import Settings


def price(
    asset: Annotated[str, typer.Argument(help="BTC, ETH, EUR, ...")],
    accept: Annotated[
        bool, typer.Option("--accept", help="Believe the price that is held back, for everybody.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what an asset is worth now, and how that is known."""
    from coffers.portfolio.prices import as_plain

    if accept:
        name, usd = run_async(_accept(settings_for(), asset))
        if as_json:
            print_json({"accepted": name, "usd": usd})
        else:
            typer.echo(f"{name} at {usd} USD is believed from the next price book on.")
        return
    found = run_async(_found(settings_for(), asset))
    told = as_plain(found, SystemClock().now())
    if as_json:
        print_json(told)
        return
    for line in _lines(found, told):
        out.print(line, soft_wrap=True, markup=False)


async def _found(settings: "Settings", asset: str) -> "PriceOf":
    from coffers.portfolio.prices import known, price_of

    async with opened_store(settings) as store, store.reading() as tx:
        return known(price_of(asset, await tx.prices.newest()))


async def _accept(settings: "Settings", asset: str) -> tuple[str, str]:
    from coffers.portfolio.accepting import Accepting

    async with opened_store(settings) as store:
        name, held = await Accepting(store, SystemClock()).accept_for_all(asset)
    return name, plain(held.price.usd)


def _lines(found: "PriceOf", told: dict[str, object]) -> list[str]:
    shown, held = found.shown, found.held_back
    usd = btc = None
    if found.price is not None:
        usd, btc = short(found.price.usd), short(found.price.btc)
    lines = [f"{found.asset}  {usd or '-'} USD  {btc or '-'} BTC"]
    if held is not None:
        lines.append(
            f"held back: {short(held.price.usd)} USD; the last that was believed is "
            f"{short(held.believed.usd)}. Believed from {iso(held.until)} on if it persists, or as "
            "soon as a second source agrees."
        )
    if shown is not None:
        route, sources = " ".join(shown.route) or "-", ", ".join(shown.sources) or "-"
        lines += [f"route    {route}", f"sources  {sources}"]
    return [*lines, f"age      {told['age_seconds']} s, of {told['at']}"]
