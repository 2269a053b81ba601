"""What an asset is worth by the newest price book, and how that is known."""

from collections.abc import Sequence
from dataclasses import dataclass

from coffers.clock import Millis, age, iso
from coffers.errors import NotFound
from coffers.markets.assets import spellings
from coffers.money import plain
from coffers.portfolio.visibility import visible
from coffers.store.engine import Store
from coffers.valuation.model import HeldBack, Price, PriceBook


class Unpriced(NotFound):
    """An asset has no price now, or no such asset is known: which of them cannot be told."""

    def __init__(self, asset: str) -> None:
        super().__init__(
            f"{asset!r} has no price now. It is unpriced, which is not zero: it counts in no total."
        )


@dataclass(frozen=True, slots=True)
class PriceOf:
    """What a book of some epoch says of an asset: its price, one that is held back, or neither."""

    asset: str
    epoch: int
    price: Price | None = None
    held_back: HeldBack | None = None

    @property
    def shown(self) -> Price | None:
        """The price that route, sources and time are told of: the held back one where there is."""
        return self.price if self.held_back is None else self.held_back.price

    @property
    def is_known(self) -> bool:
        """Whether the book says anything at all."""
        return self.price is not None or self.held_back is not None


def price_of(asset: str, book: PriceBook | None) -> PriceOf:
    """Return what the book says of an asset, however its name is written ("btc")."""
    if book is None:
        return PriceOf(asset, 0)
    for name in spellings(asset):
        if name in book.prices or name in book.held_back:
            return PriceOf(name, book.epoch, book.prices.get(name), book.held_back.get(name))
    return PriceOf(asset, book.epoch)


def known(found: PriceOf) -> PriceOf:
    """Return what a book says of an asset, if it says anything.

    Raises:
        Unpriced: when it says nothing.
    """
    if not found.is_known:
        raise Unpriced(found.asset)
    return found


async def prices_for(
    store: Store, user_id: int, book: PriceBook | None, assets: Sequence[str]
) -> list[PriceOf]:
    """Return what a book says of each asset to a user: nothing of what the user may not know of.

    `book` is as it counts for the user.
    """
    found = [price_of(asset, book) for asset in assets]
    async with store.reading() as tx:
        told = {each.asset for each in found if each.is_known}
        seen = await visible(tx, user_id, book, told)
    return [
        each if seen.sees(each.asset) else PriceOf(asset, each.epoch)
        for asset, each in zip(assets, found, strict=True)
    ]


def as_plain(found: PriceOf, now: Millis) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    price, held, shown = found.price, found.held_back, found.shown
    return {
        "asset": found.asset,
        "usd": None if price is None else plain(price.usd),
        "btc": None if price is None else plain(price.btc),
        "at": None if shown is None else iso(shown.at),
        "age_seconds": age(None if shown is None else shown.at, now),
        "route": [] if shown is None else list(shown.route),
        "sources": [] if shown is None else list(shown.sources),
        "epoch": found.epoch,
        "held_back": None if held is None else _held_back(held),
    }


def _held_back(held: HeldBack) -> dict[str, str]:
    return {
        "usd": plain(held.price.usd),
        "btc": plain(held.price.btc),
        "believed_usd": plain(held.believed.usd),
        "believed_btc": plain(held.believed.btc),
        "until": iso(held.until),
    }
