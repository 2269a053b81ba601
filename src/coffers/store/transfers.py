"""Own transfers: the flows that they are found among, and those that were found."""

from collections import namedtuple
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    column,
    delete,
    func,
    or_,
    select,
    tuple_,
    values,
)

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.flow_rows import flow_of
from coffers.store.flows import APART, MADE_HERE
from coffers.store.lookups import looked_up
from coffers.store.prepared import Prepared
from coffers.store.statements import held
from coffers.store.tables import (
    TRANSACTION_LENGTH,
    accounts,
    flows,
    transaction_start,
    transfers,
    users,
)
from coffers.valuation.transfers import Leg, LegKey, Moved, Transfer, transaction_of

_A, _F, _T = accounts.c, flows.c, transfers.c
_NONE: Final = 0
"""The id of no account."""

_TRANSFERS = select(_T.out_account_id, _T.out_external_id, _T.in_account_id, _T.in_external_id)

BATCH_SIZE: Final = 2_000
"""Transfers that are read together."""

_Asked = TypeVar("_Asked")

SIZES: Final = (2, 20, 500)
"""How many ids a statement looks up."""

PROBED: Final = SIZES[-1]
"""The most of them."""

_MODE = (
    select(_A.mode)
    .where(_A.user_id == _F.user_id, _A.id == _F.account_id)
    .scalar_subquery()
    .label("mode")
)
_OTHERS = (
    select(_A.id)
    .where(
        _A.user_id == bindparam("user"),
        _A.mode == bindparam("mode"),
        _A.id != bindparam("account"),
    )
    .scalar_subquery()
)
_WITHIN = Prepared(
    select(flows).where(
        _F.user_id == bindparam("user"),
        _F.account_id.in_(_OTHERS),
        _F.at >= bindparam("first", type_=BigInteger),
        _F.at <= bindparam("last", type_=BigInteger),
        _F.direction == bindparam("direction"),
        _F.role != MADE_HERE,
    )
)
_OUT, _INTO = flows.alias("withdrawn"), flows.alias("deposited")
_Flow: Any = namedtuple("_Flow", [column.key for column in _F])  # type: ignore[misc]  # noqa: PYI024  # those of the table
_MOVED = (
    select(_T.out_account_id, _T.out_external_id, _T.in_account_id, _T.in_external_id, _OUT, _INTO)
    .join_from(
        transfers,
        _OUT,
        and_(
            _OUT.c.user_id == _T.user_id,
            _OUT.c.account_id == _T.out_account_id,
            _OUT.c.direction == "out",
            _OUT.c.external_id == _T.out_external_id,
        ),
    )
    .join(
        _INTO,
        and_(
            _INTO.c.user_id == _T.user_id,
            _INTO.c.account_id == _T.in_account_id,
            _INTO.c.direction == "in",
            _INTO.c.external_id == _T.in_external_id,
        ),
    )
    .where(_OUT.c.role != APART, _INTO.c.role != APART)
    .order_by(_T.out_account_id, _T.out_external_id)
    .limit(BATCH_SIZE)
)


@dataclass(frozen=True, slots=True)
class Span:
    """The flows of one direction and some time, of all of a user's accounts of a mode.

    `without` is one that is left out, None where none is.
    """

    without: int | None
    mode: str
    direction: str
    first: Millis
    last: Millis


class Transfers:
    """The transfers between the accounts of each user."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, user_id: int) -> None:
        """Let nobody else look for this user's transfers until the transaction ends.

        Two accounts that are read at once would else each miss the other's flows. An account's
        row is always locked before its user's, so that two transactions never wait crosswise.
        """
        await self._connection.execute(held(select(users.c.id).where(users.c.id == user_id)))

    async def within(self, user_id: int, span: Span) -> list[Leg]:
        """Return the flows of a span."""
        values = {
            "user": user_id,
            "account": span.without or _NONE,
            "mode": span.mode,
            "direction": span.direction,
            "first": span.first,
            "last": span.last,
        }
        found = await self._connection.rows(_WITHIN, values)
        return [Leg(row.account_id, span.mode, flow_of(row)) for row in found]

    async def tied(self, user_id: int, legs: Iterable[Leg]) -> list[Leg]:
        """Return the flows of the transactions that some flows are of, these among them."""
        wanted = {transaction_of(leg.flow.txid) for leg in legs if leg.flow.txid}
        starts = sorted({start for each in wanted for start in _starts(each)})
        found: dict[LegKey, Leg] = {}
        for part in _portions(starts):
            given = {f"start{n}": start for n, start in enumerate(part)}
            asked = _tied(self._connection.dialect.name, len(part))
            for row in await self._connection.rows(asked, {"user": user_id, **given}):
                leg = Leg(row.account_id, row.mode, flow_of(row))
                if transaction_of(leg.flow.txid or "") in wanted:
                    found[leg.key] = leg
        return [*found.values()]

    async def of_user(self, user_id: int, without: Collection[int] = ()) -> frozenset[Transfer]:
        """Return the known transfers of a user, but for those of some accounts."""
        own = _TRANSFERS.where(_T.user_id == user_id)
        if without:
            own = own.where(~_is_of(without))
        return await self._transfers(own)

    async def moved(self, user_id: int, ids: Collection[int]) -> AsyncIterator[list[Moved]]:
        """Return those of some accounts that figures count, with their flows, in portions.

        There may be hundreds of thousands.
        """
        own = _MOVED.where(_T.user_id == user_id, _is_of(ids))
        last, end = len(Transfer.__slots__), len(Transfer.__slots__) + len(_F)
        page = own
        while True:
            rows = (await self._connection.execute(page)).all()
            yield [
                Moved(
                    Transfer(*row[:last]),
                    flow_of(_Flow(*row[last:end])),
                    flow_of(_Flow(*row[end:])),
                )
                for row in rows
            ]
            if len(rows) < BATCH_SIZE:
                return
            place = rows[-1].out_account_id, rows[-1].out_external_id
            page = own.where(tuple_(_T.out_account_id, _T.out_external_id) > tuple_(*place))

    async def of_flows(self, user_id: int, keys: Iterable[LegKey]) -> frozenset[Transfer]:
        """Return the known transfers that some flows are part of."""
        halves: dict[str, list[tuple[int, str]]] = {}
        for account_id, direction, external_id in sorted(keys):
            halves.setdefault(direction, []).append((account_id, external_id))
        found: set[Transfer] = set()
        for direction, ids in halves.items():
            for part in _portions(ids):
                given: dict[str, Any] = {"user": user_id}
                for n, (account_id, external_id) in enumerate(part):
                    given |= {f"account{n}": account_id, f"id{n}": external_id}
                asked = _with_halves(self._connection.dialect.name, direction, len(part))
                rows = await self._connection.rows(asked, given)
                found.update(Transfer(*row) for row in rows)
        return frozenset(found)

    async def add(self, user_id: int, found: Collection[Transfer]) -> None:
        """Keep transfers that are not known yet."""
        if found:
            rows = [_columns_of(user_id, transfer) for transfer in found]
            await self._connection.execute(transfers.insert(), rows)

    async def remove(self, user_id: int, outdated: Collection[Transfer]) -> None:
        """Forget transfers."""
        for transfer in outdated:
            statement = delete(transfers).where(
                _T.user_id == user_id,
                _T.out_account_id == transfer.out_account_id,
                _T.out_external_id == transfer.out_external_id,
            )
            await self._connection.execute(statement)

    async def _transfers(self, statement: Select[Any]) -> frozenset[Transfer]:
        rows = await self._connection.execute(statement)
        return frozenset(Transfer(*row) for row in rows)


def _is_of(ids: Collection[int]) -> ColumnElement[bool]:
    return or_(_T.out_account_id.in_(ids), _T.in_account_id.in_(ids))


def _portions(asked: Sequence[_Asked]) -> Iterator[list[_Asked]]:
    """Return what is asked about in portions of few sizes, the last of them again to fill one up.

    A statement is made once for each size: to make it takes many times what it takes to run it.
    """
    for first in range(0, len(asked), PROBED):
        part = [*asked[first : first + PROBED]]
        size = next(size for size in SIZES if size >= len(part))
        yield part + part[-1:] * (size - len(part))


@cache
def _with_halves(dialect: str, direction: str, size: int) -> Prepared:
    """Select a user's transfers by their halves of one direction, so many, by account and id."""
    ids = [
        (bindparam(f"account{n}", type_=Integer), bindparam(f"id{n}", type_=Text))
        for n in range(size)
    ]
    columns = column("account_id", Integer), column("external_id", Text)
    asked = values(*columns, name="halves").data(ids).cte("asked")
    account, external = (
        (_T.out_account_id, _T.out_external_id)
        if direction == "out"
        else (_T.in_account_id, _T.in_external_id)
    )
    each = _TRANSFERS.where(
        _T.user_id == bindparam("user"),
        account == asked.c.account_id,
        external == asked.c.external_id,
    )
    return Prepared(looked_up(dialect, asked, each, transfers))


@cache
def _tied(dialect: str, size: int) -> Prepared:
    """Select a user's flows whose transactions begin so, whatever letters are capital."""
    starts = [(bindparam(f"start{n}", type_=Text),) for n in range(size)]
    starting = values(column("start", Text), name="starts").data(starts).cte("starting")
    each = select(flows, _MODE).where(
        _F.user_id == bindparam("user"),
        _F.txid.is_not(None),
        # Each database makes small letters in its own way.
        transaction_start == func.lower(starting.c.start),
        _F.role != MADE_HERE,
    )
    return Prepared(looked_up(dialect, starting, each, flows))


def _starts(transaction: str) -> Iterable[str]:
    """Return how the spellings of a transaction's id begin, but for capital letters."""
    for spelled in (transaction, f"0x{transaction}"):
        yield spelled[:TRANSACTION_LENGTH]


def _columns_of(user_id: int, transfer: Transfer) -> dict[str, object]:
    return {
        "user_id": user_id,
        "out_account_id": transfer.out_account_id,
        "out_external_id": transfer.out_external_id,
        "in_account_id": transfer.in_account_id,
        "in_external_id": transfer.in_external_id,
    }
