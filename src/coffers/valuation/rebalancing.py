"""Which orders bring what is held to its target shares: pure arithmetic, nothing is placed.

Money moves from what is above its share to what is below: by a pair of the two where there is one,
else through one common quote currency. Assets have our own names here, also in the pairs.
`docs/auto-balance.md` tells the rules with an example.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.errors import CoffersError
from coffers.markets.assets import is_of_one_venue
from coffers.valuation.drafting import NO_PAIR, Draft
from coffers.valuation.order_sizes import Step
from coffers.valuation.orders import PairLimits
from coffers.valuation.quotes import Pairs, best_quote, gone_round

WITHIN, PLANNED, NOTHING_HELD = "within_tolerance", "planned", "nothing_held"
"""What a plan comes to; one that is planned may still be without orders, for the told reasons."""

UNPRICED, ONE_VENUE, REFUSED = "unpriced", "one_venue", "refused"
"""Why something is not balanced, beside the reasons that a draft has."""


class NoPriceForTarget(CoffersError):
    """Assets of a portfolio have no price, so their shares are not known and nothing is traded."""

    def __init__(self, assets: Sequence[str]) -> None:
        self.assets = tuple(assets)
        are = "has" if len(assets) == 1 else "have"
        super().__init__(
            f"{', '.join(assets)} {are} no price now: shares are unknown, so nothing is traded"
        )


@dataclass(frozen=True, slots=True)
class Held:
    """What an account has of an asset, in units; orders may spend what is `free` of it."""

    owned: Decimal
    free: Decimal


@dataclass(frozen=True, slots=True)
class Goal:
    """Target shares in percent, 100 together, and how many points a share may be off.

    `sells_others` lets everything else that is held go to 0 %; without it that is left alone.
    """

    shares: Mapping[str, Decimal]
    tolerance: Decimal
    sells_others: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """An asset before and after the plan: worth in USD, shares in percent of what is balanced."""

    asset: str
    owned: Decimal
    free: Decimal
    price: Decimal
    usd: Decimal
    share: Decimal
    target: Decimal
    share_after: Decimal


@dataclass(frozen=True, slots=True)
class Unplanned:
    """An asset that stays off its share, and why.

    `points` is by how much its share is too high then, negative for too low; None without a price.
    """

    asset: str
    reason: str
    points: Decimal | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The orders in the order in which they are placed: what raises money before what spends it.

    `usd` is the worth of all that is balanced, `quote` the currency that money goes through.
    """

    verdict: str
    usd: Decimal
    quote: str | None
    lines: tuple[Line, ...]
    steps: tuple[Step, ...]
    unplanned: tuple[Unplanned, ...]


def plan(
    held: Mapping[str, Held],
    prices: Mapping[str, Decimal],
    goal: Goal,
    pairs: Sequence[PairLimits],
    refused: Collection[tuple[str, str]] = (),
    avoided: Collection[tuple[str, str]] = (),
) -> Plan:
    """Return the plan for an account.

    Args:
        held: by asset; what is absent is not held.
        prices: USD per unit, all above 0; an asset without a price is absent.
        goal: where to.
        pairs: what can be traded.
        refused: base and quote of pairs in which an order was refused: they are gone round.
        avoided: those in which one was refused again and again: nothing is traded in them.

    Raises:
        NoPriceForTarget: when an asset of the goal has no price.
    """
    if unpriced := sorted(asset for asset in goal.shares if asset not in prices):
        raise NoPriceForTarget(unpriced)
    counted, ignored = _counted(held, prices, goal)
    worth = {asset: money.multiply(owned.owned, prices[asset]) for asset, owned in counted.items()}
    total = money.total(worth.values())
    if total <= 0:
        return Plan(NOTHING_HELD, money.ZERO, None, (), (), ignored)
    targets = {asset: goal.shares.get(asset, money.ZERO) for asset in counted}
    shares = {asset: money.percentage(usd, total) for asset, usd in worth.items()}
    off = {asset: money.subtract(shares[asset], targets[asset]) for asset in counted}
    if all(drift.copy_abs() <= goal.tolerance for drift in off.values()):
        lines = _lines(counted, prices, targets, worth)
        return Plan(WITHIN, total, None, lines, (), ignored)
    free = {asset: each.free for asset, each in counted.items()}
    usable = [
        each for each in pairs if not (is_of_one_venue(each.base) or is_of_one_venue(each.quote))
    ]
    changes = _changes(worth, targets, total)
    ways = gone_round(usable, refused, changes, prices)
    # What one asset is refused in does not send the money of all others another way.
    quote = best_quote(Pairs(ways), changes, prices)
    open_ways = Pairs(each for each in ways if (each.base, each.quote) not in avoided)
    draft = Draft(free, prices, open_ways, changes, quote)
    draft.make()
    after = _after(counted, prices, draft.steps)
    lines = _lines(counted, prices, targets, worth, after)
    left = _left(lines, draft, goal.tolerance, {end for way in avoided for end in way})
    return Plan(PLANNED, total, draft.quote, lines, tuple(draft.steps), (*left, *ignored))


def _counted(
    held: Mapping[str, Held], prices: Mapping[str, Decimal], goal: Goal
) -> tuple[dict[str, Held], tuple[Unplanned, ...]]:
    """Return what is balanced, and what would be but cannot be sold."""
    nothing = Held(money.ZERO, money.ZERO)
    counted = {asset: held.get(asset, nothing) for asset in sorted(goal.shares)}
    if not goal.sells_others:
        return counted, ()
    others = sorted(asset for asset in held if asset not in counted and held[asset].owned > 0)
    ignored = {asset: UNPRICED for asset in others if asset not in prices}
    # It may be what the owner means by its symbol, and nobody else's price checks the venue's.
    ignored |= {asset: ONE_VENUE for asset in others if is_of_one_venue(asset)}
    counted |= {asset: held[asset] for asset in others if asset not in ignored}
    return counted, tuple(Unplanned(asset, why, None) for asset, why in ignored.items())


def _changes(
    worth: Mapping[str, Decimal], targets: Mapping[str, Decimal], total: Decimal
) -> dict[str, Decimal]:
    """Return by how many USD each asset must grow; negative for what must shrink."""
    return {
        asset: money.subtract(
            money.divide(money.multiply(total, targets[asset]), money.HUNDRED), usd
        )
        for asset, usd in worth.items()
    }


def _after(
    held: Mapping[str, Held], prices: Mapping[str, Decimal], steps: Sequence[Step]
) -> dict[str, Decimal]:
    """Return what each asset is worth once all orders are filled at the plan's prices."""
    owned = {asset: each.owned for asset, each in held.items()}
    for step in steps:
        if step.spent_asset in owned:
            owned[step.spent_asset] = money.subtract(owned[step.spent_asset], step.spent)
        if step.received_asset in owned:
            owned[step.received_asset] = money.add(owned[step.received_asset], step.received)
    return {asset: money.multiply(amount, prices[asset]) for asset, amount in owned.items()}


def _lines(
    held: Mapping[str, Held],
    prices: Mapping[str, Decimal],
    targets: Mapping[str, Decimal],
    worth: Mapping[str, Decimal],
    after: Mapping[str, Decimal] | None = None,
) -> tuple[Line, ...]:
    later = worth if after is None else after
    total, total_later = money.total(worth.values()), money.total(later.values())
    return tuple(
        Line(
            asset,
            each.owned,
            each.free,
            prices[asset],
            worth[asset],
            money.percentage(worth[asset], total),
            targets[asset],
            money.percentage(later[asset], total_later),
        )
        for asset, each in held.items()
    )


def _left(
    lines: Sequence[Line], draft: Draft, tolerance: Decimal, avoided: Collection[str]
) -> list[Unplanned]:
    """Return what stays further off than it may be, or could not be moved at all.

    `avoided` are the assets of pairs that are not traded in, since their orders were refused.
    """
    moved = {asset for step in draft.steps for asset in (step.base, step.quote)}
    left = []
    for line in lines:
        reason = draft.reasons.get(line.asset)
        if reason == NO_PAIR and line.asset in avoided:
            reason = REFUSED
        points = money.subtract(line.share_after, line.target)
        if reason is not None and (points.copy_abs() > tolerance or line.asset not in moved):
            left.append(Unplanned(line.asset, reason, points))
    return left
