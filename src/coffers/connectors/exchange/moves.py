"""A venue's list of transfers between wallets -> what became of one whose answer was lost.

Transfers take no client's id. So one is found by what it moved, where to and when: an equal one
that somebody else made at the same time cannot be told from it.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from coffers.clock import SECOND, Millis
from coffers.connectors.exchange.amounts import amount_of
from coffers.connectors.exchange.order_answers import step_of
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.trading import Move, Placed
from coffers.valuation.selling import stepped

MOST_LISTED = 100
"""Transfers of one list; Binance gives no more at once."""

_DONE = {"ok", None}


def movable(session: VenueSession, move: Move) -> Move:
    """Return a transfer as the venue takes it: its amount cut down to the currency's precision.

    ccxt would round it at KuCoin and Gate, up as well as down.
    """
    return replace(move, amount=stepped(move.amount, move_step(session, move.code)))


def move_step(session: VenueSession, code: str) -> Decimal | None:
    """Return the step in which an asset is moved, None where the library knows none.

    Gate tells none, and ccxt takes 0.0001 for every coin.
    """
    currency = session.exchange.currencies.get(session.code(code)) or {}
    return step_of(currency.get("precision"), session.exchange.precisionMode)


async def moved(
    session: VenueSession, move: Move, since: Millis, others: Collection[str]
) -> Placed | None:
    """Return what a venue's list says of a transfer since a moment; None where it has none such.

    `others` are the venue's ids of those that are known already.

    Raises:
        ConnectorFailure: when the venue does not tell, or more than one list holds.
    """
    # The venue dates by its own clock, and perhaps in whole seconds.
    first = since - session.clock_ahead - SECOND
    move = movable(session, move)
    ends = {"fromAccount": move.source, "toAccount": move.target}
    code = session.code(move.code)
    rows = await session.ask("fetch_transfers", code, first, MOST_LISTED, ends)
    for row in sorted(rows, key=_moment):
        is_new = _moment(row) >= first and str(row.get("id")) not in others
        if is_new and _fits(session, row, move, code):
            done = row.get("status") in _DONE
            return Placed("filled" if done else "unknown", move.amount, venue_id=str(row["id"]))
    if len(rows) >= MOST_LISTED:
        return Placed("unknown", why="the exchange lists more transfers than can be looked through")
    return None


def _fits(session: VenueSession, row: Mapping[str, Any], move: Move, code: str) -> bool:
    """Return whether a row is of these wallets, as far as it tells them, and of this sum.

    KuCoin's rows call the spot wallet as the venue does, "trade".
    """
    called = session.exchange.convert_type_to_account
    ends = ((row.get("fromAccount"), move.source), (row.get("toAccount"), move.target))
    return (
        row.get("currency") == code
        and amount_of(row.get("amount")) == move.amount
        and all(told in {None, asked, called(asked)} for told, asked in ends)
    )


def _moment(row: Mapping[str, Any]) -> int:
    return int(row.get("timestamp") or 0)
