"""Which venues are asked for prices: those of all connected accounts."""

from collections.abc import Collection

from coffers.markets.catalogue import Catalogue
from coffers.pricing.keeper import PriceKeeper
from coffers.store.engine import Store
from coffers.sync.assets import note_assets
from coffers.valuation.model import PriceBook


class PriceRounds:
    """Has price books made for what is connected.

    Args:
        store: tells which accounts there are.
        catalogue: tells their venues.
        keeper: makes the books.
        elsewhere: the venues that are asked where an account has none of its own, such as a wallet.
    """

    def __init__(
        self, store: Store, catalogue: Catalogue, keeper: PriceKeeper, elsewhere: Collection[str]
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._keeper = keeper
        self._elsewhere = frozenset(elsewhere)

    async def refresh(self) -> PriceBook | None:
        """Ask the venues of all connected accounts for their tickers and write a price book.

        Returns:
            The new book, None where no venue told anything.
        """
        book = await self._keeper.refresh(await self._venues())
        if book is not None:
            await note_assets(self._store, book, book.at)
        return book

    async def _venues(self) -> frozenset[str]:
        async with self._store.reading() as tx:
            codes = await tx.accounts.venues_in_use()
        markets = [market for code in codes if (market := self._catalogue.get(code)) is not None]
        own = frozenset(market.venue for market in markets if market.venue is not None)
        return own if all(market.venue for market in markets) else own | self._elsewhere
