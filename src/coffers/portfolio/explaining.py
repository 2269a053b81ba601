"""Every figure of an account with what it was made of: enough to reckon it again by hand.

Positions times prices are what it is worth; the points of the past that its profits come from are
those that `valuation` itself read them between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from coffers import money
from coffers.clock import Millis, iso
from coffers.money import plain
from coffers.portfolio.account_forms import Plain, percent, text
from coffers.portfolio.prices import PriceOf, as_plain
from coffers.portfolio.view import Quality
from coffers.portfolio.worked import Worked
from coffers.valuation.amounts import Amount, RateAt, in_btc, in_usd
from coffers.valuation.figures import DisplayCurrency, Gain
from coffers.valuation.history import History
from coffers.valuation.history import Point as Earned
from coffers.valuation.inflows import FEW
from coffers.valuation.model import UNCOUNTED, UNLISTED, Flow, Position, PriceBook, Value
from coffers.valuation.reckoning import Baseline, Reckoning, reckoned
from coffers.valuation.value import holdings_of, is_agreed, unlisted_of, value_of

MOST_FLOWS = FEW
"""Flows that are told one by one, as long as older ones can be summed up."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What an explanation is made of, in one currency."""

    amount: Amount
    reckoning: Reckoning
    places: int
    rate_at: RateAt | None = None


def explained(
    worked: Worked, held: Sequence[Position], display: DisplayCurrency, now: Millis
) -> Plain:
    """Return the explanation of an account's figures; `held` is what its wallets hold now."""
    view, history = worked.view, worked.inputs.history
    prices = {} if worked.book is None else worked.book.prices
    valued = value_of(worked.counted, prices)
    value = None if view.quality.read_at is None else valued.value
    as_of = view.quality.as_of
    rate_at = None if display.code in {"USD", "BTC"} else display.rate_at
    shown = display.amount
    currencies = {
        "btc": _told(view.quality, value, history, in_btc, 2),
        "usd": _told(view.quality, value, history, in_usd, 2),
        "display": replace(_told(view.quality, value, history, shown, 4), rate_at=rate_at),
    }
    reckonings = [each.reckoning for each in currencies.values()]
    flows, earlier = _split(history, reckonings)
    counted_to = _reach(as_of, reckonings)
    return {
        "account_id": view.account.id,
        "version": view.account.version,
        "as_of": iso(as_of),
        "prices_at": None if worked.book is None else iso(worked.book.at),
        "epoch": 0 if worked.book is None else worked.book.epoch,
        "holdings": _holdings(worked, held, now),
        "ignored": list(worked.inputs.ignored),
        "flows": [_flow(flow, shown, rate_at, counted_to) for flow in flows],
        "earlier_flows": None if earlier is None else _summed(earlier, currencies),
        "figures": {
            "btc": _figures(currencies["btc"], history, value, as_of),
            "usd": _figures(currencies["usd"], history, value, as_of),
            "display": {
                "currency": display.code,
                **_figures(currencies["display"], history, value, as_of),
            },
        },
    }


def _told(
    quality: Quality, value: Value | None, history: History | None, amount: Amount, places: int
) -> _Told:
    found = reckoned(quality.as_of, value, history, amount)
    return _Told(amount, found.without_gains() if quality.is_ahead else found, places)


def _holdings(worked: Worked, held: Sequence[Position], now: Millis) -> list[Plain]:
    """Return what counts, asset by asset, with the wallets that it lies in.

    Those are not known (null) in the moment in which another reading took the place of this one.
    """
    counted = worked.inputs.choices.counted(worked.view.account.id, held)
    inputs = worked.inputs
    is_same = holdings_of(counted) == inputs.holdings and unlisted_of(counted) == inputs.unlisted
    wallets: dict[str, list[Plain]] = {}
    for each in counted:
        if not_counted_as(each, worked.book) is None:
            wallets.setdefault(each.asset, []).append(
                {
                    "wallet": each.wallet,
                    "venue_code": each.venue_code,
                    "amount": plain(each.owned),
                }
            )
    return [
        {
            "asset": asset,
            "amount": plain(amount),
            "wallets": wallets.get(asset) if is_same else None,
            **priced(worked, asset, amount, now),
        }
        for asset, amount in worked.counted.items()
    ]


def not_counted_as(position: Position, book: PriceBook | None) -> str | None:
    """Return the part of what counts for nothing that a position is in, None where it counts."""
    if position.wallet in UNCOUNTED:
        return position.wallet
    price = None if book is None else book.prices.get(position.asset)
    return UNLISTED if position.wallet == UNLISTED and not is_agreed(price) else None


def priced(worked: Worked, asset: str, amount: Decimal, now: Millis) -> Plain:
    """Return an amount's price, with its route, its sources and its age, and what it is worth."""
    book = worked.book
    found = (
        PriceOf(asset, 0)
        if book is None
        else PriceOf(asset, book.epoch, book.prices.get(asset), book.held_back.get(asset))
    )
    state = "unpriced" if found.held_back is None else "held_back"
    price = found.price
    return {
        "state": state if price is None else "priced",
        "price": as_plain(found, now),
        "btc_value": None if price is None else plain(money.multiply(amount, price.btc)),
        "usd_value": None if price is None else plain(money.multiply(amount, price.usd)),
    }


def _figures(told: _Told, history: History | None, value: Value | None, as_of: Millis) -> Plain:
    found = told.reckoning
    opening, latest, points = found.opening, found.latest, None
    if opening is not None and latest is not None and history is not None and value is not None:
        points = _Points(told.amount, told.rate_at, history, opening, latest, value)
    return {
        "rate": None if told.rate_at is None else text(told.rate_at(as_of)),
        "amount": text(found.figures.amount),
        "opening": None if points is None else points.of(points.opening),
        "now": None if points is None else points.of(points.latest),
        "day": _window(points, found.day, found.figures.day, told.places),
        "month": _window(points, found.month, found.figures.month, 2),
        "total_profit": text(found.figures.total),
    }


@dataclass(frozen=True, slots=True)
class _Points:
    """The points of a series, shown with what they are made of."""

    amount: Amount
    rate_at: RateAt | None
    history: History
    opening: Earned
    latest: Earned
    value: Value

    def of(self, point: Earned) -> Plain:
        """Return a point: what was there, less all that was put in since the opening."""
        at, earned = point
        worth = self._worth(point)
        return {
            "at": iso(at),
            "btc_value": plain(worth.btc),
            "usd_value": plain(worth.usd),
            "rate": None if self.rate_at is None else text(self.rate_at(at)),
            "value": text(self.amount(at, worth.btc, worth.usd)),
            "net_inflow": text(
                self.history.inflow(at, self.amount) if point is not self.opening else money.ZERO
            ),
            "earned": plain(earned),
        }

    def _worth(self, point: Earned) -> Value:
        if point == self.latest:
            return self.value
        snapshots = (*self.history.snapshots, self.history.opening)
        return next(each.value for each in snapshots if each.at == point[0])


def _window(
    points: _Points | None, before: Baseline | None, gain: Gain | None, places: int
) -> Plain | None:
    if points is None or before is None or gain is None:
        return None
    return {
        "since": iso(before.moment),
        "earlier": points.of(before.earlier),
        "later": None if before.later is None else points.of(before.later),
        "baseline": plain(before.earned),
        "profit": plain(gain.profit),
        "percentage": percent(gain, places),
    }


def _split(
    history: History | None, reckonings: Iterable[Reckoning]
) -> tuple[Sequence[Flow], History | None]:
    """Return the flows that are told one by one, and what there is of a long past before them.

    The older ones lie before every point but the opening, so that one sum of them will do.
    """
    if history is None:
        return (), None
    if not history.earlier and len(history.flows) <= MOST_FLOWS:
        return history.flows, None
    since = [
        before.earlier[0]
        for found in reckonings
        for before in (found.day, found.month)
        if before is not None
    ]
    first = min(since, default=Millis(0))
    older = tuple(flow for flow in history.flows if flow.at <= first)
    later = tuple(flow for flow in history.flows if flow.at > first)
    return later, replace(history, flows=older) if older or history.earlier else None


def _reach(as_of: Millis, reckonings: Iterable[Reckoning]) -> Millis:
    """Return the last moment of which something enters the figures.

    That is `as_of`, or the snapshot after it that a window's end lies before: where an account was
    read after the moment that its figures speak of.
    """
    later = [
        before.later[0]
        for found in reckonings
        for before in (found.day, found.month)
        if before is not None and before.later is not None
    ]
    return max([as_of, *later])


def _summed(past: History, currencies: dict[str, _Told]) -> Plain:
    until = past.last_at
    sums = {name: text(past.inflow(until, told.amount)) for name, told in currencies.items()}
    count = sum(each.count for each in past.earlier) + len(past.flows)
    return {"count": count, "until": iso(until), "net_inflow": sums}


def _flow(flow: Flow, shown: Amount, rate_at: RateAt | None, counted_to: Millis) -> Plain:
    value, valued_at = flow.value, flow.valued_at or flow.at
    worth = None if value is None else shown(valued_at, value.btc, value.usd)
    return {
        "id": flow.external_id,
        "direction": flow.direction,
        "asset": flow.asset,
        "amount": plain(flow.amount),
        "at": iso(flow.at),
        "valued_at": iso(valued_at),
        "btc_value": None if value is None else plain(value.btc),
        "usd_value": None if value is None else plain(value.usd),
        "rate": None if rate_at is None else text(rate_at(valued_at)),
        "display_value": text(worth),
        "is_counted": value is not None and flow.at <= counted_to,
    }
