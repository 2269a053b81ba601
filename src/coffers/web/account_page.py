"""One account: what lies in it, what it was worth, what moved, and how its figures come about."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from starlette.responses import Response

from coffers import money
from coffers.clock import Millis
from coffers.portfolio.account_forms import kind_of
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.balances import shown_in
from coffers.portfolio.daychange import DayBefore, day_change
from coffers.portfolio.explaining import explained, not_counted_as
from coffers.portfolio.flows import AccountFlows
from coffers.portfolio.listing import Worked
from coffers.store.records import Account
from coffers.valuation.figures import DisplayCurrency
from coffers.valuation.model import Position, Price, PriceBook, Value
from coffers.web.addresses import address_of
from coffers.web.answers import Renderer
from coffers.web.formats import formats_of
from coffers.web.live import seen_by
from coffers.web.past import RANGES, Pasts, Wanted
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.trust import trust_of

FLOWS_SHOWN: Final = 20
NOT_COUNTED: Final = {
    "ignored": "left out by you",
    "spam": "looks like spam",
    "unlisted": "on no list",
    "pending": "not confirmed yet",
}


@dataclass(frozen=True, slots=True)
class Held:
    """A position as a row; what is unknown is None. `why_not` says why it counts for nothing."""

    asset: str
    wallet: str
    amount: Decimal
    free: Decimal
    in_orders: Decimal
    price: Decimal | None
    priced: Price | None
    value: Decimal | None
    change: Decimal | None
    why_not: str | None


class AccountPage:
    """Shows one account."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._keeping = AccountKeeping(rooms.store, rooms.clock)
        self._flows = AccountFlows(rooms.store, self._keeping)
        self._pasts = Pasts(rooms)
        self._day_before = DayBefore(rooms.store)
        self._stale_after = Millis(round(rooms.settings.stale_after * 1000))
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
            positions=_rows(worked, positions, before, display),
            flows=flows.flows,
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


def _rows(
    worked: Worked,
    positions: Sequence[Position],
    before: PriceBook | None,
    display: DisplayCurrency,
) -> list[Held]:
    rows = [_row(worked, each, before, display) for each in positions]
    return sorted(rows, key=lambda row: (row.value is None, -(row.value or 0), row.asset))


def _row(
    worked: Worked, position: Position, before: PriceBook | None, display: DisplayCurrency
) -> Held:
    account_id, choices, book = worked.view.account.id, worked.inputs.choices, worked.book
    asset = choices.asset_of(account_id, position)
    counted = choices.counted(account_id, [position])
    why = not_counted_as(counted[0], book) if counted else "ignored"
    price = None if book is None else book.prices.get(asset)
    return Held(
        asset,
        position.wallet,
        position.owned,
        position.free,
        position.in_orders,
        _worth(price, Decimal(1), book, display),
        price,
        None if why else _worth(price, position.owned, book, display),
        day_change(asset, book, before, display).display,
        None if why is None else NOT_COUNTED.get(why, why),
    )


def _worth(
    price: Price | None, amount: Decimal, book: PriceBook | None, display: DisplayCurrency
) -> Decimal | None:
    if price is None or book is None:
        return None
    value = Value(money.multiply(amount, price.btc), money.multiply(amount, price.usd))
    return shown_in(display, value, book.at)
