"""Orders on paper: market orders, filled at once at the price of the newest price book."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from coffers import money
from coffers.clock import Clock, iso
from coffers.errors import CoffersError, InvalidRecord
from coffers.money import plain
from coffers.portfolio.cursors import cursor_at, id_of
from coffers.portfolio.idempotency import KeyReused, checked_key
from coffers.portfolio.kept import amount_in, known_assets
from coffers.portfolio.paper import PaperAccounts, changed_by, note
from coffers.portfolio.paper_fills import PLACES, Fill, fill
from coffers.store.engine import Store, Transaction
from coffers.store.events import NewEvent
from coffers.store.paper import Named, PaperOrder, PaperTerms, Side
from coffers.sync.events import about
from coffers.sync.kept import Kept, put_amounts
from coffers.sync.snapshots import FRESH
from coffers.valuation.model import Price, Value
from coffers.valuation.trade import Trade

MOST_AT_ONCE = 500

_SIDES: Final[dict[str, Side]] = {"buy": "buy", "sell": "sell"}


class NoPrice(CoffersError):
    """There is no price now that an order could be filled at."""


@dataclass(frozen=True, slots=True)
class OrderWanted:
    """An order as it was asked for: `amount` of the base, or `quote_amount`, one of them.

    `key` is what the client calls it: the same order under the same key is filled once.
    """

    side: str
    base: str
    quote: str
    amount: str | None = None
    quote_amount: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Some orders from the newest on, and where the next page begins."""

    orders: tuple[PaperOrder, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class _Deal:
    """The two assets of an order, and what they are worth."""

    base: str
    quote: str
    base_price: Price
    quote_price: Price
    epoch: int


class PaperOrders:
    """Fills orders, and shows those that were filled.

    `added` are the ids of the operator's own chains.
    """

    def __init__(self, store: Store, clock: Clock, added: Collection[str] = ()) -> None:
        self._store = store
        self._accounts = PaperAccounts(store, clock, added)

    async def place(self, user_id: int, account_id: int, wanted: OrderWanted) -> PaperOrder:
        """Fill an order and return it; the one of the same key, where that was filled before.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted.
            NoPrice: saying why there is no price that it could be filled at.
            NotEnough: when the account has less than the order costs.
            KeyReused: when the key is another order's.
            NotFound: when this user has no paper account of this id.
        """
        side = _side(wanted)
        named = None if wanted.key is None else Named(checked_key(wanted.key), _asked(wanted))
        terms = (await self._accounts.get(user_id, account_id)).terms
        async with self._store.transaction() as tx:
            kept = await self._accounts.taken(tx, user_id, account_id)
            before = None if named is None else await _before(tx, kept, named)
            if before is not None:
                return before
            deal = await _deal(tx, kept, wanted, self._accounts.added)
            return await _place(tx, kept, terms, deal, (side, wanted, named))

    async def page(
        self, user_id: int, account_id: int, *, limit: int = 100, cursor: str | None = None
    ) -> OrderPage:
        """Return a page of an account's orders.

        Raises:
            InvalidRecord: for a cursor that no page told.
            NotFound: when this user has no paper account of this id.
        """
        before = None if cursor is None else id_of(cursor)
        await self._accounts.get(user_id, account_id)
        async with self._store.reading() as tx:
            found = await tx.paper.orders(user_id, account_id, limit + 1, before)
        shown = tuple(found[:limit])
        return OrderPage(shown, cursor_at((shown[-1].id,)) if len(found) > limit else None)


async def _before(tx: Transaction, kept: Kept, named: Named) -> PaperOrder | None:
    """Return the order that was filled under a name already."""
    account = kept.account
    found = await tx.paper.named(account.user_id, account.id, named.key)
    if found is None:
        return None
    order, asked = found
    if asked != named.asked:
        raise KeyReused(named.key)
    return order


async def _place(
    tx: Transaction,
    kept: Kept,
    terms: PaperTerms,
    deal: _Deal,
    asked: tuple[Side, OrderWanted, Named | None],
) -> PaperOrder:
    side, wanted, named = asked
    filled = _fill(side, wanted, deal, terms)
    order = _order(side, deal, filled, kept)
    change = {order.spent_asset: filled.spent.copy_negate(), order.received_asset: filled.received}
    after = changed_by(kept.amounts, change)
    account = kept.account
    order = replace(order, id=await tx.paper.add_order(account.user_id, account.id, order, named))
    await tx.trades.add(account.user_id, account.id, [_trade(order, deal)])
    await put_amounts(tx, kept, after)
    told = f"{side} {order.base} for {order.quote} at {plain(order.price)}"
    await note(tx, kept, "paper_order_filled", told)
    await tx.events.add(account.user_id, [_filled(kept, order)])
    return order


def _filled(kept: Kept, order: PaperOrder) -> NewEvent:
    return about(
        kept.account,
        "paper_order_filled",
        kept.at,
        order_id=order.id,
        side=order.side,
        base=order.base,
        quote=order.quote,
        spent=plain(order.spent),
        received=plain(order.received),
    )


def _trade(order: PaperOrder, deal: _Deal) -> Trade:
    """Return an order as the one trade that filled it."""
    gross = money.add(order.received, order.fee)
    is_buy = order.side == "buy"
    amount, cost = (gross, order.spent) if is_buy else (order.spent, gross)
    price = deal.quote_price
    return Trade(
        symbol=f"{order.base}/{order.quote}",
        trade_id=str(order.id),
        order_id=str(order.id),
        kind="spot",
        base=order.base,
        quote=order.quote,
        side=order.side,
        price=order.price,
        amount=amount,
        cost=cost,
        cost_asset=order.quote,
        fee=order.fee,
        fee_asset=order.received_asset,
        at=order.at,
        value=Value(money.multiply(cost, price.btc), money.multiply(cost, price.usd)),
    )


async def _deal(tx: Transaction, kept: Kept, wanted: OrderWanted, added: Collection[str]) -> _Deal:
    found: dict[str, str] = {}
    for name, code in (("base", wanted.base), ("quote", wanted.quote)):
        user_id = kept.account.user_id
        found[name] = (await known_assets(tx, user_id, kept.book, {code}, name, added))[code]
    base, quote = found["base"], found["quote"]
    if base == quote:
        raise InvalidRecord({"quote": ["is the base too"]})
    epoch = 0 if kept.book is None else kept.book.epoch
    return _Deal(base, quote, _price(base, kept), _price(quote, kept), epoch)


def _price(asset: str, kept: Kept) -> Price:
    """Return the price of this moment.

    Raises:
        NoPrice: saying why there is none.
    """
    book = kept.book
    if book is None:
        raise NoPrice("there are no prices yet; a worker finds them")
    if not kept.is_fresh:
        minutes = FRESH // 60_000
        raise NoPrice(
            f"the newest prices are of {iso(book.at)}, older than {minutes} minutes or ahead of "
            "the clock; a worker finds new ones"
        )
    if held := book.held_back.get(asset):
        leap = f"{plain(held.believed.usd)} to {plain(held.price.usd)} USD"
        raise NoPrice(
            f"the price of {asset} is held back until {iso(held.until)}: it leapt from {leap}, and "
            "one source alone says so"
        )
    price = book.prices.get(asset)
    if price is None or not price.usd:
        raise NoPrice(f"{asset} has no price now")
    return price


def _fill(side: Side, wanted: OrderWanted, deal: _Deal, terms: PaperTerms) -> Fill:
    given = {
        name: amount_in(name, text, PLACES)
        for name, text in (("amount", wanted.amount), ("quote_amount", wanted.quote_amount))
        if text is not None
    }
    if len(given) != 1:
        told = "is missing" if not given else "cannot be given beside quote_amount"
        raise InvalidRecord({"amount": [told]})
    filled = fill(side, deal.base_price.usd, deal.quote_price.usd, terms.fee, **given)
    if filled.received <= 0:
        raise InvalidRecord({next(iter(given)): ["is too small: nothing would come in"]})
    return filled


def _order(side: Side, deal: _Deal, filled: Fill, kept: Kept) -> PaperOrder:
    return PaperOrder(
        side=side,
        base=deal.base,
        quote=deal.quote,
        spent=filled.spent,
        received=filled.received,
        fee=filled.fee,
        price=money.divide(deal.base_price.usd, deal.quote_price.usd),
        route=tuple(dict.fromkeys((*deal.base_price.route, *deal.quote_price.route))),
        epoch=deal.epoch,
        at=kept.at,
    )


def _side(wanted: OrderWanted) -> Side:
    side = _SIDES.get(wanted.side)
    if side is None:
        raise InvalidRecord({"side": ["does not have a valid value"]})
    return side


def _asked(wanted: OrderWanted) -> str:
    """Return what tells an order from others under the same key."""
    text = msgspec.json.encode(
        (wanted.side, wanted.base, wanted.quote, wanted.amount, wanted.quote_amount)
    )
    return hashlib.sha256(text).hexdigest()


def plain_order(order: PaperOrder) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    return {
        "id": order.id,
        "side": order.side,
        "base": order.base,
        "quote": order.quote,
        "spent": plain(order.spent),
        "spent_asset": order.spent_asset,
        "received": plain(order.received),
        "received_asset": order.received_asset,
        "fee": plain(order.fee),
        "price": plain(order.price),
        "route": list(order.route),
        "epoch": order.epoch,
        "at": iso(order.at),
    }
