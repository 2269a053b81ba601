"""Which venues are asked for prices: those of all connected accounts."""

from coffers.markets.catalogue import Catalogue
from coffers.pricing.keeper import PriceKeeper
from coffers.store.engine import Store
from coffers.sync.assets import note_assets
from coffers.valuation.model import PriceBook


async def refresh_prices(
    store: Store, catalogue: Catalogue, keeper: PriceKeeper
) -> PriceBook | None:
    """Ask the venues of all connected accounts for their tickers and write a price book.

    Returns:
        The new book, None where no venue told anything.
    """
    async with store.reading() as tx:
        codes = await tx.accounts.venues_in_use()
    markets = [catalogue.get(code) for code in codes]
    book = await keeper.refresh(
        {market.venue for market in markets if market is not None and market.venue}
    )
    if book is not None:
        await note_assets(store, book, book.at)
    return book
