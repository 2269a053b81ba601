"""The overview: what somebody owns, what it is worth, what it gained, and how fresh that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from starlette.responses import Response

from coffers import money
from coffers.clock import Millis
from coffers.portfolio.account_forms import kind_of
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.balances import AssetBalance, Balances, parts_of, shown_in
from coffers.portfolio.daychange import DayBefore, day_change
from coffers.portfolio.listing import Worked
from coffers.portfolio.summary import Summaries, Summary
from coffers.portfolio.users import Users
from coffers.store.records import Account
from coffers.valuation.figures import CurrencyFigures, DisplayCurrency
from coffers.valuation.model import PriceBook
from coffers.web.answers import Renderer
from coffers.web.live import live_at
from coffers.web.past import RANGES, past_of
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.trust import Trust, trust_of

MOST_ACCOUNTS: Final = 500
MOST_SLICES: Final = 8
MOST_MOVERS: Final = 6
LEAST_MOVER: Final = Decimal("0.1")
"""The least share in percent of all that is worth telling that it moved."""


@dataclass(frozen=True, slots=True)
class Row:
    """An account in the table; `share` is in percent of all."""

    account: Account
    kind: str
    market: str
    figures: CurrencyFigures
    share: Decimal | None
    trust: Trust
    read_at: Millis | None


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the whole: an asset, or an account. `href` leads to more of it."""

    name: str
    share: Decimal
    value: Decimal | None
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Mover:
    """An asset that is held whose price moved within a day, in percent."""

    name: str
    change: Decimal
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What all parts of the page are made from."""

    who: Asked
    book: PriceBook | None
    display: DisplayCurrency
    now: Millis


class Overview:
    """Shows all of somebody's accounts."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        users = Users(rooms.store, rooms.clock)
        keeping = AccountKeeping(rooms.store, rooms.clock)
        self._summaries = Summaries(keeping, users, rooms.listing)
        self._balances = Balances(rooms.store)
        self._day_before = DayBefore(rooms.store)
        self._stale_after = Millis(round(rooms.settings.stale_after * 1000))
        self.own = (OwnPage("/", self.show),)

    async def show(self, asked: Asked) -> Response:
        """Return the page."""
        rooms, user = self._rooms, asked.who.user
        book = await rooms.shelf.newest()
        live = await live_at(asked, rooms, book)
        display = await rooms.listing.display(user.display_currency, book)
        seen = _Seen(asked, book, display, rooms.clock.now())
        summary, summed = await self._summaries.worked(user.id, user.mode, book, display.code)
        rows = await self._rows(seen, summary)
        ids = [each.view.account.id for each in summed]
        held = await self._balances.of(user.id, ids, await rooms.shelf.own(user.id, book))
        return self._renderer.page(
            asked.request,
            "overview.html",
            who=asked.who,
            live=live,
            now=seen.now,
            currency=display.code,
            figures=summary.figures.display,
            trusts=[
                (each.view.account, trust_of(each, seen.now, self._stale_after)) for each in summed
            ],
            rows=rows[:MOST_ACCOUNTS],
            has_more=len(rows) > MOST_ACCOUNTS,
            past=await past_of(rooms, user, ids, asked.request.query_params.get("range"), display),
            ranges=list(RANGES),
            assets=_slices(held, seen),
            accounts=_by_account(rows),
            movers=await self._movers(held, seen),
            prices_at=None if book is None else book.at,
        )

    async def _rows(self, seen: _Seen, summary: Summary) -> list[Row]:
        user = seen.who.who.user
        async with self._rooms.store.reading() as tx:
            accounts = await tx.accounts.after(user.id, user.mode, 0, MOST_ACCOUNTS + 1)
        worked = await self._rooms.listing.worked(user.id, accounts, seen.book, seen.display.code)
        whole = summary.figures.display.amount
        return [self._row(each, whole, seen.now) for each in worked]

    def _row(self, worked: Worked, whole: Decimal | None, now: Millis) -> Row:
        account, figures = worked.view.account, worked.view.figures.display
        market = self._rooms.catalogue.get(account.market_code)
        share = None
        if account.include_in_summary and whole and figures.amount is not None:
            share = money.percentage(figures.amount, whole)
        return Row(
            account,
            kind_of(account),
            account.market_code if market is None else market.name,
            figures,
            share,
            trust_of(worked, now, self._stale_after),
            worked.view.quality.read_at,
        )

    async def _movers(self, held: Sequence[AssetBalance], seen: _Seen) -> list[Mover]:
        before, parts = await self._day_before.of(seen.book), parts_of(held)
        found = [
            Mover(each.symbol, change.display, _worth(each, seen))
            for each in held
            if abs(parts.get(each.asset, money.ZERO)) >= LEAST_MOVER
            and (change := day_change(each.asset, seen.book, before, seen.display)).display
        ]
        return sorted(found, key=lambda mover: -abs(mover.change))[:MOST_MOVERS]


def _slices(held: Sequence[AssetBalance], seen: _Seen) -> list[Slice]:
    parts = parts_of(held)
    found = [
        Slice(each.symbol, parts[each.asset], _worth(each, seen))
        for each in held
        if parts.get(each.asset)
    ]
    return _shortened(found)


def _by_account(rows: Sequence[Row]) -> list[Slice]:
    found = [
        Slice(row.account.name, row.share, row.figures.amount, f"/accounts/{row.account.id}")
        for row in rows
        if row.share
    ]
    return _shortened(sorted(found, key=lambda each: -each.share))


def _shortened(slices: list[Slice]) -> list[Slice]:
    """Return the largest parts, with the rest as one."""
    if len(slices) <= MOST_SLICES:
        return slices
    shown, rest = slices[: MOST_SLICES - 1], slices[MOST_SLICES - 1 :]
    worths = [each.value for each in rest]
    value = None if None in worths else money.total(each for each in worths if each is not None)
    return [*shown, Slice(f"{len(rest)} others", money.total(each.share for each in rest), value)]


def _worth(balance: AssetBalance, seen: _Seen) -> Decimal | None:
    if balance.value is None or seen.book is None:
        return None
    return shown_in(seen.display, balance.value, seen.book.at)
