"""How the figures of everything together come about: account by account, and asset by asset."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from starlette.responses import Response

from coffers.clock import iso
from coffers.money import plain, rounded
from coffers.portfolio.account_forms import text
from coffers.portfolio.daychange import DayBefore, day_change
from coffers.portfolio.whole import Holding, Whole, Wholes
from coffers.valuation.model import Price, PriceBook
from coffers.web.addresses import address_of, paged
from coffers.web.allocation import anchor_of
from coffers.web.answers import Renderer
from coffers.web.numbers import UNKNOWN
from coffers.web.overview import names_of
from coffers.web.rooms import Asked, OwnPage, Rooms

SHOWN: Final = 1_000
"""Accounts, and assets, that are told on one page."""


@dataclass(frozen=True, slots=True)
class Part:
    """An asset's part of the sum; what is unknown is None."""

    anchor: str
    name: str
    amount: Decimal
    price: Price | None
    worth: Decimal | None
    before: Price | None
    change: Decimal | None


class SumPage:
    """Tells how the sum comes about."""

    def __init__(self, rooms: Rooms, renderer: Renderer, wholes: Wholes) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._wholes = wholes
        self._day_before = DayBefore(rooms.store)
        self.own = (OwnPage("/explain", self.show),)

    async def show(self, asked: Asked) -> Response:
        """Return the page."""
        whole = await self._wholes.of(asked.who.user)
        before = await self._day_before.of(whole.book)
        address = address_of(asked.request, "page")
        names = await names_of(asked, self._rooms, {each.asset for each in whole.holdings[:SHOWN]})
        return self._renderer.page(
            asked.request,
            "sum.html",
            who=asked.who,
            now=self._rooms.clock.now(),
            currency=whole.display.code,
            figures=whole.sums,
            accounts=paged(list(whole.summed), address, SHOWN, "sum"),
            parts_of_sum=[_part(each, whole, before, names) for each in whole.holdings[:SHOWN]],
            more=max(0, len(whole.holdings) - SHOWN),
            exact=text,
            share=_share,
            prices_at=None if whole.book is None else whole.book.at,
            book=None if whole.book is None else (whole.book.epoch, iso(whole.book.at)),
        )


def _part(holding: Holding, whole: Whole, before: PriceBook | None, names: dict[str, str]) -> Part:
    asset, value = holding.asset, holding.value
    return Part(
        anchor_of(asset),
        names.get(asset, asset),
        holding.amount,
        holding.price,
        None if value is None else value.usd,
        None if before is None else before.prices.get(asset),
        day_change(asset, whole.book, before, whole.display).usd,
    )


def _share(percentage: Decimal | None, places: int) -> str:
    """Return a share as the other numbers of the page are written: in no locale's signs."""
    return UNKNOWN if percentage is None else f"{plain(rounded(percentage, places))} %"
