"""Price books and exchange rates, kept for the figures of past moments."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache, partial
from itertools import repeat
from struct import Struct
from typing import Any, Final, Literal

import msgspec
import zstandard
from sqlalchemy import Integer, Row, bindparam, delete, func, literal_column, select

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.store.choices import OPERATOR
from coffers.store.connection import AsyncConnection
from coffers.store.distinct import distinct
from coffers.store.notices import Topic, announce
from coffers.store.prepared import Prepared
from coffers.store.statements import insert, next_id
from coffers.store.tables import (
    accepted_prices,
    asset_mappings,
    asset_overrides,
    positions,
    price_books,
    rates,
)
from coffers.valuation.model import (
    NO_MEANINGS,
    HeldBack,
    LazyPrices,
    Meanings,
    Price,
    PriceBook,
    one_text,
    worths_of,
)
from coffers.valuation.worths import Worths

KEPT_WHOLE = Millis(2 * HOUR)
"""How long every book is kept."""

KEPT_THINNED = Millis(3 * DAY)
"""How long the first book of every `SLOT` is kept."""

SLOT = Millis(15 * MINUTE)
"""Of so long one book is kept, and one rate of each currency: the first."""

_B, _R = price_books.c, rates.c
# In the words of the index's condition: a parameter would hide from the planner that it is that.
_HELD = distinct(positions.c.asset, positions.c.wallet != literal_column("'spam'"))
_NEWEST_EPOCH = Prepared(select(func.max(_B.epoch).label("epoch")))
_NEWEST = Prepared(select(price_books).order_by(_B.epoch.desc()).limit(1))
_RATES = Prepared(
    select(_R.at, _R.usd)
    .where(_R.currency == bindparam("code"), _R.at >= bindparam("since"))
    .order_by(_R.at)
    .limit(bindparam("limit", type_=Integer))
)
# It has no end and no state: whoever reads it takes nothing from others.
_LITTLE: Final[Iterator[Literal["little"]]] = repeat("little")
_encoder = msgspec.msgpack.Encoder()


class _Origin(msgspec.Struct, frozen=True, array_like=True):
    """How a stored price is known."""

    route: tuple[str, ...]
    sources: tuple[str, ...]
    at: Millis


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """A book's body: the names of its assets, and of each the numbers and where they come from.

    The numbers are what every list needs, so they lie apart: those of `Worths.both`, each in
    `width` bytes, the lowest first. The names are a list in its encoded form, which is mostly that
    of the book before, as are the `meanings` of symbols. The origins are one too, compressed.

    Older databases hold the numbers as decimals, or whole prices by their names.
    """

    names: bytes | dict[str, Price]
    held_back: dict[str, HeldBack]
    btc: list[Decimal] = []
    usd: list[Decimal] = []
    origins: bytes = b""
    both: bytes = b""
    width: int = 0
    shift: int = 0
    room: int = 0
    btc_exponent: int = 0
    usd_exponent: int = 0
    meanings: bytes = b""


# A book that was written before there were held back prices is the prices alone.
_decoder = msgspec.msgpack.Decoder(_Stored | dict[str, Price])
_names_decoder = msgspec.msgpack.Decoder(list[str])
_origins_decoder = msgspec.msgpack.Decoder(list[_Origin])
_meanings_decoder = msgspec.msgpack.Decoder(Meanings)


class Prices:
    """The price books, counted by epoch, and the rates of display currencies."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def save_book(
        self,
        prices: Mapping[str, Price],
        at: Millis,
        held_back: Mapping[str, HeldBack] | None = None,
        meanings: Meanings = NO_MEANINGS,
    ) -> PriceBook:
        """Keep the prices of a moment as the next book, with those that are not believed yet.

        `meanings` are of symbols that mean another asset at one venue than elsewhere.
        """
        epoch = await next_id(self._connection, "price_books")
        book = PriceBook(epoch, at, dict(prices), dict(held_back or {}), meanings)
        body = zstandard.compress(_encoder.encode(_stored(book)))
        statement = insert(self._connection, price_books).values(epoch=book.epoch, at=at, body=body)
        await self._connection.execute(statement)
        await announce(self._connection, Topic.PRICES, epoch)
        return book

    async def newest(self) -> PriceBook | None:
        """Return the newest book, None before the first."""
        rows = await self._connection.rows(_NEWEST, {})
        return _of_row(rows[0]) if rows else None

    async def newest_epoch(self) -> int:
        """Return the number of the newest book, 0 before the first."""
        rows = await self._connection.rows(_NEWEST_EPOCH, {})
        return rows[0].epoch or 0

    async def assets_held(self) -> set[str]:
        """Return what needs a price: the assets that any account holds or owes, but no spam.

        Those that a user says a venue's code means are among them, and the keys that users say
        their assets are priced by.
        """
        needed = await self.positions_held()
        for codes in (distinct(asset_mappings.c.asset), distinct(asset_overrides.c.priced_as)):
            needed.update(await self._connection.scalars(codes))
        return needed

    async def positions_held(self) -> set[str]:
        """Return the assets alone that any account holds or owes, but no spam."""
        return set(await self._connection.scalars(_HELD))

    async def accepted_since(self, at: Millis) -> dict[str, Price]:
        """Return the prices that the operator accepted from a moment on; their time is when."""
        accepted = accepted_prices.c
        statement = select(accepted_prices).where(accepted.user_id == OPERATOR, accepted.at >= at)
        return {
            row.asset: Price(row.btc, row.usd, (), ("accepted",), row.at)
            for row in await self._connection.execute(statement)
        }

    async def book_near(self, at: Millis, tolerance: Millis) -> PriceBook | None:
        """Return the book nearest in time, None where all are further away than `tolerance`."""
        nearest = func.abs(_B.at - at)
        statement = (
            select(price_books)
            .where(_B.at.between(at - tolerance, at + tolerance))
            .order_by(nearest, _B.at, _B.epoch.desc())
            .limit(1)
        )
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _of_row(row)

    async def book_before(self, before: Millis, since: Millis) -> PriceBook | None:
        """Return the last book that is older than a moment, None where it is older than `since`."""
        statement = (
            select(price_books)
            .where(_B.at < before, _B.at >= since)
            .order_by(_B.at.desc(), _B.epoch.desc())
            .limit(1)
        )
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _of_row(row)

    async def save_rates(self, per_unit: Mapping[str, Decimal], at: Millis) -> None:
        """Keep what units of currencies are worth in USD at a moment, for good.

        Of each currency the first rate of a `SLOT` alone is kept: what later ones told of a moment
        would change with them, were they forgotten.
        """
        slot = at // SLOT * SLOT
        of_slot = select(_R.currency).where(_R.at >= slot, _R.at < slot + SLOT)
        known = set(await self._connection.scalars(of_slot))
        rows = [
            {"currency": code, "at": at, "usd": usd}
            for code, usd in per_unit.items()
            if code not in known
        ]
        if rows:
            await self._connection.execute(insert(self._connection, rates), rows)

    async def rate_history(
        self, currency: str, since: Millis, limit: int = 2**31 - 1
    ) -> list[tuple[Millis, Decimal]]:
        """Return (moment, USD per unit) of a currency from a moment on, in order of time."""
        values = {"code": currency, "since": since, "limit": limit}
        rows = await self._connection.rows(_RATES, values)
        return [(row.at, row.usd) for row in rows]

    async def thin(self, now: Millis) -> None:
        """Forget old books, of which ever fewer are needed.

        Beyond two hours one a quarter-hour is kept, beyond three days none but the newest.
        """
        firsts = select(func.min(_B.epoch)).group_by(_B.at // SLOT)
        newest = select(func.max(_B.epoch)).scalar_subquery()
        old = delete(price_books).where(_B.epoch != newest)
        await self._connection.execute(old.where(_B.at < now - KEPT_THINNED))
        await self._connection.execute(old.where(_B.at < now - KEPT_WHOLE, _B.epoch.not_in(firsts)))


def _stored(book: PriceBook) -> _Stored:
    prices = book.prices.values()
    origins = [_Origin(price.route, price.sources, price.at) for price in prices]
    worths = worths_of(book.prices, book.prices)
    bits = max(map(int.bit_length, worths.both.values()), default=0)
    width = bits // 8 + 1
    return _Stored(
        names=_encoder.encode([*book.prices]),
        held_back=dict(book.held_back),
        origins=zstandard.compress(_encoder.encode(origins)),
        both=b"".join([each.to_bytes(width, "little") for each in worths.both.values()]),
        width=width,
        shift=worths.shift,
        room=worths.room,
        btc_exponent=worths.btc_exponent,
        usd_exponent=worths.usd_exponent,
        meanings=_encoder.encode(book.meanings),
    )


def _of_row(row: Row[Any]) -> PriceBook:
    return book_of(row.epoch, row.at, row.body)


def book_of(epoch: int, at: Millis, body: bytes) -> PriceBook:
    """Return a book from the form that it is stored in, of this release or an older one."""
    told = _decoder.decode(zstandard.decompress(body))
    if isinstance(told, dict):
        return PriceBook(epoch, at, told)
    if isinstance(told.names, dict):
        return PriceBook(epoch, at, told.names, told.held_back)
    names = _names_of(told.names)
    worths = _worths_of(names, told) if told.width else Worths.of(names, told.btc, told.usd)
    prices = LazyPrices(worths, partial(_prices_of, worths, told.origins))
    return PriceBook(epoch, at, prices, told.held_back, _meanings_of(told.meanings))


def _worths_of(names: tuple[str, ...], told: _Stored) -> Worths:
    each = _numbers_of(told.width, len(names)).unpack(told.both)
    numbers = map(int.from_bytes, each, _LITTLE)
    both = dict(zip(names, numbers, strict=True))
    return Worths(both, told.shift, told.room, told.btc_exponent, told.usd_exponent)


@lru_cache(maxsize=4)
def _numbers_of(width: int, count: int) -> Struct:
    """Return what takes numbers apart, all at once: in a third of the time that one by one takes.

    The next book has mostly as many; the library itself keeps a hundred, of up to 300 KB each.
    """
    return Struct(f"{width}s" * count)


@lru_cache(maxsize=4)
def _names_of(encoded: bytes) -> tuple[str, ...]:
    return tuple(map(one_text, _names_decoder.decode(encoded)))


@lru_cache(maxsize=4)
def _meanings_of(encoded: bytes) -> Meanings:
    return _meanings_decoder.decode(encoded) if encoded else NO_MEANINGS


def _prices_of(worths: Worths, compressed: bytes) -> dict[str, Price]:
    origins = _origins_decoder.decode(zstandard.decompress(compressed))
    return {
        asset: Price(*worths.unit(asset), origin.route, origin.sources, origin.at)
        for asset, origin in zip(worths.both, origins, strict=True)
    }
