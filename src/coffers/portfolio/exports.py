"""Tables of what accounts hold, of their flows and of their past, as CSV (RFC 4180).

Written row by row as they are read, so that however long a past is, a few hundred rows of it are in
memory at a time. Amounts have all of their digits; what is not known is an empty cell.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal, get_args

from coffers.clock import Millis, iso
from coffers.money import plain
from coffers.portfolio.account_forms import Plain
from coffers.portfolio.flows import plain_flow
from coffers.portfolio.pasts import plain_position
from coffers.portfolio.worked import Worked
from coffers.store.engine import Store
from coffers.store.flows import FlowFilter, FlowKey
from coffers.valuation.model import Flow

Table = Literal["positions", "flows", "history"]
TABLES: Final[tuple[Table, ...]] = get_args(Table)

BATCH_SIZE: Final = 500
"""Rows that are read, and handed on, together."""

_EVER: Final = Millis(-(2**62))
_FORMULA: Final = r"=+\-@|%\uff1d\uff0b\uff0d\uff20"
_BEGINS: Final = re.compile(rf"^(?=[{_FORMULA}\t\r\n])")
_BEGINS_ANEW: Final = re.compile(rf'([;\t\r\n]"*)(?=[{_FORMULA}])')
_OF_ACCOUNT: Final = ("account_id", "account_name")
_POSITION: Final = (
    "wallet", "asset", "venue_code", "free", "in_orders", "borrowed", "interest", "unrealised",
    "owned", "is_counted", "not_counted_as", "state",
)  # fmt: skip
_PRICE: Final = ("price_usd", "price_btc", "price_at", "usd_value", "btc_value")
_FLOW: Final = (
    "id", "direction", "asset", "venue_code", "amount", "fee", "fee_asset", "at", "txid",
    "usd_value", "btc_value", "role",
)  # fmt: skip
_HISTORY: Final = ("at", "usd_value", "btc_value")
_TEXTS: Final = frozenset(
    {"account_name", "wallet", "asset", "venue_code", "id", "txid", "fee_asset"}
)
"""Columns that a user, an exchange or a stranger on a chain wrote."""

_HEADS: Final[dict[Table, tuple[str, ...]]] = {
    "positions": (*_OF_ACCOUNT, *_POSITION, *_PRICE),
    "flows": (*_OF_ACCOUNT, *_FLOW),
    "history": (*_OF_ACCOUNT, *_HISTORY),
}


class Exports:
    """Writes tables of accounts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def rows(
        self,
        table: Table,
        worked: Sequence[Worked],
        *,
        now: Millis,
        since: Millis | None = None,
        until: Millis | None = None,
    ) -> AsyncIterator[str]:
        """Return a table in pieces, its head first; account by account.

        `since` and `until` are the first and the last moment of flows (newest first) and history
        (oldest first).

        Raises:
            StoreUnavailable: when the database does not answer.
        """
        head = _HEADS[table]
        yield _lines([dict(zip(head, head, strict=True))], head)
        for each in worked:
            account = each.view.account
            own = {"account_id": account.id, "account_name": account.name}
            async for found in self._of(table, each, now, since, until):
                yield _lines([{**own, **row} for row in found], head)

    def _of(
        self,
        table: Table,
        worked: Worked,
        now: Millis,
        since: Millis | None,
        until: Millis | None,
    ) -> AsyncIterator[list[Plain]]:
        match table:
            case "positions":
                return self._positions(worked, now)
            case "flows":
                return self._flows(worked, since, until)
            case "history":
                return self._history(worked, since, now if until is None else until)

    async def _positions(self, worked: Worked, now: Millis) -> AsyncIterator[list[Plain]]:
        account = worked.view.account
        async with self._store.reading() as tx:
            held = await tx.holdings.of_account(account.user_id, account.id)
        for first in range(0, len(held), BATCH_SIZE):
            part = held[first : first + BATCH_SIZE]
            yield [_position(plain_position(worked, each, now=now)) for each in part]

    async def _flows(
        self, worked: Worked, since: Millis | None, until: Millis | None
    ) -> AsyncIterator[list[Plain]]:
        account, after = worked.view.account, None
        wanted = FlowFilter(since=since, until=until)
        while True:
            async with self._store.reading() as tx:
                found = await tx.history.flow_page(
                    account.user_id, account.id, wanted, BATCH_SIZE, after
                )
            yield [plain_flow(each.flow, each.role) for each in found]
            if len(found) < BATCH_SIZE:
                return
            after = _place(found[-1].flow)

    async def _history(
        self, worked: Worked, since: Millis | None, until: Millis
    ) -> AsyncIterator[list[Plain]]:
        account, begin = worked.view.account, _EVER if since is None else since
        while True:
            async with self._store.reading() as tx:
                found = await tx.history.snapshots_since(
                    account.user_id, account.id, begin, until, BATCH_SIZE
                )
            yield [
                {
                    "at": iso(each.at),
                    "usd_value": plain(each.value.usd),
                    "btc_value": plain(each.value.btc),
                }
                for each in found
            ]
            if len(found) < BATCH_SIZE:
                return
            begin = Millis(found[-1].at + 1)


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: what looks so gets an apostrophe.

    As OWASP recommends ("CSV Injection"). Where decimals have a comma, spreadsheets begin a new
    cell at semicolons, and some do at tabs, whatever is quoted for the sake of commas.
    """
    return _BEGINS_ANEW.sub(r"\1'", _BEGINS.sub("'", text))


def _lines(rows: Sequence[Plain], head: Sequence[str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_cell(name, row[name]) for name in head])
    return out.getvalue()


def _cell(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() if name in _TEXTS:
            return safe(value)
        case _:
            return str(value)


def _position(told: Plain) -> Plain:
    price = told["price"]
    assert isinstance(price, dict)  # noqa: S101 - the form of a price is one
    shown = {"price_usd": price["usd"], "price_btc": price["btc"], "price_at": price["at"]}
    return {**told, **shown}


def _place(flow: Flow) -> FlowKey:
    return flow.at, flow.direction, flow.external_id
