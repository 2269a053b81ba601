"""A history's pages: which span of it to ask for, how, and what is left when an answer was full.

A venue tells deposits and withdrawals only for a span at a time and only so many at once. A span
whose answer is full goes on with the next page, or is halved until nothing can be left out,
whatever end the venue cuts off. Where neither is offered, a full answer leaves the flows unknown.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from coffers.clock import SECOND, Millis, from_iso
from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.flow_rows import Direction
from coffers.connectors.exchange.own_histories import OWN_HISTORIES
from coffers.connectors.exchange.rules import FlowRule, flow_rule
from coffers.connectors.exchange.session import VenueSession

SHORTEST_SPAN = SECOND
"""A span that is not halved any more."""

DIRECTIONS: dict[str, Direction] = {
    "fetchDeposits": "in",
    "fetchWithdrawals": "out",
    "bybitInternalDeposits": "in",
}
"""The histories of one direction; the others hold both."""

_APART = ("fetchDeposits", "fetchWithdrawals")
_METHODS = {
    "fetchDeposits": "fetch_deposits",
    "fetchWithdrawals": "fetch_withdrawals",
    "fetchDepositsWithdrawals": "fetch_deposits_withdrawals",
    "fetchTransactions": "fetch_transactions",
    "fetchLedger": "fetch_ledger",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a history to ask for; `rows` and `pages` of it are known already."""

    start: Millis
    end: Millis
    rows: int = 0
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """What one call told, in ccxt's transaction structure, and what it leaves to ask.

    `is_cut` says that the answer was full and nothing can be done about it.
    """

    rows: tuple[Mapping[str, Any], ...]
    rest: tuple[Span, ...]
    is_cut: bool


def rule_of(session: VenueSession) -> FlowRule:
    """Return how a venue tells its flows."""
    return flow_rule(session.venue.family)


def histories(session: VenueSession, rule: FlowRule) -> tuple[list[str], bool]:
    """Return the histories to ask for, and whether they are of both directions."""
    if rule.histories is not None:
        return rule.histories, bool(rule.histories)
    apart = [name for name in _APART if session.can(name)]
    if len(apart) < len(_APART) and session.can("fetchDepositsWithdrawals"):
        return ["fetchDepositsWithdrawals"], True
    return apart, len(apart) == len(_APART)


async def page_of(session: VenueSession, history: str, rule: FlowRule, span: Span) -> Page:
    """Ask for one page.

    Raises:
        ConnectorFailure: when the venue gave no answer, or one that is no history.
    """
    rows = await _page(session, history, rule, span)
    # ccxt drops rows of other kinds and times: whether the answer was full, it tells itself.
    raw = longest_list(session.heard.answer)
    length = max(len(rows), len(raw))
    if length < rule.page or _reaches_behind(rule, raw, span.start):
        return Page(tuple(rows), (), is_cut=False)
    rest = _rest(rule, span, length)
    return Page(tuple(rows), rest, is_cut=not rest)


def halves(span: Span) -> tuple[Span, ...]:
    """Return the later and the earlier half of a span, nothing where it is too short for that."""
    if span.end - span.start <= SHORTEST_SPAN:
        return ()
    middle = Millis((span.start + span.end) // 2)
    return Span(middle, span.end), Span(span.start, middle)


def is_elsewhere(rule: FlowRule, row: Mapping[str, Any], wallets: Collection[str]) -> bool:
    """Return whether a row is of a wallet that is not read."""
    raw = row.get("info")
    if not isinstance(raw, Mapping):
        return False
    named = (values.get(str(raw.get(name))) for name, values in rule.elsewhere.items())
    return any(wallet is not None and wallet not in wallets for wallet in named)


def _rest(rule: FlowRule, span: Span, length: int) -> tuple[Span, ...]:
    """Return what is left to ask of a span whose answer was full, nothing where that is no way."""
    if rule.offset is not None or rule.number is not None:
        return (replace(span, rows=span.rows + length, pages=span.pages + 1),)
    return () if rule.until is None else halves(span)


def _reaches_behind(rule: FlowRule, raw: Sequence[object], start: Millis) -> bool:
    """Return whether a full answer goes back to before a span, so that nothing of it is left.

    That is known only where the newest come first; of more rows than were asked for ccxt drops
    some.
    """
    if rule.newest_first is None or not raw or (rule.takes_limit and len(raw) > rule.page):
        return False
    newest, oldest = (_moment(row, rule.newest_first) for row in (raw[0], raw[-1]))
    return newest is not None and oldest is not None and oldest <= newest and oldest < start


def _moment(row: object, name: str) -> Millis | None:
    told = str(row.get(name)) if isinstance(row, Mapping) else ""
    if told.isdecimal():
        return Millis(int(told))
    for text in (told, f"{told}Z"):
        with suppress(ValueError):
            return from_iso(text)
    return None


async def _page(
    session: VenueSession, history: str, rule: FlowRule, span: Span
) -> list[Mapping[str, Any]]:
    page = await _rows(session, history, rule, span)
    if not isinstance(page, list) or not is_history(session.heard.answer):
        raise unexpected(session.venue, "it is no history of deposits or withdrawals", "no_history")
    return page


async def _rows(session: VenueSession, history: str, rule: FlowRule, span: Span) -> object:
    own = OWN_HISTORIES.get(history)
    if own is not None:
        return await own(session, span.start, span.end, rule.page)
    params = dict(rule.params.get(history, {}))
    if rule.until is not None:
        params[rule.until] = span.end
    if rule.offset is not None and span.rows:
        params[rule.offset] = span.rows
    if rule.number is not None and span.pages:
        params[rule.number] = span.pages + 1
    since = span.start if rule.takes_since else None
    limit = rule.page if rule.takes_limit else None
    return await session.ask(_METHODS[history], None, since, limit, params)


def is_history(answer: object) -> bool:
    """Return whether an answer has room for rows, as `{}` or a code with a text has not.

    A row must hold something: what has no time ccxt drops without a word.
    """
    if isinstance(answer, Mapping):
        return any(value is None or isinstance(value, Mapping | list) for value in answer.values())
    return isinstance(answer, list) and all(
        isinstance(row, Mapping | list) and row for row in answer
    )


def longest(answer: object) -> int:
    """Return the length of the longest list in an answer, outside of other lists."""
    return len(longest_list(answer))


def longest_list(answer: object) -> Sequence[object]:
    """Return the longest list in an answer, outside of other lists."""
    if isinstance(answer, list):
        return answer
    if isinstance(answer, Mapping):
        return max((longest_list(value) for value in answer.values()), key=len, default=())
    return ()
