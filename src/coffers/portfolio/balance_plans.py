"""The plan for one account: read now, priced now, with what its venue demands of orders."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from coffers import money
from coffers.clock import DAY, MINUTE, Clock, Millis, is_ahead, is_recent, iso
from coffers.errors import NotFound
from coffers.markets.catalogue import PAPER
from coffers.money import plain
from coffers.portfolio.balance_codes import Codes, Tradable
from coffers.portfolio.errand_forms import CannotBalance
from coffers.portfolio.ledger import AUTO_BALANCE
from coffers.portfolio.portfolios import found_portfolio, goal_of
from coffers.portfolio.reading_now import ReadingNow
from coffers.portfolio.steps import Way, refused_again, refused_in
from coffers.store.engine import Store
from coffers.store.records import Account, Portfolio
from coffers.sync.prices import PriceRounds
from coffers.sync.snapshots import is_fresh
from coffers.sync.syncer import Outcome
from coffers.valuation.model import PriceBook
from coffers.valuation.order_sizes import Step, counted_on_by
from coffers.valuation.orders import PlannedOrder, Round, Terms
from coffers.valuation.rebalancing import Line, NoPriceForTarget, Plan, Unplanned, plan

TRADED_WALLET = "spot"
"""The part of an account that orders spend from; what lies elsewhere is left alone."""

NEW_BOOK_AFTER = MINUTE
"""A price book older than this is made anew before a plan."""

REFUSALS = 3
"""Runs in which a pair refused its orders before it is left out."""

AVOIDED_FOR = DAY
"""Refusals count for so long."""

_LOOKED_AT = 1_000
"""Runs of that time that are looked through for refusals: more than there are."""


class Venue(Protocol):
    """Who knows what can be traded."""

    async def tradable(self, user_id: int, account_id: int) -> Tradable:
        """Return what an account can trade now."""
        ...


@dataclass(frozen=True, slots=True)
class MadePlan:
    """A plan, what it was made of, and how the venue calls what is traded."""

    plan: Plan
    account: Account
    portfolio: Portfolio
    book: PriceBook
    codes: Codes

    @property
    def orders(self) -> tuple[PlannedOrder, ...]:
        """Its orders as the venue takes them."""
        return tuple(self.codes.order(step) for step in self.plan.steps)

    @property
    def left_off(self) -> str | None:
        """What could not be brought near its share, and why."""
        off = [
            f"{each.asset} ({each.reason})"
            for each in self.plan.unplanned
            if each.points is not None and each.points.copy_abs() > self.portfolio.tolerance
        ]
        return f"could not be brought to their shares: {', '.join(off)}" if off else None

    def round(self, free: Mapping[str, Decimal]) -> Round:
        """Return what is to be placed, once nobody else trades in the account any more.

        Args:
            free: what is free there by then, by the venue's codes.

        Raises:
            CannotBalance: where that is further from what was planned with than the tolerance.
        """
        for line in self.plan.lines:
            code = self.codes.code_of(line.asset)
            if code is None:
                continue
            change = money.subtract(free.get(code, money.ZERO), line.free).copy_abs()
            points = money.percentage(money.multiply(change, line.price), self.plan.usd)
            if points > self.portfolio.tolerance:
                raise CannotBalance(f"what is free of {line.asset} changed while it was planned")
        counted_on = {
            code: min(amount, free.get(code, money.ZERO))
            for asset, amount in counted_on_by(self.plan.steps).items()
            if (code := self.codes.code_of(asset)) is not None
        }
        traded = {code for each in self.orders for code in (each.base, each.quote)}
        terms = Terms(counted_on, {code: self.codes.assets[code] for code in traded})
        return Round(self.orders, terms=terms)


class Planner:
    """Makes plans of what is there now."""

    def __init__(
        self, store: Store, reading: ReadingNow, prices: PriceRounds, venue: Venue, clock: Clock
    ) -> None:
        self._store = store
        self._reading = reading
        self._prices = prices
        self._venue = venue
        self._clock = clock

    async def make(
        self, user_id: int, account_id: int, portfolio_id: int | None = None
    ) -> MadePlan:
        """Return the plan for an account, for its own portfolio or another one.

        Raises:
            CannotBalance: saying why there can be none now.
            ConnectorFailure: when the venue was asked and did not do its part.
            NotFound: when this user has no such account or portfolio.
        """
        await self._read(user_id, account_id)
        tradable = await self._venue.tradable(user_id, account_id)
        await self._refresh_prices()
        now = self._clock.now()
        async with self._store.reading() as tx:
            account = await tx.accounts.get(user_id, account_id)
            if account is None:
                raise NotFound(f"there is no account {account_id}")
            chosen = account.auto_balance.portfolio_id if portfolio_id is None else portfolio_id
            if chosen is None:
                raise CannotBalance("the account has no portfolio to be rebalanced to")
            portfolio = await found_portfolio(tx, user_id, chosen)
            choices = await tx.choices.of(user_id)
            held = choices.counted(account_id, await tx.holdings.of_account(user_id, account_id))
            newest = await tx.prices.newest()
            since = Millis(now - AVOIDED_FOR)
            own = account_id, AUTO_BALANCE
            found = await tx.operations.page(user_id, _LOOKED_AT, None, *own, since)
        check_account(account)
        # What is held of one would be bought again, since it counts for nothing.
        if ignored := sorted(filter(choices.ignores, portfolio.targets)):
            raise CannotBalance(
                f"you ignore what the portfolio has a share of: {', '.join(ignored)}"
            )
        book = self._usable(None if newest is None else choices.book(newest))
        traded = [position for position in held if position.wallet == TRADED_WALLET]
        codes = Codes(tradable.named(book), traded, choices.meanings(account_id))
        # A pair whose book is too thin, or whose price is off, would refuse each run's order.
        runs = [each for each in found if not is_ahead(each.created_at, now)]
        refused = {way for each in runs[:1] for way in refused_in(each)}
        avoided = refused_again(runs, REFUSALS)
        made = _made(account, portfolio, book, codes, (refused, avoided))
        # Known before anything is sold: a sale alone would be repeated with every run.
        for side in sorted({order.side for order in made.orders} & tradable.untaken.keys()):
            raise CannotBalance(tradable.untaken[side])
        return made

    async def _read(self, user_id: int, account_id: int) -> None:
        result = await self._reading.read(user_id, account_id)
        if result.outcome is Outcome.GONE:
            raise NotFound(f"there is no account {account_id}")
        if result.failure is not None:
            raise result.failure
        if result.outcome is Outcome.HELD_BACK:
            told = (
                "the exchange tells of much less than before; that is believed if it says so again"
            )
            raise CannotBalance(told)

    async def _refresh_prices(self) -> None:
        async with self._store.reading() as tx:
            newest = await tx.prices.newest()
        if newest is None or not is_recent(newest.at, NEW_BOOK_AFTER, self._clock.now()):
            await self._prices.refresh()

    def _usable(self, book: PriceBook | None) -> PriceBook:
        if book is None:
            raise CannotBalance("there are no prices yet")
        if not is_fresh(book, self._clock.now()):
            raise CannotBalance(
                f"the newest prices are of {iso(book.at)}, too long ago or ahead of the clock"
            )
        return book


def check_account(account: Account) -> None:
    """Require that an account may be traded in, and that its spot wallet was read.

    Raises:
        CannotBalance: saying why not.
    """
    if account.is_locked:
        raise CannotBalance("the account is locked: the exchange refuses its key")
    if account.market_code != PAPER and account.rights.trade is False:
        raise CannotBalance("the account's key may not trade")
    if TRADED_WALLET in account.sync.missing_wallets:
        raise CannotBalance("the spot wallet could not be read")


def _made(
    account: Account,
    portfolio: Portfolio,
    book: PriceBook,
    codes: Codes,
    refusals: tuple[Collection[Way], Collection[Way]],
) -> MadePlan:
    prices = {asset: price.usd for asset, price in book.prices.items() if price.usd > 0}
    names = codes.assets
    refused, avoided = (
        {(names.get(base, ""), names.get(quote, "")) for base, quote in ways} for ways in refusals
    )
    try:
        made = plan(codes.held(), prices, goal_of(portfolio), codes.pairs, refused, avoided)
    except NoPriceForTarget as fault:
        raise CannotBalance(str(fault)) from None
    return MadePlan(made, account, portfolio, book, codes)


def plain_plan(made: MadePlan, now: Millis) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    read_at = made.account.sync.read_at
    return {
        "account_id": made.account.id,
        "portfolio_id": made.portfolio.id,
        "planned_at": iso(now),
        "read_at": None if read_at is None else iso(read_at),
        "prices_at": iso(made.book.at),
        "verdict": made.plan.verdict,
        "usd_amount": plain(made.plan.usd),
        "tolerance": plain(made.portfolio.tolerance),
        "quote": made.plan.quote,
        "assets": [_plain_line(line) for line in made.plan.lines],
        "orders": [_plain_step(step) for step in made.plan.steps],
        "unplanned": [_plain_unplanned(each) for each in made.plan.unplanned],
    }


def _share(share: Decimal) -> str:
    return plain(money.rounded(share, 4))


def _plain_line(line: Line) -> dict[str, object]:
    return {
        "asset": line.asset,
        "amount": plain(line.owned),
        "free": plain(line.free),
        "price_usd": plain(line.price),
        "usd_amount": plain(line.usd),
        "share": _share(line.share),
        "target": plain(line.target),
        "share_after": _share(line.share_after),
    }


def _plain_step(step: Step) -> dict[str, object]:
    return {
        "side": step.side,
        "base": step.base,
        "quote": step.quote,
        "amount": plain(step.amount),
        "price": plain(step.price),
        "usd_amount": plain(step.usd),
        "fee": plain(step.fee),
        "spent": plain(step.spent),
        "spent_asset": step.spent_asset,
        "received": plain(step.received),
        "received_asset": step.received_asset,
    }


def _plain_unplanned(each: Unplanned) -> dict[str, object]:
    points = None if each.points is None else _share(each.points)
    return {"asset": each.asset, "reason": each.reason, "points_off": points}
