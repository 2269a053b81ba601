"""A plan of rebalancing in the making: which trades bring assets nearer to their shares."""

from collections.abc import Collection, Mapping
from decimal import Decimal

from coffers import money
from coffers.valuation.order_sizes import NOT_FREE, TOO_LARGE, Refused, Step, sized
from coffers.valuation.orders import PairLimits
from coffers.valuation.quotes import Pairs

NO_PAIR = "no_pair"
"""Why an asset cannot be traded, beside the reasons that single orders have."""


class Draft:
    """A plan in the making: what is still above and below its share, and what may be spent.

    `quote` is the currency that money goes through where no pair leads there directly.
    """

    def __init__(
        self,
        free: Mapping[str, Decimal],
        prices: Mapping[str, Decimal],
        pairs: Pairs,
        changes: Mapping[str, Decimal],
        quote: str | None,
    ) -> None:
        self._prices = prices
        self._pairs = pairs
        self.above = {asset: usd.copy_abs() for asset, usd in changes.items() if usd < 0}
        self.below = {asset: usd for asset, usd in changes.items() if usd > 0}
        self._spendable = {asset: max(amount, money.ZERO) for asset, amount in free.items()}
        self.reasons: dict[str, str] = {}
        self.steps: list[Step] = []
        self.quote = quote

    def make(self) -> None:
        """Fill the plan: direct trades, then what raises the quote currency, then what spends it.

        All that raises money stands before all that spends what was raised.
        """
        self._check_free()
        direct = self._direct()
        raised, spent = ([], []) if self.quote is None else self._through(self.quote)
        # A direct purchase spends what is there from the start.
        first = sorted((*raised, *direct), key=lambda step: step.side == "buy")
        self.steps = [*first, *spent]
        moved = {asset for step in self.steps for asset in (step.base, step.quote)}
        for asset in (*self.above, *self.below):
            if asset == self.quote or self._has_quote(asset):
                continue
            # What was moved directly has no way for the rest of it, or stays for what is told.
            if asset not in moved or asset not in self.reasons:
                self.reasons[asset] = NO_PAIR

    def _has_quote(self, asset: str) -> bool:
        return self.quote is not None and self._pairs.between(asset, self.quote) is not None

    def _check_free(self) -> None:
        """Plan to spend no more of what is above its share than is free."""
        for asset, usd in self.above.items():
            free = money.multiply(self._spendable[asset], self._prices[asset])
            if free < usd:
                self.reasons[asset] = NOT_FREE
                self.above[asset] = free

    def _direct(self) -> list[Step]:
        steps = []
        for above in _largest(self.above):
            for below in _largest(self.below):
                pair = self._pairs.between(above, below)
                usd = min(self.above[above], self.below[below])
                if pair is None or self.quote in (above, below) or usd <= 0:
                    continue
                step = self._step(pair, above, usd, self._spendable[above])
                if isinstance(step, Step):
                    steps.append(step)
                    self._moved(above, below, step)
        return steps

    def _moved(self, above: str, below: str, step: Step) -> None:
        self.above[above] = max(money.subtract(self.above[above], step.usd), money.ZERO)
        self.below[below] = max(money.subtract(self.below[below], step.usd), money.ZERO)
        self._spendable[above] = money.subtract(self._spendable[above], step.at_most)

    def _through(self, quote: str) -> tuple[list[Step], list[Step]]:
        """Return what raises the quote currency, and what spends it.

        What would be cut to less than the venue takes is not bought, and nothing is sold for it.
        """
        wanted = self._purchases(quote)
        while True:
            before = dict(self._spendable), dict(self.reasons)
            raised, spent = self._cut_alike(quote, wanted)
            lost = _smallest_without(wanted, {step.received_asset for step in spent})
            if lost is None:
                return raised, spent
            # The smallest one alone: the others share what it leaves, and may be large enough then.
            del wanted[lost]
            self._go_back(before, lost)

    def _go_back(self, before: tuple[dict[str, Decimal], dict[str, str]], lost: str) -> None:
        """Take back what was tried, and remember alone why one asset had no order in it."""
        why = self.reasons.get(lost)
        self._spendable, self.reasons = before
        if why is not None:
            self.reasons[lost] = why

    def _cut_alike(
        self, quote: str, wanted: Mapping[str, Decimal]
    ) -> tuple[list[Step], list[Step]]:
        """Return sales for purchases, and as much of these as can be paid for, all cut alike."""
        need = money.total(wanted.values())
        own_lack = self.below.get(quote, money.ZERO)
        own_spare = self.above.get(quote, money.ZERO)
        raised = self._sales(quote, money.subtract(money.add(need, own_lack), own_spare))
        come_in = money.total(step.received for step in raised)
        if own_lack:
            # Too little for both: the quote currency and the purchases are short alike.
            part = money.divide(need, money.add(need, own_lack))
            budget = money.multiply(come_in, part)
        else:
            spare = self._units(quote, own_spare)
            # What a purchase may cost on top comes out of what is there, if there is more.
            on_top = money.subtract(self._cost(quote, wanted), self._units(quote, need))
            spare = money.add(spare, on_top) if own_spare else spare
            budget = money.add(come_in, min(spare, self._spendable.get(quote, money.ZERO)))
        return raised, self._spent(quote, wanted, budget)

    def _purchases(self, quote: str) -> dict[str, Decimal]:
        """Return what can be bought with a quote currency, in USD, were there enough of it."""
        wanted = {}
        for asset, usd in self.below.items():
            pair = self._pairs.between(asset, quote)
            if asset == quote or pair is None or usd <= 0:
                continue
            step = self._step(pair, quote, usd, None)
            if isinstance(step, Step):
                wanted[asset] = usd if step.is_whole else step.usd
                if not step.is_whole:
                    self.reasons[asset] = TOO_LARGE
            else:
                self.reasons[asset] = step.reason
        return wanted

    def _sales(self, quote: str, need: Decimal) -> list[Step]:
        """Return sales for so many USD: no more is sold than can be used.

        Where several are cut alike to less than the venue takes, fewer are sold, and more of each.
        """
        sold = {
            asset: usd
            for asset, usd in self.above.items()
            if asset != quote and usd > 0 and self._pairs.between(asset, quote) is not None
        }
        if need <= 0:
            return []
        while (total := money.total(sold.values())) > need:
            cut = {
                asset: money.divide(money.multiply(usd, need), total) for asset, usd in sold.items()
            }
            before = dict(self._spendable), dict(self.reasons)
            steps = self._each(cut, quote, is_sale=True)
            lost = _smallest_without(cut, {step.spent_asset for step in steps})
            if lost is None:
                return steps
            del sold[lost]
            self._go_back(before, lost)
        return self._each(sold, quote, is_sale=True)

    def _spent(self, quote: str, wanted: Mapping[str, Decimal], budget: Decimal) -> list[Step]:
        """Return purchases for no more than a budget in the quote currency, all cut alike."""
        cost = self._cost(quote, wanted)
        if not wanted or budget <= 0:
            return []
        if cost > budget:
            part = money.divide(budget, cost)
            wanted = {asset: money.multiply(usd, part) for asset, usd in wanted.items()}
        self._spendable[quote] = budget
        return self._each(wanted, quote, is_sale=False)

    def _units(self, asset: str, usd: Decimal) -> Decimal:
        return money.divide(usd, self._prices[asset])

    def _cost(self, quote: str, wanted: Mapping[str, Decimal]) -> Decimal:
        """Return the units of the quote currency that must be there for purchases."""
        return money.total(
            money.multiply(self._units(quote, usd), self._pairs.cost_of_one(asset, quote))
            for asset, usd in wanted.items()
        )

    def _each(self, sizes: Mapping[str, Decimal], quote: str, *, is_sale: bool) -> list[Step]:
        steps = []
        for asset in _largest(sizes):
            pair = self._pairs.between(asset, quote)
            spent = asset if is_sale else quote
            if pair is None:
                continue
            step = self._step(pair, spent, sizes[asset], self._spendable[spent])
            if isinstance(step, Refused):
                # What is free of something may be too little, since the rest of it is not free.
                if self.reasons.get(asset) != NOT_FREE:
                    self.reasons[asset] = step.reason
                continue
            steps.append(step)
            self._spendable[spent] = money.subtract(self._spendable[spent], step.at_most)
        return steps

    def _step(
        self, pair: PairLimits, spent: str, usd: Decimal, spendable: Decimal | None
    ) -> Step | Refused:
        base, quote = self._prices.get(pair.base), self._prices.get(pair.quote)
        if base is None or quote is None:
            return Refused(NO_PAIR)
        return sized(pair, (base, quote), spent, usd, spendable)


def _largest(sizes: Mapping[str, Decimal]) -> list[str]:
    return sorted(sizes, key=lambda asset: (-sizes[asset], asset))


def _smallest_without(sizes: Mapping[str, Decimal], done: Collection[str]) -> str | None:
    """Return the smallest asset that has no order, None where all have one."""
    return next((asset for asset in reversed(_largest(sizes)) if asset not in done), None)
