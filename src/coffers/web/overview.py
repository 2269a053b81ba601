"""The overview: what somebody owns, what it is worth, what it gained, and how fresh that is."""

from collections.abc import Collection
from typing import Final

from starlette.responses import Response

from coffers.clock import Millis
from coffers.portfolio.daychange import DayBefore
from coffers.portfolio.sparks import Sparks
from coffers.portfolio.whole import Whole, Wholes
from coffers.portfolio.worked import Worked
from coffers.web.account_rows import Row, Rows, columns, in_order
from coffers.web.addresses import Address, Paged, address_of, paged
from coffers.web.allocation import by_account, by_asset, movers
from coffers.web.answers import Renderer
from coffers.web.formats import formats_of
from coffers.web.live import seen_by
from coffers.web.past import RANGES, Pasts, Wanted
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.trust import are_old, trust_of

ACCOUNTS_SHOWN: Final = 100
"""Accounts on one page."""

_NAMED: Final = 200
"""Holdings that are looked up by name: the largest, of which the page shows some."""


class Overview:
    """Shows all of somebody's accounts."""

    def __init__(self, rooms: Rooms, renderer: Renderer, wholes: Wholes) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._wholes = wholes
        self._pasts = Pasts(rooms)
        self._sparks = Sparks(rooms.store)
        self._day_before = DayBefore(rooms.store)
        self._stale_after = Millis(round(rooms.settings.stale_age * 1000))
        self.own = (OwnPage("/", self.show),)

    async def show(self, asked: Asked) -> Response:
        """Return the page."""
        rooms, user = self._rooms, asked.who.user
        address = address_of(asked.request, "range", "sort", "page")
        seen = await seen_by(asked, rooms)
        whole = await self._wholes.of(user)
        now, names = rooms.clock.now(), await self._names(asked, whole)
        before = await self._day_before.of(whole.book)
        span = address.chosen.get("range")
        wanted = Wanted(user.id, tuple(whole.summed_ids), seen.event, span)
        return self._renderer.page(
            asked.request,
            "overview.html",
            who=asked.who,
            live=seen.live_at(whole.book),
            now=now,
            address=address,
            currency=whole.display.code,
            figures=whole.sums,
            known=whole.known,
            count_known=sum(each.view.figures.display.amount is not None for each in whole.summed),
            trusts=[
                (each.view.account, trust_of(each, now, self._stale_after)) for each in whole.summed
            ],
            has_old_prices=are_old(whole.book, now),
            left_out=len(whole.accounts) - len(whole.summed),
            accounts=await self._accounts(asked, whole, address, now),
            columns=columns(address),
            past=await self._pasts.of(wanted, whole.display, whole.sums.amount, formats_of(user)),
            ranges=list(RANGES),
            by_asset=by_asset(whole, names),
            unpriced=sum(each.price is None for each in whole.holdings),
            by_account=by_account(whole),
            movers=movers(whole, before, names),
            prices_at=None if whole.book is None else whole.book.at,
        )

    async def _accounts(
        self, asked: Asked, whole: Whole, address: Address, now: Millis
    ) -> Paged[Row]:
        found = in_order(whole.accounts, address.chosen.get("sort", ""))
        shown = paged(found, address, ACCOUNTS_SHOWN, "accounts")
        openings = {each.view.account.id: _opening(each) for each in shown.rows}
        days = await self._sparks.of(asked.who.user.id, openings, now)
        rows = Rows(whole, self._rooms.catalogue, now, self._stale_after)
        made = [rows.of(each, days[each.view.account.id]) for each in shown.rows]
        return Paged(made, shown.first, shown.total, shown.earlier, shown.later)

    async def _names(self, asked: Asked, whole: Whole) -> dict[str, str]:
        codes = {each.asset for each in whole.holdings[:_NAMED]}
        return await names_of(asked, self._rooms, codes)


def _opening(worked: Worked) -> Millis | None:
    history = worked.inputs.history
    return None if history is None else history.opening.at


async def names_of(asked: Asked, rooms: Rooms, codes: Collection[str]) -> dict[str, str]:
    """Return what assets are called: as the user says, or of a token of a chain by its name."""
    tokens = [code for code in codes if ":" in code]
    async with rooms.store.reading() as tx:
        said = await tx.choices.overrides(asked.who.user.id)
        met = await tx.assets.of(tokens) if tokens else {}
    named = {code: asset.name for code, asset in met.items() if asset.name}
    return {**named, **{code: own.symbol for code, own in said.items() if own.symbol}}
