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

from coffers.clock import HOUR, MINUTE, Millis
from coffers.connectors.exchange.flow_rows import Direction
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure
from coffers.logs import logger

USUAL_PAUSE = HOUR
SHORTEST_PAUSE = Millis(10 * MINUTE)
"""The pause between two calls of a kind where what is held changed meanwhile."""

MOST_ROWS = 500
"""Rows of one answer, as Binance documents."""

MOST_KEYS = 10_000
"""How many keys' last calls are remembered."""

Held = Mapping[str, Decimal]

_DIRECTIONS: dict[Direction, tuple[int, str]] = {"in": (0, "deposit"), "out": (1, "withdrawal")}
_COST = {"cost": 1}

_log = logger("coffers.connectors")


@dataclass(frozen=True, slots=True)
class Asked:
    """The last call of a kind: when it was made, what was held then, and whether it told all."""

    at: Millis
    held: Held
    is_told: bool


@dataclass(frozen=True, slots=True)
class FiatRows:
    """What was told, in ccxt's transaction structure; `is_whole` says whether this is all."""

    direction: Direction
    rows: tuple[Mapping[str, Any], ...]
    is_whole: bool


class FiatOrders:
    """Asks when it is time to, and remembers for each key when that was."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, Direction], Asked] = {}

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
        direction = self._oldest(key)
        rows: tuple[Mapping[str, Any], ...] = ()
        if self._is_due(key, direction, held, session.now()):
            rows, is_told = await _rows(session, direction, since, until)
            self._remember(key, direction, Asked(session.now(), held, is_told))
        return FiatRows(direction, rows, is_whole=not held or self._is_told(key))

    def _oldest(self, key: str) -> Direction:
        into, out = (self._asked.get((key, direction)) for direction in _DIRECTIONS)
        return "out" if into is not None and (out is None or out.at < into.at) else "in"

    def _is_due(self, key: str, direction: Direction, held: Held, now: Millis) -> bool:
        last = self._asked.get((key, direction))
        if last is None:
            return True
        pause = USUAL_PAUSE if last.held == held else SHORTEST_PAUSE
        return now >= last.at + pause

    def _is_told(self, key: str) -> bool:
        calls = [self._asked.get((key, direction)) for direction in _DIRECTIONS]
        return all(call is not None and call.is_told for call in calls)

    def _remember(self, key: str, direction: Direction, asked: Asked) -> None:
        if len(self._asked) >= MOST_KEYS:
            self._asked.clear()
        self._asked[key, direction] = asked


async def _rows(
    session: VenueSession, direction: Direction, since: Millis, until: Millis
) -> tuple[tuple[Mapping[str, Any], ...], bool]:
    number, kind = _DIRECTIONS[direction]
    params = {
        "transactionType": number,
        "beginTime": since,
        "endTime": until,
        "rows": MOST_ROWS,
    }
    try:
        told = await session.ask("request", "fiat/orders", ["sapi"], "GET", params, _COST)
    except ConnectorFailure as failure:
        _log.warning("fiat orders not told", venue=session.venue.id, reason=str(failure))
        return (), False
    rows = told.get("data") if isinstance(told, Mapping) else None
    if not isinstance(rows, list):
        return (), False
    typed = [{**row, "type": kind} for row in rows]
    return tuple(session.exchange.parse_transactions(typed)), len(rows) < MOST_ROWS
