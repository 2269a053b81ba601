"""Deposits and withdrawals as the figures take them: placed in time, and valued at that time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from coffers import metrics, money
from coffers.clock import DAY, MINUTE, Millis
from coffers.connectors.reading import Reading, ReadRequest
from coffers.markets.assets import symbol_at
from coffers.pricing.keeper import SPIKE
from coffers.pricing.spikes import distance, leaps
from coffers.store.engine import Store, Transaction
from coffers.store.newest import NewestBook
from coffers.store.records import Account, SyncState
from coffers.sync.policy import BackOff
from coffers.valuation.choices import Choices
from coffers.valuation.model import Flow, HeldBack, Price, PriceBook, Value

NEAR = Millis(10 * MINUTE)
"""A price book this near to a flow tells what it was worth; further off, candles are asked."""

FLOWS_OVERLAP = Millis(14 * DAY)
"""How far back deposits are looked at again, for those that were still pending the last time."""

VALUE_LATER = BackOff(MINUTE, Millis(7 * DAY))
"""When the worth of a flow is looked for again that was not found."""


class PastPrices(Protocol):
    """Where the price of a past moment comes from."""

    async def price_at(self, venue: str, asset: str, at: Millis) -> Price | None:
        """Return the price that the venue's own candles give, None where they give none."""
        ...


class FlowValuer:
    """Finds what flows were worth when they happened.

    `elsewhere` are the venues whose candles tell it for an account that lies at none.
    """

    def __init__(self, store: Store, past: PastPrices, elsewhere: Sequence[str] = ()) -> None:
        self._store = store
        self._past = past
        self._elsewhere = elsewhere
        self._newest = NewestBook()

    async def valued(
        self, venue: str | None, account: Account, flows: Iterable[Flow]
    ) -> tuple[Flow, ...]:
        """Return an account's flows with their values; one whose worth is not found keeps None.

        They are valued as what its user says that they are of.
        """
        found = tuple(flows)
        if all(flow.value is not None for flow in found):
            return found
        async with self._store.reading() as tx:
            choices = await tx.choices.of(account.user_id)
        return tuple([await self._valued(venue, account.id, flow, choices) for flow in found])

    async def _valued(
        self, venue: str | None, account_id: int, flow: Flow, choices: Choices
    ) -> Flow:
        if flow.value is not None:
            return flow
        price = await self._price(venue, account_id, flow, choices)
        if price is None:
            metrics.unvalued_flows.inc()
            return flow
        worth = Value(
            money.multiply(flow.amount, price.btc), money.multiply(flow.amount, price.usd)
        )
        return replace(flow, value=worth)

    async def _price(
        self, venue: str | None, account_id: int, flow: Flow, choices: Choices
    ) -> Price | None:
        book = await self._book(flow.at)
        if book is not None:
            flow = replace(flow, asset=book.named(venue, flow.asset))
        asset = choices.asset_of(account_id, flow)
        own = None if book is None else choices.book(book)
        near = None if own is None else own.prices.get(asset)
        if near is not None or asset in choices.distrusted:
            return near
        price = await self._by_candles(venue, flow)
        held = None if own is None else own.held_back.get(asset)
        if held is None:
            return price
        # The candle may be of the broken ticker itself: what came after tells which one was right.
        present = await self._present(venue, account_id, flow, choices)
        return None if present is None else _right(price, held, present)

    async def _present(
        self, venue: str | None, account_id: int, flow: Flow, choices: Choices
    ) -> Price | None:
        async with self._store.reading() as tx:
            newest = await self._newest.read(tx)
        if newest is None:
            return None
        named = replace(flow, asset=newest.named(venue, flow.asset))
        return choices.book(newest).prices.get(choices.asset_of(account_id, named))

    async def _by_candles(self, venue: str | None, flow: Flow) -> Price | None:
        # By the venue's own word: whatever else it may mean, the venue's candles are of that.
        for each in (venue,) if venue is not None else await self._others(flow.asset):
            price = await self._past.price_at(each, symbol_at(flow.asset, each), flow.at)
            if price is not None:
                return price
        return None

    async def _others(self, asset: str) -> list[str]:
        """Return the venues whose candles tell of an asset: not of another one of its symbol."""
        async with self._store.reading() as tx:
            newest = await self._newest.read(tx)
        return [
            venue
            for venue in self._elsewhere
            if newest is None or newest.named(venue, asset) == asset
        ]

    async def _book(self, at: Millis) -> PriceBook | None:
        async with self._store.reading() as tx:
            return await tx.prices.book_near(at, NEAR)


def _right(candle: Price | None, held: HeldBack, present: Price) -> Price | None:
    """Return the candle's price if it goes with the one of two from which the present one goes on.

    Else that one itself, and None where the present price goes on from neither.
    """
    right, wrong = sorted((held.believed, held.price), key=partial(distance, present))
    if leaps(right, present, SPIKE):
        return None
    is_right = candle is not None and distance(candle, right) < distance(candle, wrong)
    return candle if is_right else right


async def keep_values(
    tx: Transaction, account: Account, tried: Iterable[Flow], now: Millis
) -> bool:
    """Keep what known flows were found to be worth; the others are looked at again later.

    Return whether there were any that had no worth before.
    """
    own = account.user_id, account.id
    has_found = False
    for flow in tried:
        if flow.value is not None:
            await tx.history.value_flow(*own, flow)
            has_found = True
            continue
        tries = await tx.history.value_tries(*own, flow)
        wait = VALUE_LATER.after(tries + 1)
        await tx.history.value_later(*own, flow, Millis(now + wait))
    return has_found


def flows_since(account: Account, now: Millis) -> Millis:
    """Return the moment from which a reading asks for deposits and withdrawals.

    An account that was read without its flows, such as by a key that may not see them, lacks all
    that came since it was connected, for however long that lasts. What came before is in its
    opening deposit, and need not be waited for. A clock that was ahead puts none of it off.
    """
    sync, recently = account.sync, Millis(now - FLOWS_OVERLAP)
    if sync.flows_until is not None:
        return min(Millis(sync.flows_until - FLOWS_OVERLAP), recently)
    return recently if sync.read_at is None else min(account.created_at, recently)


def flows_read_until(sync: SyncState, request: ReadRequest, reading: Reading) -> Millis | None:
    """Return the moment up to which flows have been read once a reading is accepted.

    One that came only a part of the way counts unless the next one began even earlier for it.
    """
    if reading.flows_known or reading.flows_until == reading.at:
        return reading.at
    until, since = reading.flows_until, request.flows_since
    if until is None or since is None or until - FLOWS_OVERLAP < since:
        return sync.flows_until
    return until


def told_until(sync: SyncState) -> Millis | None:
    """Return when the last reading was that told all flows in its balances, None where none did."""
    return sync.read_at if sync.flows_known else sync.flows_until


def landed(reading: Reading, previous: Millis | None) -> tuple[Flow, ...]:
    """Return the flows that a reading's balances already show, placed after those that lack them.

    A venue dates a deposit when it was first seen, and credits it later. One that is told for the
    first time now was not in the balances of `previous`, the last reading that told its flows,
    whatever its date: dated before, it would count as profit. Readings since then may show it, so
    that among them its date is the best that is known. A withdrawal leaves the balance when it is
    asked for, so its date stands. What happened after the balances were asked for waits for the
    next reading, as they do not show it yet. What is not asked for in each reading may have been in
    the balances since it was asked for before.
    """
    before = reading.flows_asked_before
    return tuple(
        _placed(flow, before.get((flow.direction, flow.external_id), previous), reading.at)
        for flow in reading.flows
        if flow.at <= reading.at
    )


def _placed(flow: Flow, lacking: Millis | None, read_at: Millis) -> Flow:
    """Return a flow as it counts; `lacking` is the last moment whose balances are without it."""
    if lacking is None or flow.direction == "out":
        return flow
    return replace(flow, at=max(flow.at, Millis(min(lacking + 1, read_at))))
