"""One account: what lies in it, what it was worth, what moved, and how its figures come about."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from starlette.responses import Response

from coffers.clock import Millis
from coffers.portfolio.account_forms import kind_of
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.balances import shown_in
from coffers.portfolio.daychange import DayBefore
from coffers.portfolio.explaining import explained
from coffers.portfolio.flows import AccountFlows
from coffers.portfolio.worked import Worked
from coffers.store.records import Account
from coffers.store.sync_logs import SyncTry
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import Flow, Position
from coffers.web.addresses import address_of
from coffers.web.answers import Renderer
from coffers.web.formats import formats_of
from coffers.web.live import seen_by
from coffers.web.past import RANGES, Pasts, Wanted
from coffers.web.positions import rows_of, shown_of
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.trust import are_old, trust_of

FLOWS_SHOWN: Final = 20


class AccountPage:
    """Shows one account."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._keeping = AccountKeeping(rooms.store, rooms.clock)
        self._flows = AccountFlows(rooms.store, self._keeping)
        self._pasts = Pasts(rooms)
        self._day_before = DayBefore(rooms.store)
        self._stale_after = Millis(round(rooms.settings.stale_age * 1000))
        self.own = (
            OwnPage("/accounts/{id:id}", self.show),
            OwnPage("/accounts/{id:id}/explain", self.explain),
        )

    async def show(self, asked: Asked) -> Response:
        """Return the page of an account.

        Raises:
            NotFound: when it is nobody's, or somebody else's.
        """
        rooms, user = self._rooms, asked.who.user
        seen = await seen_by(asked, rooms)
        worked, positions, display = await self._found(asked)
        account, now = worked.view.account, rooms.clock.now()
        async with rooms.store.reading() as tx:
            tries = await tx.sync_logs.of_account(user.id, account.id)
        flows = await self._flows.page(user.id, account.id, limit=FLOWS_SHOWN)
        market = rooms.catalogue.get(account.market_code)
        before = await self._day_before.of(worked.book)
        figures = worked.view.figures.display
        address = address_of(asked.request, "range", "q", "all", "page")
        span = address.chosen.get("range")
        wanted = Wanted(user.id, (account.id,), seen.event, span)
        return self._renderer.page(
            asked.request,
            "account.html",
            who=asked.who,
            live=seen.live_at(worked.book),
            now=now,
            account=account,
            kind=kind_of(account),
            market=account.market_code if market is None else market.name,
            currency=display.code,
            figures=figures,
            address=address,
            quality=worked.view.quality,
            trust=trust_of(worked, now, self._stale_after),
            has_old_prices=are_old(worked.book, now),
            held=shown_of(rows_of(worked, positions, before, display), address),
            covered=_covered(tries, positions),
            tries=tries,
            flows=flows.flows,
            worth_then=lambda flow: _worth_then(flow, display),
            has_more_flows=flows.next_cursor is not None,
            past=await self._pasts.of(wanted, display, figures.amount, formats_of(user)),
            ranges=list(RANGES),
            prices_at=None if worked.book is None else worked.book.at,
        )

    async def explain(self, asked: Asked) -> Response:
        """Return the page that tells how each figure of an account comes about.

        Raises:
            NotFound: when it is nobody's, or somebody else's.
        """
        worked, positions, display = await self._found(asked)
        told = explained(worked, positions, display, self._rooms.clock.now())
        return self._renderer.page(
            asked.request,
            "explain.html",
            who=asked.who,
            now=self._rooms.clock.now(),
            account=worked.view.account,
            currency=display.code,
            told=told,
            figures=worked.view.figures.display,
            prices_at=None if worked.book is None else worked.book.at,
        )

    async def _found(self, asked: Asked) -> tuple[Worked, Sequence[Position], DisplayCurrency]:
        rooms, user = self._rooms, asked.who.user
        account: Account = await self._keeping.get(user.id, asked.id)
        book = await rooms.shelf.newest()
        (worked,) = await rooms.listing.worked(user.id, [account], book, user.display_currency)
        async with rooms.store.reading() as tx:
            positions = await tx.holdings.of_account(user.id, asked.id)
        return worked, positions, await rooms.listing.display(user.display_currency, book)


def _worth_then(flow: Flow, display: DisplayCurrency) -> Decimal | None:
    """Return what a flow was worth when it happened, at the display currency's rate of then."""
    at = flow.at if flow.valued_at is None else flow.valued_at
    return None if flow.value is None else shown_in(display, flow.value, at)


def _covered(tries: Sequence[SyncTry], positions: Sequence[Position]) -> list[str]:
    """Return the parts that the newest good reading read, with those that hold something."""
    read = next((each.parts for each in tries if each.parts), ())
    return sorted({*read, *(each.wallet for each in positions)})
