"""Keeps the table of assets: what ships with this version, what is priced and what is held."""

from functools import cache

from coffers.clock import Millis
from coffers.markets.assets import AssetKind, known_names
from coffers.pricing.currencies import STABLECOINS
from coffers.pricing.sources.coins import KEY, coin_ids
from coffers.store.engine import Store
from coffers.store.records import Asset
from coffers.valuation.model import PriceBook


async def note_assets(store: Store, book: PriceBook, now: Millis) -> None:
    """Keep the assets that a price book tells of, those that are held, and what ships.

    Nothing is written where all of it is known, as it is at nearly every book.
    """
    async with store.reading() as tx:
        seen = await tx.assets.seen()
        known = await tx.assets.of([asset.code for asset in shipped_assets()])
        held = await tx.prices.positions_held()
    met = {*book.prices, *book.held_back, *held} - seen
    new = {code for code in met if not code.startswith(KEY)}
    told = [asset for asset in shipped_assets() if not _tells(known.get(asset.code), asset)]
    if not (new or told):
        return
    async with store.transaction() as tx:
        await tx.assets.tell(told)
        await tx.assets.meet(new, now)


@cache
def shipped_assets() -> tuple[Asset, ...]:
    """Return what this version knows of assets: names, kinds and CoinGecko's ids."""
    names = known_names()
    fiat = (Asset(code, name, "fiat") for code, name in names.fiat.items())
    coins = (
        Asset(code, name, _kind(code), coin_ids().get(code)) for code, name in names.crypto.items()
    )
    return (*fiat, *coins)


def _kind(code: str) -> AssetKind:
    return "stablecoin" if code in STABLECOINS else "crypto"


def _tells(known: Asset | None, shipped: Asset) -> bool:
    """Return whether what is stored of an asset says all that ships of it."""
    return known is not None and (known.name, known.kind, known.coingecko_id) == (
        shipped.name,
        shipped.kind,
        shipped.coingecko_id or known.coingecko_id,
    )
