"""Deposits and withdrawals as the figures take them: placed in time, and valued at that time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from coffers import metrics, money
from coffers.clock import MINUTE, Millis
from coffers.store.engine import Store
from coffers.valuation.model import Flow, Price, PriceBook, Value

NEAR = Millis(10 * MINUTE)
"""A price book this near to a flow tells what it was worth; further off, candles are asked."""


class PastPrices(Protocol):
    """Where the price of a past moment comes from."""

    async def price_at(self, venue: str, asset: str, at: Millis) -> Price | None:
        """Return the price that the venue's own candles give, None where they give none."""
        ...


class FlowValuer:
    """Finds what flows were worth when they happened."""

    def __init__(self, store: Store, past: PastPrices) -> None:
        self._store = store
        self._past = past

    async def valued(self, venue: str, flows: Iterable[Flow]) -> tuple[Flow, ...]:
        """Return the flows with their values; one whose worth cannot be found keeps None."""
        return tuple([await self._valued(venue, flow) for flow in flows])

    async def _valued(self, venue: str, flow: Flow) -> Flow:
        if flow.value is not None:
            return flow
        price = await self._price(venue, flow)
        if price is None:
            metrics.unvalued_flows.inc()
            return flow
        worth = Value(
            money.multiply(flow.amount, price.btc), money.multiply(flow.amount, price.usd)
        )
        return replace(flow, value=worth)

    async def _price(self, venue: str, flow: Flow) -> Price | None:
        book = await self._book(flow.at)
        near = None if book is None else book.prices.get(flow.asset)
        return near or await self._past.price_at(venue, flow.asset, flow.at)

    async def _book(self, at: Millis) -> PriceBook | None:
        async with self._store.reading() as tx:
            return await tx.prices.book_near(at, NEAR)


def landed(flows: Sequence[Flow], previous: Millis | None, read_at: Millis) -> tuple[Flow, ...]:
    """Return the flows that a reading's balances already show, placed after the reading before.

    A venue dates a deposit when it was first seen, and credits it later. One that is told for the
    first time now was not in the balances of `previous`, whatever its date: dated before, it would
    count as profit. A withdrawal leaves the balance when it is asked for, so its date stands. What
    happened after `read_at` waits for the next reading, as the balances do not show it yet.
    """
    shown = [flow for flow in flows if flow.at <= read_at]
    if previous is None:
        return tuple(shown)
    first_possible = Millis(min(previous + 1, read_at))
    return tuple(
        replace(flow, at=first_possible)
        if flow.direction == "in" and flow.at < first_possible
        else flow
        for flow in shown
    )
