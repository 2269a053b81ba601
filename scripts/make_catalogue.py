"""Write the market catalogue from the exchange library and from the codes that clients know.

Run it after every update of the library; `--check` writes nothing and exits with 1 where the
catalogue or its page (docs/markets.md) is not current. It asks no venue anything.

Codes. A code that clients know keeps its code, its names and its fields. A venue of the library
whose main type of account (spot, else futures, else options) has no such code gets a market of its
own, whose code is the library's id; where that id already is the code of another market, the type
is added to it.

Flags. Each is worked out from what the library says that the venue supports:

- trading_supported: orders can be placed and cancelled.
- market_buy_supported, market_sell_supported: trading, and market orders of that side.
- conditional_buy_supported: trading, and orders that wait for a price at the venue itself.
- smart_trading_supported: trading, and the price can be followed.
- bots_allowed, gordon_bots_available (the same bots, set up by a guide): trading, and both the
  present and past prices can be read, which is what their signals are made of.
- bots_ttp_allowed, bots_tsl_allowed: bots, and market sells; trailing ends in one.
- multi_bots_allowed: bots, and the prices of all pairs at once.
- grid_bots_allowed: bots, and limit orders, of which a grid consists.
- fast_convert_available: market orders both ways and the prices of all pairs, so that everything
  can be sold at market; not for derivatives, where there is nothing to convert but collateral.
- hedge_mode_available: futures, and the position mode can be read or set.
- deposit_enabled: deposit addresses can be read.
- stats_supported, available_include_in_summary: the holdings can be read and so be valued.

A wallet or a paper account has no venue that trades for it: it can be valued, no more.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec

from coffers.markets.catalogue import CatalogueFile, Market
from market_page import page_text
from market_sources import WALLETS, Known, Venue, known_markets, library

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "src/coffers/markets/data/catalogue.json"
PAGE = ROOT / "docs/markets.md"

ONE_WALLET = frozenset({"deribit"})
"""Venues with one wallet behind all types: a second market would show the same money twice."""

CANCELLING = frozenset({"cancelOrder", "cancelOrders", "cancelAllOrders"})
DEPOSIT_ADDRESSES = frozenset(
    {"fetchDepositAddress", "fetchDepositAddresses", "fetchDepositAddressesByNetwork"}
)


def markets(known: Iterable[Known], venues: Mapping[str, Venue]) -> list[Market]:
    """Return all markets by code: the known ones, and one for every venue that they leave out."""
    # The library drops venues and takes them up again: a code that is the id finds its venue then.
    made = [_known(each, venues.get(each.ccxt_id or each.market_code)) for each in known]
    taken = {each.code for each in made}
    left_out = (
        each for each in venues.values() if not any(_covers(market, each) for market in made)
    )
    return sorted([*made, *(_own(venue, taken) for venue in left_out)], key=lambda each: each.code)


def _covers(market: Market, venue: Venue) -> bool:
    is_main = venue.main_type in market.market_types or venue.id in ONE_WALLET
    return market.venue == venue.id and is_main


def _known(known: Known, venue: Venue | None) -> Market:
    types = known.market_types or ()
    fields = known.required_fields
    return Market(
        code=known.market_code,
        venue=venue.id if venue else None,
        name=known.market_name,
        exchange_name=known.account_exchange_name or _exchange_name(known.market_name, types),
        pretty_display_type=known.pretty_display_type or _camel(known.market_code),
        required_fields=(venue.fields if venue else ()) if fields is None else fields,
        optional_fields=known.optional_fields,
        connection_flows=("form",) if venue else (),
        market_types=types,
        wallet=WALLETS.get(known.market_code),
        chain=None,
        **_flags(venue, types, is_kept_here=known.is_kept_here),
    )


def _own(venue: Venue, taken: AbstractSet[str]) -> Market:
    kind = venue.main_type
    code = f"{venue.id}_{kind}" if venue.id in taken else venue.id
    if code in taken:
        raise SystemExit(f"{venue.id} needs a code: {code} is that of another market")
    return Market(
        code=code,
        venue=venue.id,
        name=venue.name,
        exchange_name=_exchange_name(venue.name, (kind,)),
        pretty_display_type=_camel(code),
        required_fields=venue.fields,
        optional_fields=venue.optional_fields((kind,)),
        connection_flows=("form",),
        market_types=(kind,),
        wallet=None,
        chain=None,
        **_flags(venue, (kind,), is_kept_here=False),
    )


def _exchange_name(name: str, types: tuple[str, ...]) -> str:
    """Return the name of an account there: the venue and the type, as in "Kraken Spot"."""
    tells = not {"Spot", "Margin", "Futures", "Perpetual"}.isdisjoint(name.split())
    return name if tells or not types else f"{name} {types[0].capitalize()}"


def _camel(code: str) -> str:
    return "".join(part.capitalize() for part in code.split("_"))


def _flags(venue: Venue | None, types: tuple[str, ...], *, is_kept_here: bool) -> dict[str, bool]:
    can = venue.abilities if venue else frozenset()
    conditional = venue.conditional if venue else frozenset()
    valued = is_kept_here or "fetchBalance" in can
    may_trade = venue is not None and not venue.is_only_read
    trading = may_trade and "createOrder" in can and not can.isdisjoint(CANCELLING)
    # A margin account's orders are those of the spot market.
    kinds = {"spot" if kind == "margin" else kind for kind in types}
    return {
        **_trading_flags(can, types, trading=trading),
        "conditional_buy_supported": trading and not conditional.isdisjoint(kinds),
        "hedge_mode_available": "futures" in types
        and not can.isdisjoint({"setPositionMode", "fetchPositionMode"}),
        "deposit_enabled": not can.isdisjoint(DEPOSIT_ADDRESSES),
        "stats_supported": valued,
        "available_include_in_summary": valued,
    }


def _trading_flags(
    can: frozenset[str], types: tuple[str, ...], *, trading: bool
) -> dict[str, bool]:
    buys = trading and not can.isdisjoint({"createMarketOrder", "createMarketBuyOrderWithCost"})
    sells = trading and not can.isdisjoint({"createMarketOrder", "createMarketSellOrderWithCost"})
    followed = trading and not can.isdisjoint({"fetchTicker", "fetchTickers"})
    bots = followed and "fetchOHLCV" in can
    converts = not {"spot", "margin"}.isdisjoint(types)
    return {
        "trading_supported": trading,
        "market_buy_supported": buys,
        "market_sell_supported": sells,
        "smart_trading_supported": followed,
        "bots_allowed": bots,
        "bots_ttp_allowed": bots and sells,
        "bots_tsl_allowed": bots and sells,
        "gordon_bots_available": bots,
        "multi_bots_allowed": bots and "fetchTickers" in can,
        "grid_bots_allowed": bots and "createLimitOrder" in can,
        "fast_convert_available": buys and sells and converts and "fetchTickers" in can,
    }


def catalogue_text(file: CatalogueFile) -> str:
    """Return the data file: indented, so that an update of the library shows what it changed."""
    return msgspec.json.format(msgspec.json.encode(file), indent=1).decode() + "\n"


def _stored(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> int:
    """Write what is not current, or only tell it. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the market catalogue and its page.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if not current")
    is_check = parser.parse_args().check
    version, venues = library()
    file = CatalogueFile(version, tuple(markets(known_markets(), venues)))
    texts = {CATALOGUE: catalogue_text(file), PAGE: page_text(file)}
    stale = [path for path, text in texts.items() if _stored(path) != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} {'is not current' if is_check else 'written'}")
        if not is_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[path], encoding="utf-8")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
