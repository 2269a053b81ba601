"""Assets that are held and have no price: that one comes or goes is no profit.

A snapshot without such an asset would show its worth as a loss, and later as a gain. So none is
taken for as long as a price may be back soon: the series of values is straight over the gap. Later
the asset is left out of the snapshots, as an account may hold it for ever. It leaves with the worth
that it was last counted with, and comes back with what it is worth then.

Between the two it is no part of what the figures count, so what is deposited or withdrawn of it is
set apart. What is sold of it first comes back with the worth that it left with, what was deposited
meanwhile with the worth of the deposit; what came first goes first.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from decimal import Decimal

from coffers import money
from coffers.clock import HOUR, MINUTE, Millis
from coffers.store.engine import Transaction
from coffers.store.flows import APART
from coffers.store.records import Account
from coffers.store.unpriced import Unpriced
from coffers.sync.flows import FLOWS_OVERLAP
from coffers.sync.policy import LONGEST_READING
from coffers.sync.unlisted import flow_of
from coffers.valuation.choices import Choices
from coffers.valuation.model import VOUCHED, Flow, Position, Price, PriceBook, Value, worths_of
from coffers.valuation.spans import span_of
from coffers.valuation.value import Holdings, holdings_of

LONGEST_WAIT = HOUR
"""An asset that has had no price for so long is left out of the snapshots.

Longer, and all of an account would be without snapshots for the sake of a little of it. What its
price does while it is left out is lost, and no more.
"""

NEAR = Millis(20 * MINUTE)
"""How much older than a snapshot the prices may be that it was reckoned with: ten minutes, or those
are not kept any more and the ones of the quarter-hour before are."""

BOOKS_APART = MINUTE
"""One in so long a time of these is looked into. Books are big: what has never had a price is in
none of them, and is looked for in all."""


class Lack:
    """The assets without a price of one account, as a moment finds them and as it leaves them."""

    def __init__(
        self, tx: Transaction, account: Account, at: Millis, before: Mapping[str, Unpriced]
    ) -> None:
        self._tx = tx
        self._account = account
        self._own = account.user_id, account.id
        self._at = at
        self._before = before
        self._now = dict(before)

    @classmethod
    async def of(cls, tx: Transaction, account: Account, at: Millis) -> "Lack":
        """Return what is known. Most accounts lack nothing, which costs no statement."""
        if not account.sync.lacks_prices:
            return cls(tx, account, at, {})
        return cls(tx, account, at, await tx.unpriced.of(account.user_id, account.id))

    def __bool__(self) -> bool:
        return bool(self._now)

    @property
    def is_changed(self) -> bool:
        """Whether it is another one than before."""
        return self._now != self._before

    def delays(self, held: Holdings, prices: Mapping[str, Price]) -> bool:
        """Return whether a price is waited for.

        Several that are away in turn, each for less than that, are waited for twice as long.
        """
        waiting = {asset: each for asset, each in self._now.items() if not each.is_left_out}
        began = min((each.since for each in waiting.values()), default=self._at)
        if self._at - began >= 2 * LONGEST_WAIT:
            return False
        unpriced = waiting.keys() & lacking(held, prices)
        return any(self._at - waiting[asset].since < LONGEST_WAIT for asset in unpriced)

    def is_settled(self, held: Holdings, prices: Mapping[str, Price]) -> bool:
        """Return whether exactly what is left out has no price, and nothing is waited for."""
        is_waiting = any(not each.is_left_out for each in self._now.values())
        return not is_waiting and lacking(held, prices) == self._now.keys() & held.keys()

    async def begin(
        self, held: Holdings, known: Sequence[Position], book: PriceBook, choices: Choices
    ) -> None:
        """Note what has no price for the first time, of an account that held `known` before."""
        lost = lacking(held, book.prices) - book.held_back.keys() - self._now.keys()
        if not lost:
            return
        last = await self._tx.history.snapshot_page(*self._own, 1, until=self._at)
        counted_at = last[0].at if last else self._at
        known_held = needing_prices(choices.counted(self._account.id, known))
        before = {asset: known_held[asset] for asset in lost & known_held.keys()}
        prices, is_told = await self._prices(before.keys(), counted_at, choices)
        for asset in lost:
            price = prices.get(asset)
            # Where nobody knows any more what it was counted with, nothing leaves, nor comes back.
            amount = money.ZERO if price is None else before[asset]
            self._now[asset] = Unpriced(
                self._at, counted_at, is_left_out=False, amount=amount, price=price
            )
        if is_told:
            # What the prices of then have not either, such as what its user ignored until now.
            await self._leave_uncounted(before.keys() - prices.keys(), held, choices)

    async def _leave_uncounted(
        self, assets: AbstractSet[str], held: Holdings, choices: Choices
    ) -> None:
        """Leave out what no snapshot seems to have counted: nothing is waited for.

        Only what was deposited since and has no worth comes in later, as that is counted nowhere.
        A price that was there a while ago may be in an older snapshot, even in the opening one.
        """
        opening = await self._tx.history.opening(*self._own) if assets else None
        if opening is None:
            return
        came = await self._tx.history.deposits_after(
            *self._own, opening.at, choices.names(self._account.id, assets)
        )
        for asset in assets:
            old = self._now[asset]
            mine = [
                flow
                for flow in came
                if (flow.value is None or flow.at > old.counted_at)
                and self._asset_of(flow, choices) == asset
            ]
            amount = _within(money.total(flow.amount for flow in mine), held[asset])
            since = min([old.counted_at, *(Millis(flow.at - 1) for flow in mine)])
            self._now[asset] = replace(old, is_left_out=True, amount=amount, counted_at=since)
            await self._tx.history.set_apart(*self._own, mine)

    async def set_apart(self, flows: Iterable[Flow], held: Holdings, choices: Choices) -> None:
        """Set new flows apart of what is left out: what came comes in when it has a price.

        What left goes without coming in before. Where more left than is gone from what is held, the
        rest came in at an earlier reading that found it gone, or was bought since and never left
        the snapshots: it goes with the worth per unit that the asset left with.
        """
        mine: list[Flow] = []
        made: list[Flow] = []
        for flow in sorted(flows, key=lambda each: each.direction):
            asset = self._asset_of(flow, choices)
            old = self._now.get(asset)
            if old is None or not old.is_left_out:
                continue
            if flow.direction == "in":
                left = money.add(old.amount, flow.amount)
            else:
                least = min(old.amount, held.get(asset, money.ZERO))
                left = max(money.subtract(old.amount, flow.amount), least)
                # One that the last snapshot shows already, or of which nobody knows at what it was
                # counted, is one like any other.
                if flow.at <= old.counted_at or (left == old.amount and old.price is None):
                    continue
                more = money.subtract(money.subtract(old.amount, left), flow.amount)
                made += [
                    replace(each, external_id=f"{flow.external_id}:{self._at}", at=flow.at)
                    for each in self._made(asset, more, old.price)
                ]
            self._now[asset] = replace(old, amount=left)
            mine.append(flow)
        await self._tx.history.set_apart(*self._own, mine)
        await self._tx.history.add_made(*self._own, made)

    async def put_in_sold(self, held: Holdings, book: PriceBook, choices: Choices) -> None:
        """Put in what is gone of what is left out and has no price, where no withdrawal was told.

        Where all of it is gone that is kept in mind for as long as a withdrawal may yet be told.
        """
        made: list[Flow] = []
        for asset, old in list(self._now.items()):
            if not old.is_left_out or asset in book.prices:
                continue
            left = _within(old.amount, held.get(asset, money.ZERO))
            made += await self._sold(asset, old, left, choices)
            since = old.since if left == old.amount else self._at
            self._now[asset] = replace(old, amount=left, since=since)
            is_over = old.price is None or self._at - since > FLOWS_OVERLAP
            if asset not in held and is_over:
                del self._now[asset]
        await self._tx.history.add_made(*self._own, made)

    async def settle(self, held: Holdings, book: PriceBook) -> None:
        """Put in what has a price again, as a snapshot is taken that counts it.

        Earlier it would come in twice: until a snapshot has counted it, its price may go again.
        """
        unpriced = lacking(held, book.prices)
        made: list[Flow] = []
        for asset, old in list(self._now.items()):
            price = book.prices.get(asset)
            if asset in unpriced or (old.is_left_out and price is None):
                continue
            del self._now[asset]
            if old.is_left_out and price is not None:
                made += self._made(asset, old.amount, Value(price.btc, price.usd))
        await self._tx.history.add_made(*self._own, made)

    async def open_without(self, held: Holdings, prices: Mapping[str, Price]) -> None:
        """Leave what has no price out of the opening snapshot."""
        for asset in lacking(held, prices):
            self._now[asset] = Unpriced(
                self._at, self._at, is_left_out=True, amount=held[asset], price=None
            )

    async def leave_out(self, held: Holdings, choices: Choices) -> None:
        """Leave what was waited for in vain out of the snapshots from now on.

        The deposits of it since it was last counted are set apart, whether their worth was found
        or not.
        """
        late = {asset: each for asset, each in self._now.items() if not each.is_left_out}
        if not late:
            return
        since = min(each.counted_at for each in late.values())
        came = await self._tx.history.deposits_after(
            *self._own, since, choices.names(self._account.id, late)
        )
        made: list[Flow] = []
        for asset, old in late.items():
            mine = [
                flow
                for flow in came
                if flow.at > old.counted_at and self._asset_of(flow, choices) == asset
            ]
            deposited = money.total(flow.amount for flow in mine)
            leaving = _within(old.amount, money.subtract(held[asset], deposited))
            made += self._made(asset, leaving.copy_negate(), old.price)
            left = _within(money.add(leaving, deposited), held[asset])
            self._now[asset] = replace(old, is_left_out=True, amount=left)
            await self._tx.history.set_apart(*self._own, mine)
        await self._tx.history.add_made(*self._own, made)

    async def keep(self) -> bool:
        """Store it where it is another one than before; return whether there is anything left."""
        if self.is_changed:
            await self._tx.unpriced.replace(*self._own, self._now)
        return bool(self._now)

    async def _prices(
        self, wanted: AbstractSet[str], counted_at: Millis, choices: Choices
    ) -> tuple[dict[str, Value], bool]:
        """Return what a snapshot may have counted assets with, and whether prices of then are kept.

        A reading takes the newest prices before its venue is asked, and more may come meanwhile:
        for as long as a reading may take.
        """
        found: dict[str, Value] = {}
        before, since, is_told = Millis(counted_at + 1), Millis(counted_at - NEAR), False
        begun = counted_at - LONGEST_READING
        while wanted - found.keys():
            book = await self._tx.prices.book_before(before, since)
            if book is None:
                break
            prices = choices.book(book).prices
            for asset in wanted - found.keys():
                price = prices.get(book.key_then(asset))
                if price is not None:
                    found[asset] = Value(price.btc, price.usd)
            is_told = True
            if book.at <= begun:
                break
            before = Millis(min(book.at, before - BOOKS_APART))
        return found, is_told

    async def _sold(
        self, asset: str, old: Unpriced, left: Decimal, choices: Choices
    ) -> Iterable[Flow]:
        """Return what comes in as something left out is sold, but for what is left of it."""
        if left == old.amount:
            return ()
        apart = await self._tx.history.deposits_after(
            *self._own, old.counted_at, choices.names(self._account.id, {asset}), role=APART
        )
        mine = [flow for flow in apart if self._asset_of(flow, choices) == asset]
        deposited = money.total(flow.amount for flow in mine)
        before, after = _within(deposited, old.amount), _within(deposited, left)
        first = money.subtract(money.subtract(old.amount, before), money.subtract(left, after))
        gone = money.subtract(deposited, before)
        latest = span_of(mine, gone, money.subtract(deposited, after))
        return [*self._made(asset, first, old.price), *map(self._come_in, latest)]

    def _come_in(self, flow: Flow) -> Flow:
        """Return a deposit that was set apart, or a part of it, as one that counts from now on.

        Where its worth is not known it is looked for, and the account is marked until it is found.
        """
        # Not from its own date on: until now nothing of it was in any snapshot.
        return replace(
            flow, external_id=f"{flow.external_id}:{self._at}", at=self._made_at, txid=None
        )

    def _asset_of(self, flow: Flow, choices: Choices) -> str:
        return choices.asset_of(self._account.id, flow)

    def _made(self, asset: str, amount: Decimal, price: Value | None) -> Iterable[Flow]:
        """Return what comes in, or goes where the amount is negative, if it has a worth."""
        if not amount or price is None:
            return
        yield flow_of(asset, amount, price, self._made_at, self._at)

    @property
    def _made_at(self) -> Millis:
        previous = self._account.sync.read_at
        return self._at if previous is None else Millis(min(previous + 1, self._at))


def needing_prices(held: Iterable[Position]) -> dict[str, Decimal]:
    """Return what is held of assets that are noted here, by asset.

    Of tokens on no list it is noted elsewhere, of those that a user vouches for too.
    """
    return holdings_of(each for each in held if each.wallet != VOUCHED)


def lacking(held: Holdings, prices: Mapping[str, Price]) -> set[str]:
    """Return the assets that have no price."""
    priced = worths_of(prices, held).both
    return {asset for asset in held if asset not in priced}


def _within(amount: Decimal, most: Decimal) -> Decimal:
    """Return an amount as far as another one of the same sign reaches."""
    if amount < 0:
        return min(money.ZERO, max(amount, most))
    return max(money.ZERO, min(amount, most))
