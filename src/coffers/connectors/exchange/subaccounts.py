"""The sub-accounts of a key's account: which there are, and what the main account's key reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from coffers.connectors.exchange.account_rules import (
    OWN_ADDRESS,
    OWN_ID,
    Listed,
    SubaccountRule,
    subaccount_rules,
)
from coffers.connectors.exchange.balances import kinds_of
from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.rules import Wallet, first
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.shapes import value_at
from coffers.connectors.exchange.wallet_rows import Row, rows_at
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.catalogue import Market

MOST_PAGES = 50
"""Pages of a list of sub-accounts; more of them are no answer that can be used."""

SUBACCOUNT = "subaccount"
"""The code of a failure that is about the sub-account that was asked for."""


@dataclass(frozen=True, slots=True)
class Subaccount:
    """A sub-account as its venue lists it.

    `id` is what it is connected by, as `subaccount_name`; `kind` is empty where the venue tells
    none. `number` names it where its own key answers, None where that is not told.
    """

    id: str
    label: str
    kind: str
    is_frozen: bool
    number: str | None


async def list_subaccounts(session: VenueSession) -> tuple[Subaccount, ...]:
    """Return the sub-accounts of the account that the session's key is of, in the venue's order.

    Raises:
        ConnectorFailure: of kind `UNSUPPORTED` where the venue tells none to a key; when it gave
            no usable answer.
    """
    rule = _rule(session)
    listed = None if rule is None else rule.listed
    if listed is None:
        message = f"Coffers cannot list sub-accounts at {session.venue.name}."
        raise ConnectorFailure(FailureKind.UNSUPPORTED, message, code=SUBACCOUNT)
    found: list[Subaccount] = []
    after = ""
    for page in range(1, MOST_PAGES + 1):
        rows = await _page(session, listed, page, after)
        found += [_subaccount(session, row, listed) for row in rows if not _has(row, listed.main)]
        after = _end(session.heard.answer, listed)
        goes_on = listed.page is not None or after
        if not goes_on or len(rows) < (listed.most or 1):
            return tuple(found)
    raise unexpected(session.venue, "it has more pages than can be", "too_many_pages")


async def subaccount_called(session: VenueSession, name: str) -> Subaccount:
    """Return the sub-account of this id.

    Raises:
        ConnectorFailure: with code `subaccount` where there is none; as `list_subaccounts`.
    """
    for each in await list_subaccounts(session):
        if each.id == name:
            return each
    message = f"{session.venue.name} lists no sub-account {name!r} to this key."
    raise ConnectorFailure(FailureKind.UNSUPPORTED, message, code=SUBACCOUNT)


def subaccount_plans(session: VenueSession, market: Market, name: str) -> list[Wallet]:
    """Return the parts that the main account's key reads of a sub-account.

    Raises:
        ConnectorFailure: with code `subaccount` where it reads none.
    """
    rule = _rule(session)
    read = {} if rule is None else rule.read
    plans = [plan for kind in kinds_of(market) for plan in read.get(kind, ())]
    if not plans:
        own = (rule and rule.own) or "Connect it with a key of its own, without naming it."
        message = f"{market.name} lets no main account's key read a sub-account here. {own}"
        raise ConnectorFailure(FailureKind.UNSUPPORTED, message, code=SUBACCOUNT)
    return [msgspec.structs.replace(plan, params=_filled(plan.params, name)) for plan in plans]


def _rule(session: VenueSession) -> SubaccountRule | None:
    return first(subaccount_rules(), session.venue.family)


def _end(answer: object, listed: Listed) -> str:
    """Return where an answer ended, nothing where it tells no such place."""
    found = None if listed.after is None else value_at(answer, listed.cursor.split("."))
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


async def _page(session: VenueSession, listed: Listed, page: int, after: str) -> Sequence[Row]:
    params: dict[str, object] = {
        name: str(session.exchange.walletAddress) if value == OWN_ADDRESS else value
        for name, value in listed.params.items()
    }
    if listed.size is not None:
        params[listed.size] = listed.most
    if listed.page is not None:
        params[listed.page] = page
    if listed.after is not None and after:
        params[listed.after] = after
    await session.ask(listed.method, params)
    answer = session.heard.answer
    rows = rows_at(answer, listed.path)
    if rows is None and not _is_nothing(answer, listed.path):
        raise unexpected(session.venue, "it is no list of sub-accounts", "wrong_shape")
    return rows or []


def _is_nothing(answer: object, path: str) -> bool:
    """Return whether null stands where the list would be: that there are no sub-accounts."""
    for step in filter(None, path.split(".")):
        if not isinstance(answer, Mapping) or step not in answer:
            return False
        answer = answer[step]
    return answer is None


def _subaccount(session: VenueSession, row: Row, listed: Listed) -> Subaccount:
    own = _text(row, listed.id)
    if not own:
        raise unexpected(session.venue, "it lists a sub-account without an id", "wrong_shape")
    kind = _text(row, listed.kind)
    return Subaccount(
        id=own,
        label=_text(row, listed.label) or own,
        kind=listed.kinds.get(kind, kind.lower() if not kind.isdigit() else ""),
        is_frozen=_has(row, listed.frozen),
        number=_text(row, listed.number) or None,
    )


def _text(row: Row, name: str | None) -> str:
    value = None if name is None else row.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _has(row: Row, marks: Mapping[str, Sequence[str]]) -> bool:
    return any(str(row.get(name)) in values for name, values in marks.items())


def _filled(params: Mapping[str, str | int | bool], name: str) -> dict[str, str | int | bool]:
    return {key: name if value == OWN_ID else value for key, value in params.items()}
