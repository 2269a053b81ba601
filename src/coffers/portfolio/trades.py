"""An account's own trades, page by page, and how much was traded in a span."""

from dataclasses import dataclass

from coffers.clock import HOUR, Clock, Millis, iso
from coffers.markets.catalogue import MANUAL, PAPER
from coffers.money import plain
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.cursors import cursor_at, place_of
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.store.trades import TradeFilter, TradeKey, TradeWalk
from coffers.valuation.model import Value
from coffers.valuation.trade import Trade

MOST_AT_ONCE = 500
LATE = Millis(3 * HOUR)
"""How old the last look may be: one an hour, and time for it to come through all pairs."""


@dataclass(frozen=True, slots=True)
class KnownTrades:
    """How far an account's trades are known; the moments are None where none are.

    `why` names what is missing, by a word: nothing where all is known.
    """

    since: Millis | None
    until: Millis | None
    is_complete: bool
    has_gaps: bool
    steps: int
    last_error: str | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TradePage:
    """Some trades from the newest on, where the next page begins, and how far they are known."""

    trades: tuple[Trade, ...]
    next_cursor: str | None
    known: KnownTrades


@dataclass(frozen=True, slots=True)
class Volume:
    """What was traded in a span, None where that is not known; `why` names what is missing."""

    value: Value | None
    known: KnownTrades
    why: tuple[str, ...]


class AccountTrades:
    """Shows the trades of accounts; another user's account is not found."""

    def __init__(self, store: Store, keeping: AccountKeeping, clock: Clock) -> None:
        self._store = store
        self._keeping = keeping
        self._clock = clock

    async def page(
        self,
        user_id: int,
        account_id: int,
        wanted: TradeFilter,
        *,
        limit: int = 100,
        cursor: str | None = None,
    ) -> TradePage:
        """Return a page of an account's trades.

        Raises:
            NotFound: when this user has no account of this id.
            InvalidRecord: for a cursor that no page told.
        """
        after = None if cursor is None else _place(cursor)
        account = await self._keeping.get(user_id, account_id)
        async with self._store.reading() as tx:
            found = await tx.trades.page(user_id, account_id, wanted, limit + 1, after)
            walk = await tx.trades.walk(user_id, account_id)
        shown = tuple(found[:limit])
        more = _cursor(shown[-1]) if len(found) > limit else None
        return TradePage(shown, more, self._known(account, walk))

    async def volume(
        self, user_id: int, account_id: int, since: Millis | None, until: Millis | None
    ) -> Volume:
        """Return what was traded from `since` to before `until`; None is all of the past, or now.

        It is unknown where the worth of a trade is, and where nothing was found but may be missing.

        Raises:
            NotFound: when this user has no account of this id.
        """
        account = await self._keeping.get(user_id, account_id)
        last = None if until is None else Millis(until - 1)
        async with self._store.reading() as tx:
            traded = await tx.trades.traded(user_id, account_id, TradeFilter(None, since, last))
            walk = await tx.trades.walk(user_id, account_id)
        known = self._known(account, walk)
        why = _missing(known, since, until, self._clock.now())
        if traded.unvalued:
            return Volume(None, known, (*why, "worth_unknown"))
        is_unknown = "not_asked" in why or (why and not traded.count)
        return Volume(None if is_unknown else traded.value, known, why)

    def _known(self, account: Account, walk: TradeWalk | None) -> KnownTrades:
        if account.market_code in {MANUAL, PAPER}:
            now = self._clock.now()
            return KnownTrades(
                Millis(0), now, is_complete=True, has_gaps=False, steps=0, last_error=None, why=()
            )
        if walk is None or account.address is not None:
            return KnownTrades(
                None,
                None,
                is_complete=False,
                has_gaps=False,
                steps=0,
                last_error=None,
                why=("not_told",),
            )
        why = [
            word
            for word, holds in (
                ("not_told", walk.is_untold),
                ("pairs_unseen", walk.has_gaps and not walk.is_untold),
                ("older_unknown", not walk.is_complete and not walk.is_untold),
                ("refused", walk.failure_message is not None),
            )
            if holds
        ]
        return KnownTrades(
            walk.known_since,
            walk.known_until,
            walk.is_complete,
            walk.has_gaps,
            walk.steps,
            walk.failure_message,
            tuple(why),
        )


def _missing(
    known: KnownTrades, since: Millis | None, until: Millis | None, now: Millis
) -> tuple[str, ...]:
    """Return what is missing of a span: older ones are of none that begins in what is known."""
    if known.since is None or known.until is None:
        return tuple(dict.fromkeys((*known.why, "not_asked")))
    if until is not None and until <= known.since:
        return tuple(dict.fromkeys((*known.why, "not_asked")))
    if since is not None and since >= known.until:
        return tuple(dict.fromkeys((*known.why, "not_asked")))
    is_in = since is not None and since >= known.since
    why = tuple(word for word in known.why if not (is_in and word == "older_unknown"))
    # A span that is over must be known to its end, another one as far as looks usually come.
    needed = Millis(now - LATE) if until is None or until > now else until
    return why if known.until >= needed else (*why, "newer_unknown")


def as_plain(page: TradePage) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    known = page.known
    return {
        "trades": [_plain_trade(trade) for trade in page.trades],
        "next_cursor": page.next_cursor,
        "history": {
            "known_since": None if known.since is None else iso(known.since),
            "known_until": None if known.until is None else iso(known.until),
            "is_complete": known.is_complete,
            "has_gaps": known.has_gaps,
            "missing": list(known.why),
            "steps": known.steps,
            "last_error": known.last_error,
        },
    }


def _plain_trade(trade: Trade) -> dict[str, object]:
    value = trade.value
    return {
        "id": trade.trade_id,
        "order_id": trade.order_id,
        "symbol": trade.symbol,
        "kind": trade.kind,
        "base": trade.base,
        "quote": trade.quote,
        "side": trade.side,
        "price": plain(trade.price),
        "amount": plain(trade.amount),
        "cost": plain(trade.cost),
        "cost_asset": trade.cost_asset,
        "fee": None if trade.fee is None else plain(trade.fee),
        "fee_asset": trade.fee_asset,
        "at": iso(trade.at),
        "btc_value": None if value is None else plain(value.btc),
        "usd_value": None if value is None else plain(value.usd),
    }


def _cursor(trade: Trade) -> str:
    return cursor_at((trade.at, trade.symbol, trade.trade_id))


def _place(cursor: str) -> TradeKey:
    at, symbol, trade_id = place_of(cursor, tuple[int, str, str])
    return Millis(at), symbol, trade_id
