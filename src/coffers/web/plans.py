"""Plans and runs of auto-balance as a worker tells them."""

from decimal import Decimal
from typing import TypeVar

import msgspec

from coffers.clock import Millis, from_iso
from coffers.errors import NotFound
from coffers.portfolio.errand_forms import told_of


class Line(msgspec.Struct, frozen=True):
    """An asset of a plan; shares are in percent, amounts of money in USD."""

    asset: str
    amount: Decimal
    free: Decimal
    usd_amount: Decimal
    share: Decimal
    target: Decimal
    share_after: Decimal


class Order(msgspec.Struct, frozen=True):
    """An order of a plan; the fee is a share of what comes in."""

    side: str
    base: str
    quote: str
    amount: Decimal
    price: Decimal
    usd_amount: Decimal
    fee: Decimal
    spent: Decimal
    spent_asset: str
    received: Decimal
    received_asset: str


class LeftOut(msgspec.Struct, frozen=True):
    """An asset that stays off its share, and why."""

    asset: str
    reason: str
    points_off: Decimal | None


class PlanTold(msgspec.Struct, frozen=True):
    """A plan as a worker tells it."""

    account_id: int
    portfolio_id: int
    planned_at: str
    prices_at: str
    verdict: str
    usd_amount: Decimal
    tolerance: Decimal
    assets: tuple[Line, ...]
    orders: tuple[Order, ...]
    unplanned: tuple[LeftOut, ...]

    @property
    def at(self) -> Millis:
        """When it was made."""
        return from_iso(self.planned_at)

    @property
    def prices(self) -> Millis:
        """Of when its prices are."""
        return from_iso(self.prices_at)


class RunTold(msgspec.Struct, frozen=True):
    """A run as a worker tells it."""

    state: str
    operation_id: int | None
    error: str | None
    plan: PlanTold | None


_Told = TypeVar("_Told", bound=PlanTold | RunTold)


def told_in(told: bytes, kind: type[_Told]) -> _Told:
    """Return what a worker told.

    Raises:
        CannotBalance: where it told why it cannot be.
        NotFound: where something else was asked of it.
    """
    try:
        return msgspec.convert(told_of(told), kind)
    except msgspec.ValidationError:
        raise NotFound("what was asked under this number is something else") from None
