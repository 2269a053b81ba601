"""Market orders, conversions and transfers at venues, through ccxt.

A client's own order id goes with each order, so that what a broken connection left open can be
found out. Sources: ccxt's manual ("Placing Orders", "Transfers"), Binance's REST documents for the
conversion of small amounts.
"""

from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Concatenate, ParamSpec, TypeVar

from coffers import money
from coffers.clock import Millis
from coffers.connectors.exchange.balances import plans_of, read_holdings
from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.moves import movable, move_step, moved
from coffers.connectors.exchange.order_answers import (
    average_price,
    limits_of,
    placed_of,
    positive,
    step_of,
)
from coffers.connectors.exchange.order_looks import RawOrder, at_its_end, found, id_at
from coffers.connectors.exchange.rules import order_rule
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.venues import Venues
from coffers.connectors.reading import ConnectorFailure, Credentials, FailureKind
from coffers.connectors.trading import Converted, Move, NotDone, Placed
from coffers.markets.assets import at_venue, symbol_at
from coffers.markets.catalogue import Market
from coffers.valuation.orders import PlannedOrder, Side
from coffers.valuation.selling import Quoted, stepped

_P = ParamSpec("_P")
_T = TypeVar("_T")

_NOTHING_PLACED = {
    FailureKind.KEY_REFUSED,
    FailureKind.PERMISSION_DENIED,
    FailureKind.ADDRESS_REFUSED,
    FailureKind.REGION_REFUSED,
    FailureKind.CLOCK_DRIFT,
    FailureKind.RATE_LIMITED,
    FailureKind.UNSUPPORTED,
}


class ExchangeTrading:
    """Opens desks at venues that ccxt knows."""

    def __init__(self, venues: Venues) -> None:
        self._venues = venues

    @asynccontextmanager
    async def desk(
        self, market: Market, credentials: Credentials, apart: Collection[str] = ()
    ) -> AsyncIterator["VenueDesk"]:
        """Open a desk; what is raised between its calls passes as it is.

        `apart` are the symbols by which the venue means other assets than others do.

        Raises:
            ConnectorFailure: when the venue cannot be asked at all.
        """
        if market.venue is None:
            message = f"The exchange library has no access to {market.name}."
            raise ConnectorFailure(FailureKind.UNSUPPORTED, message, code="no_venue")
        fault: Exception | None = None
        async with self._venues.session(market.venue, credentials) as session:
            try:
                yield VenueDesk(session, market, apart)
            except Exception as error:  # noqa: BLE001  # raised again below, past the session
                fault = error
        if fault is not None:
            raise fault


def _told(
    call: Callable[Concatenate["VenueDesk", _P], Coroutine[Any, Any, _T]],
) -> Callable[Concatenate["VenueDesk", _P], Coroutine[Any, Any, _T]]:
    """Return a desk's call whose faults over what ccxt returned are `ConnectorFailure` too."""

    async def told(desk: "VenueDesk", /, *args: _P.args, **named: _P.kwargs) -> _T:
        try:
            return await call(desk, *args, **named)
        except NotDone:
            raise
        except Exception as error:  # noqa: BLE001  # the connector's edge: all becomes one type
            raise desk.session.failure(error) from None

    return told


class VenueDesk:
    """A talk with one venue about one account; see `TradingDesk`."""

    def __init__(self, session: VenueSession, market: Market, apart: Collection[str] = ()) -> None:
        self.session = session
        self._market = market
        self._apart = apart
        self._rule = order_rule(session.venue.family)
        exchange = session.exchange
        exchange.options = exchange.deep_extend(exchange.options, self._rule.options)
        self._markets: dict[tuple[str, str], dict[str, Any]] = {
            (str(market["baseId"]), str(market["quoteId"])): market
            for market in exchange.markets.values()
            if market.get("spot") and market.get("active") is not False
        }

    def code_of(self, asset: str) -> str:
        """Return the venue's code of an asset."""
        return self.session.venue_code(symbol_at(asset, self.session.venue.id))

    def asset_of(self, code: str) -> str:
        """Return our name of what the venue calls `code`."""
        symbol = self.session.asset(self.session.code(code))
        return at_venue(symbol, self.session.venue.id) if symbol in self._apart else symbol

    @_told
    async def free(self) -> Mapping[str, Decimal]:
        """Return what is free in the spot wallet, read and doubted as any reading is."""
        plans, _ = plans_of(self.session.venue.family, self._market)
        found = await read_holdings(self.session, self._market, plans[:1])
        free: dict[str, Decimal] = {}
        for each in found.positions:
            if each.free > 0:
                free[each.venue_code] = money.add(free.get(each.venue_code, money.ZERO), each.free)
        return free

    @_told
    async def quoted(self) -> Sequence[Quoted]:
        """Return the active pairs."""
        tickers = await self.session.ask("fetch_tickers")
        found = []
        for market in self._markets.values():
            ticker = tickers.get(market["symbol"]) or {}
            bid, ask = (positive(ticker.get(side)) for side in ("bid", "ask"))
            if bid is None and ask is None:
                # Some lists, such as Coinbase's, have the last price alone.
                bid = ask = positive(ticker.get("last"))
            found.append(Quoted(limits_of(self.session, market), bid, ask))
        return found

    @_told
    async def worth(self, order: PlannedOrder) -> Decimal | None:
        """Return the average price in the order book down to the order's amount."""
        book = await self.session.ask("fetch_order_book", self._symbol(order), self._rule.depth)
        levels = book["asks" if order.side == "buy" else "bids"]
        return average_price(levels, order.amount)

    def untaken(self, side: Side) -> str | None:
        """Return why the venue is given no market orders of a side, by what is known of it."""
        name = self.session.venue.name
        if self._rule.takes_none is not None:
            return f"{name} is given no market orders: {self._rule.takes_none}"
        if side == "buy" and self._rule.buys is None:
            return (
                f"{name} is given no market purchases: it is not known whether it takes amounts to "
                "buy or to pay"
            )
        return None

    @_told
    async def place(self, order: PlannedOrder, client_id: str) -> Placed:
        """Place a market order."""
        symbol, session = self._symbol(order), self.session
        why = self.untaken(order.side)
        if why is not None:
            return Placed("refused", why=why)
        asked = await self._asked(symbol, order, client_id)
        if asked is None:
            return Placed("refused", why="nobody sells as much at the moment")
        try:
            # Not `ask`: where the venue finds the time off, it has placed nothing, and a second
            # try has to be a decision of its own.
            answer = await session.ask_once("create_order", *asked)
        except ConnectorFailure as failure:
            if failure.kind in _NOTHING_PLACED:
                raise NotDone(str(failure)) from None
            if session.is_unsent or _was_refused(session):
                return Placed("refused", why=str(failure))
            raise
        if answer.get("id") is None:
            raise unexpected(session.venue, "it tells no id of the order", "no_order_id")
        return await self._ended(symbol, answer, order)

    async def _asked(
        self, symbol: str, order: PlannedOrder, client_id: str
    ) -> tuple[object, ...] | None:
        """Return what ccxt's `create_order` is called with, None where nobody sells as much.

        Raises:
            NotDone: when the price cannot be asked, without which nothing is placed.
        """
        rule = self._rule
        asked = (symbol, "market", order.side, f"{order.amount:f}")
        params: dict[str, object] = {rule.id_param: id_at(rule, client_id)}
        if order.side == "sell":
            return (*asked, None, params)
        params |= rule.params
        if rule.buys == "base":
            return (*asked, None, params)
        price = await self._price_now(order)
        if price is None:
            return None
        if rule.buys == "price":
            return (*asked, f"{price:f}", params)
        params[rule.cost] = self._cost(symbol, money.multiply(order.amount, price))
        return (*asked, None, params)

    async def _price_now(self, order: PlannedOrder) -> Decimal | None:
        try:
            return await self.worth(order)
        except ConnectorFailure as failure:
            raise NotDone(str(failure)) from None

    def _cost(self, symbol: str, cost: Decimal) -> str:
        """Return what is to be paid, with no more digits than prices have in a pair."""
        exchange = self.session.exchange
        precision = (exchange.markets[symbol].get("precision") or {}).get("price")
        return f"{stepped(cost, step_of(precision, exchange.precisionMode)):f}"

    @_told
    async def find(
        self, order: PlannedOrder, client_id: str, sent_at: Millis | None
    ) -> Placed | None:
        """Look an order up by the client's id: by itself, or else among the newest ones."""
        symbol = self._symbol(order)
        answer, is_certain = await found(self.session, self._rule, symbol, client_id, sent_at)
        if answer is not None:
            return await self._ended(symbol, answer, order)
        if is_certain:
            return None
        return Placed("unknown", why="the exchange does not tell whether the order was placed")

    async def _ended(self, symbol: str, answer: RawOrder, order: PlannedOrder) -> Placed:
        answer = await at_its_end(self.session, symbol, answer)
        is_by_cost = order.side == "buy" and self._rule.buys != "base"
        return placed_of(self.session, answer, order, is_by_cost=is_by_cost)

    @_told
    async def convert(self, codes: Sequence[str] | None) -> Converted:
        """Turn small amounts into BNB, at Binance."""
        session = self.session
        if "binance" not in session.venue.family or not hasattr(
            session.exchange, "sapi_post_asset_dust"
        ):
            raise NotDone(f"{session.venue.name} turns no small amounts into BNB")
        if codes is None:
            listed = await self._obeyed("sapi_post_asset_dust_btc", is_question=True)
            codes = [str(row["asset"]) for row in listed["details"]]
        if not codes:
            return Converted(money.ZERO, money.ZERO, ())
        answer = await self._obeyed("sapi_post_asset_dust", {"asset": list(codes)})
        return Converted(
            money.parse(str(answer["totalTransfered"])),
            money.parse(str(answer["totalServiceCharge"])),
            tuple(dict(row) for row in answer["transferResult"]),
        )

    def movable(self, move: Move) -> Move:
        """Return a move with its amount cut down to the currency's precision."""
        return movable(self.session, move)

    @_told
    async def move(self, move: Move) -> str | None:
        """Move money between wallets; they are called as ccxt does ("spot", "linear")."""
        session, move = self.session, self.movable(move)
        if not session.can("transfer"):
            raise NotDone(f"{session.venue.name} moves nothing between wallets by this library")
        if move.amount <= 0:
            step = move_step(session, move.code)
            raise NotDone(
                f"{session.venue.name} moves no such small amount of {move.code} by this library, "
                f"which cuts it to whole steps of {step}"
            )
        asked = (session.code(move.code), f"{move.amount:f}", move.source, move.target)
        answer = await self._obeyed("transfer", *asked)
        return None if answer.get("id") is None else str(answer["id"])

    @_told
    async def find_move(self, move: Move, since: Millis, others: Collection[str]) -> Placed | None:
        """Look a move up in the venue's list of them, where it has one."""
        if not self.session.can("fetchTransfers"):
            return Placed("unknown", why="the exchange does not tell which transfers were done")
        return await moved(self.session, move, since, others)

    async def _obeyed(self, method: str, *args: object, is_question: bool = False) -> Any:  # noqa: ANN401  # ccxt has no types
        """Return the answer to a call; what failed for certain is `NotDone`, as a question is."""
        try:
            return await self.session.ask_once(method, *args)
        except ConnectorFailure as failure:
            status = self.session.heard.status
            is_refusal = status is not None and 400 <= status < 500 and status != 408  # noqa: PLR2004  # HTTP
            is_certain = is_question or failure.kind in _NOTHING_PLACED or is_refusal
            if is_certain or self.session.is_unsent or _was_refused(self.session):
                raise NotDone(str(failure)) from None
            raise

    def _symbol(self, order: PlannedOrder) -> str:
        market = self._markets.get((order.base, order.quote))
        if market is None:
            name = f"{order.base}/{order.quote}"
            raise unexpected(self.session.venue, f"it does not trade {name}", "no_pair")
        return str(market["symbol"])


_REFUSED = {"InsufficientFunds", "InvalidOrder", "BadRequest", "OperationRejected"}
"""What ccxt raises over answers that refuse an order, and those that derive from it."""


def _was_refused(session: VenueSession) -> bool:
    """Return whether the venue's answer means that nothing was placed.

    A server's own error, or an answer that cannot be read, may come after the order.
    """
    return bool(session.raised & _REFUSED) and "DuplicateOrderId" not in session.raised
