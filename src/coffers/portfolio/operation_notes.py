"""Where the steps of operations are written down, and by what orders are judged beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.clock import Clock, Millis
from coffers.connectors.trading import TradingDesk
from coffers.errors import CoffersError
from coffers.money import plain
from coffers.portfolio.ledger import AUTO_BALANCE, balance_key
from coffers.store.engine import Store, Transaction
from coffers.store.newest import NewestBook
from coffers.store.operations import Operation, Step
from coffers.store.records import AuditEvent
from coffers.sync.prices import PriceRounds
from coffers.valuation.model import Price, PriceBook
from coffers.valuation.orders import PlannedOrder

_ONE = Decimal(1)


class TakenOver(CoffersError):
    """An operation at which another process works by now: nothing more may be done here."""


@dataclass(frozen=True, slots=True)
class PricingContext:
    """What orders of an account are judged by: prices, and its codes, as they are to its owner.

    `book` is None before the first prices; `said` are the assets that the owner says codes mean.
    `slippage` is the share by which a `venue` may pay worse than these prices.
    """

    book: PriceBook | None
    said: Mapping[str, str]
    slippage: Decimal
    venue: str | None = None

    def asset(self, code: str, desk: TradingDesk) -> str:
        """Return what the venue's code means, by the same book as the prices."""
        asset = desk.asset_of(code)
        named = asset if self.book is None else self.book.named(self.venue, asset)
        return self.said.get(code, named)

    def price(self, code: str, desk: TradingDesk) -> Price | None:
        """Return the price of what a venue's code means, None where none is known."""
        return None if self.book is None else self.book.prices.get(self.asset(code, desk))

    def expected(self, order: PlannedOrder, desk: TradingDesk) -> Decimal | None:
        """Return what an order should have per unit, in units of quote; None where nobody knows."""
        base, quote = (self.price(code, desk) for code in (order.base, order.quote))
        if base is None or quote is None or not quote.usd:
            return None
        return money.divide(base.usd, quote.usd)

    def too_bad(self, order: PlannedOrder, worth: Decimal | None, desk: TradingDesk) -> str | None:
        """Return why an order is not placed at what the venue would pay, None where it may be."""
        pair = f"{order.base}/{order.quote}"
        if worth is None:
            return f"the book of {pair} holds less than the order takes"
        expected = self.expected(order, desk)
        if expected is None:
            return f"no price is known here to check the exchange's price of {pair} against"
        gap = money.divide(money.subtract(worth, expected), expected)
        loss = gap if order.side == "buy" else gap.copy_negate()
        if loss <= self.slippage:
            return None
        share = plain(money.rounded(money.multiply(loss, money.HUNDRED), 1))
        return f"the exchange pays {share} % worse in {pair} than is known elsewhere"

    def least(self, order: PlannedOrder, desk: TradingDesk) -> Decimal | None:
        """Return the lowest price per unit that an order is sold at; None where nobody knows."""
        return self._off(order, desk, money.subtract(_ONE, self.slippage))

    def most(self, order: PlannedOrder, desk: TradingDesk) -> Decimal | None:
        """Return the highest price per unit that an order is bought at; None where nobody knows."""
        return self._off(order, desk, money.add(_ONE, self.slippage))

    def _off(self, order: PlannedOrder, desk: TradingDesk, share: Decimal) -> Decimal | None:
        expected = self.expected(order, desk)
        return None if expected is None else money.multiply(expected, share)


class Notes:
    """Where steps are written down, and by what orders are judged before they are placed.

    Args:
        store: where they are kept.
        prices: makes the prices anew.
        clock: the time.
        slippage: the share by which a venue may pay worse than known prices.
    """

    def __init__(self, store: Store, prices: PriceRounds, clock: Clock, slippage: Decimal) -> None:
        self._store = store
        self._prices = prices
        self._clock = clock
        self._slippage = slippage
        self._newest = NewestBook()

    @property
    def now(self) -> Millis:
        """The present moment."""
        return self._clock.now()

    async def known(self, operation: Operation, venue: str | None) -> PricingContext:
        """Return what orders are judged by, the prices made anew for what is about to be sold."""
        await self._prices.refresh()
        async with self._store.reading() as tx:
            newest = await self._newest.read(tx)
            choices = await tx.choices.of(operation.user_id)
        book = None if newest is None else choices.book(newest)
        said = choices.meanings(operation.account_id)
        return PricingContext(book, said, self._slippage, venue)

    async def send(self, operation: Operation, step: Step, holder: str | None) -> bool:
        """Write down that an order is about to be sent; False, and nothing, where it must not be.

        Whoever removes what an operation serves waits for this to be written, or is seen by it.

        Raises:
            TakenOver: when another process works at the operation by now.
        """
        async with self._store.transaction() as tx:
            await self._require(tx, operation, holder)
            if not await _is_wanted(tx, operation):
                return False
            if not await self._record(tx, operation, step):
                raise TakenOver
            return True

    async def keep(self, operation: Operation, step: Step, holder: str | None = None) -> None:
        """Write down how a step stands, and what the operation tells beside its steps.

        What became of a step that was sent is a fact, whoever tells it; with a holder it is one
        that was not, of which that one decides.

        Raises:
            TakenOver: when another process works at the operation by now.
        """
        async with self._store.transaction() as tx:
            await self._require(tx, operation, holder)
            await self._record(tx, operation, step)
            if operation.result is not None:
                await tx.operations.tell(operation)

    async def _record(self, tx: Transaction, operation: Operation, step: Step) -> bool:
        now = self._clock.now()
        if not await tx.operations.record(operation, step, now):
            return False
        own = operation.user_id, str(operation.account_id)
        await tx.audit.add(
            AuditEvent(own[0], now, f"{step.kind}_{step.state}", own[1], _told(step))
        )
        return True

    async def _require(self, tx: Transaction, operation: Operation, holder: str | None) -> None:
        own = operation.user_id, operation.account_id
        if holder is not None and not await tx.accounts.holds(*own, holder, self._clock.now()):
            raise TakenOver

    async def moves(self, operation: Operation) -> set[str]:
        """Return the venue's ids of the transfers that other operations of the user are."""
        async with self._store.reading() as tx:
            found = await tx.operations.transfers(operation.user_id)
        steps = [step for each in found if each.id != operation.id for step in each.steps]
        return {step.venue_id for step in steps if step.venue_id is not None}

    async def touch(self, operation: Operation) -> None:
        """Note that an operation was looked at, and is to be looked at again."""
        async with self._store.transaction() as tx:
            await tx.operations.note(operation, self._clock.now())

    async def end(self, operation: Operation, holder: str | None = None) -> bool:
        """Write down how an operation ended; False where another process has done so already.

        Raises:
            TakenOver: when there was a holder, and another process works at it by now.
        """
        async with self._store.transaction() as tx:
            await self._require(tx, operation, holder)
            return await tx.operations.end(operation, self._clock.now())

    async def add(
        self, operation: Operation, steps: Sequence[Step], holder: str | None
    ) -> tuple[Step, ...]:
        """Write steps down that are about to be done, and what is left by their plan.

        Raises:
            TakenOver: when another process works at the operation by now.
        """
        async with self._store.transaction() as tx:
            await self._require(tx, operation, holder)
            await tx.operations.tell(operation)
            return await tx.operations.add_steps(operation, steps, self._clock.now())


async def _is_wanted(tx: Transaction, operation: Operation) -> bool:
    """Tell whether an operation still serves something: one of a run, that the run goes on."""
    if operation.kind != AUTO_BALANCE:
        return True
    own = operation.user_id, operation.account_id
    planned_at = await tx.balancing.planned_at(*own, is_held=True)
    return planned_at is not None and balance_key(own[1], planned_at) == operation.key


def _told(step: Step) -> str:
    amount = "" if step.amount is None else f" {plain(step.amount)}"
    why = "" if step.why is None else f": {step.why}"
    return f"{step.side}{amount} {step.base}/{step.quote} {step.client_id}{why}"[:400]
