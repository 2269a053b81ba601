"""Binance's deposits and withdrawals of states' money, which its other histories do not hold.

One call takes 90 000 of the 180 000 units that an account may use in a minute, and the history of
withdrawals 18 000 more: so a reading makes one at most, each kind comes once an hour, and sooner
where what is held of such money changed. ccxt reckons the same weight by address and would hold up
every account at Binance for half a minute: the calls go out at the cost of an ordinary one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from coffers.clock import HOUR, MINUTE, Millis, is_ahead, is_recent
from coffers.connectors.exchange.failures import UNTOLD, unexpected
from coffers.connectors.exchange.flow_rows import Direction
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.logs import seldom

USUAL_PAUSE = HOUR
SHORTEST_PAUSE = Millis(10 * MINUTE)
"""The pause between two calls of a kind where what is held changed meanwhile."""

PAST_PAUSE = Millis(2 * MINUTE)
"""The pause before and after a call about the past: two calls would use up a key's minute."""

MOST_ROWS = 500
"""Rows of one answer, as Binance documents."""

REFUSED = UNTOLD - {FailureKind.UNEXPECTED_ANSWER}
"""What says that a history is not told to this key; one that came garbled is asked for again."""

MOST_KEYS = 10_000
"""How many keys' last calls are remembered."""

Held = Mapping[str, Decimal]

_DIRECTIONS: dict[Direction, tuple[int, str]] = {"in": (0, "deposit"), "out": (1, "withdrawal")}
_COST = {"cost": 1}

_log = seldom("coffers.connectors")


@dataclass(frozen=True, slots=True)
class Asked:
    """The last call of a kind: when it was made, what was held then, and when one last told all."""

    at: Millis
    held: Held
    told_at: Millis | None


@dataclass(frozen=True, slots=True)
class FiatRows:
    """What was told, in ccxt's transaction structure; `is_whole` says whether this is all.

    `told_before` is when all of its kind was told before, None where that is not known. `is_asked`
    says that a call told this, and `is_every_asked` that each kind was asked for by this process.
    """

    direction: Direction
    rows: tuple[Mapping[str, Any], ...]
    is_whole: bool
    told_before: Millis | None = None
    is_asked: bool = False
    is_every_asked: bool = True


class FiatOrders:
    """Asks when it is time to, and remembers for each key when that was."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, Direction], Asked] = {}
        self._past_asked: dict[str, Millis] = {}
        self._unclear: dict[tuple[str, Direction], Millis] = {}

    async def read(
        self, session: VenueSession, held: Held, since: Millis, until: Millis
    ) -> FiatRows:
        """Return what one call told, or nothing where none is due.

        Args:
            session: a talk with Binance.
            held: what the account holds of states' money.
            since: where the search starts.
            until: where it ends.
        """
        key = str(session.exchange.apiKey)
        self._forget_ahead(key, session.now())
        direction = self._oldest(key)
        rows: tuple[Mapping[str, Any], ...] = ()
        last = self._asked.get((key, direction))
        told_before = None if last is None else last.told_at
        is_asked = False
        if self._is_due(key, direction, held, session.now()):
            # Before the answer comes: what happens meanwhile may not be in it.
            at = session.now()
            told = await _rows(session, direction, since, until)
            rows, is_asked = told or (), told is not None
            is_told = told is not None and len(told) < MOST_ROWS
            self._remember(key, direction, Asked(at, held, at if is_told else told_before))
        return FiatRows(
            direction,
            rows,
            not held or self._is_told(key),
            told_before,
            is_asked,
            all((key, each) in self._asked for each in _DIRECTIONS),
        )

    def unclear_since(
        self, session: VenueSession, told: FiatRows, since: Millis | None
    ) -> Millis | None:
        """Return the time of the earliest order that the last calls told and nobody understood.

        `since` is that among those that were told now. A reading that asks for nothing, or for the
        other kind, does not make them clear.
        """
        key = str(session.exchange.apiKey)
        if told.is_asked:
            self._unclear.pop((key, told.direction), None)
            if since is not None:
                self._unclear[key, told.direction] = since
        kept = (self._unclear.get((key, direction)) for direction in _DIRECTIONS)
        return min((at for at in kept if at is not None), default=None)

    def is_free(self, session: VenueSession) -> bool:
        """Return whether a call about the past may be made now."""
        key = str(session.exchange.apiKey)
        self._forget_ahead(key, session.now())
        asked = (self._asked.get((key, direction)) for direction in _DIRECTIONS)
        calls = [call.at for call in asked if call is not None]
        last = max([*calls, self._past_asked.get(key, Millis(0))])
        return not is_recent(Millis(last), PAST_PAUSE, session.now())

    async def past(
        self, session: VenueSession, direction: Direction, since: Millis, until: Millis
    ) -> FiatRows:
        """Return what one call told of a span of the past; only where `is_free`.

        An answer of `MOST_ROWS` is whole only as far as its rows go.

        Raises:
            ConnectorFailure: when the venue could not be asked; orders that it does not tell to
                this key are not whole instead.
        """
        if len(self._past_asked) >= MOST_KEYS:
            self._past_asked.clear()
        self._past_asked[str(session.exchange.apiKey)] = session.now()
        try:
            rows = await _told(session, direction, since, until)
        except ConnectorFailure as failure:
            if failure.kind not in REFUSED:
                raise
            return FiatRows(direction, (), is_whole=False)
        return FiatRows(direction, rows, is_whole=True)

    def _forget_ahead(self, key: str, now: Millis) -> None:
        """Forget calls of a clock that was ahead: they would put others off for as long."""
        for direction in _DIRECTIONS:
            call = self._asked.get((key, direction))
            if call is not None and is_ahead(call.at, now):
                del self._asked[key, direction]

    def _oldest(self, key: str) -> Direction:
        into, out = (self._asked.get((key, direction)) for direction in _DIRECTIONS)
        return "out" if into is not None and (out is None or out.at < into.at) else "in"

    def _is_due(self, key: str, direction: Direction, held: Held, now: Millis) -> bool:
        if is_recent(self._past_asked.get(key, Millis(0)), PAST_PAUSE, now):
            return False
        last = self._asked.get((key, direction))
        if last is None:
            return True
        pause = USUAL_PAUSE if last.held == held else SHORTEST_PAUSE
        return not is_recent(last.at, pause, now)

    def _is_told(self, key: str) -> bool:
        calls = [self._asked.get((key, direction)) for direction in _DIRECTIONS]
        return all(call is not None and call.told_at == call.at for call in calls)

    def _remember(self, key: str, direction: Direction, asked: Asked) -> None:
        if len(self._asked) >= MOST_KEYS:
            self._asked.clear()
            self._unclear.clear()
        self._asked[key, direction] = asked


async def _rows(
    session: VenueSession, direction: Direction, since: Millis, until: Millis
) -> tuple[Mapping[str, Any], ...] | None:
    """Return what Binance told, None where it told nothing that can be used."""
    try:
        return await _told(session, direction, since, until)
    except ConnectorFailure as failure:
        _log.warning("fiat orders not told", venue=session.venue.id, reason=str(failure))
        return None


async def _told(
    session: VenueSession, direction: Direction, since: Millis, until: Millis
) -> tuple[Mapping[str, Any], ...]:
    number, kind = _DIRECTIONS[direction]
    params = {
        "transactionType": number,
        "beginTime": since,
        "endTime": until,
        "rows": MOST_ROWS,
    }
    told = await session.ask("request", "fiat/orders", ["sapi"], "GET", params, _COST)
    rows = told.get("data") if isinstance(told, Mapping) else None
    if not isinstance(rows, list):
        raise unexpected(session.venue, "it is no list of orders", "no_history")
    typed = [{**row, "type": kind} for row in rows]
    return tuple(session.exchange.parse_transactions(typed))
