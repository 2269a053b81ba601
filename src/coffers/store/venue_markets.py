"""What venues list, as it was found out last: pairs with their rules, currencies, rates."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, select

from coffers.markets.pairs import Rate, VenueCurrency, VenuePair
from coffers.store.connection import AsyncConnection
from coffers.store.statements import insert
from coffers.store.tables import venue_currencies, venue_pairs, venue_rates

_P, _C, _R = venue_pairs.c, venue_currencies.c, venue_rates.c
_encode = msgspec.json.Encoder(decimal_format="string").encode
_pair = msgspec.json.Decoder(VenuePair).decode
_currency = msgspec.json.Decoder(VenueCurrency).decode


class VenueMarkets:
    """The cache of what venues list. Every name of a venue is the exchange library's id."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep_pairs(self, venue: str, pairs: Iterable[VenuePair]) -> None:
        """Keep a venue's active pairs in the place of those before."""
        await self._connection.execute(delete(venue_pairs).where(_P.venue == venue))
        rows = [
            {"venue": venue, "kind": pair.kind, "name": pair.name, "body": _encode(pair).decode()}
            for pair in pairs
        ]
        if rows:
            await self._connection.execute(venue_pairs.insert(), rows)

    async def pairs(self, venue: str) -> list[VenuePair]:
        """Return a venue's active pairs of every kind, by kind and name; at most some thousand."""
        statement = select(_P.body).where(_P.venue == venue).order_by(_P.kind, _P.name)
        return [_pair(body) for body in await self._connection.scalars(statement)]

    async def pairs_called(self, venue: str, name: str) -> list[VenuePair]:
        """Return the pairs of this name, one for each kind that there is."""
        statement = select(_P.body).where(_P.venue == venue, _P.name == name).order_by(_P.kind)
        return [_pair(body) for body in await self._connection.scalars(statement)]

    async def keep_currencies(self, venue: str, currencies: Iterable[VenueCurrency]) -> None:
        """Keep a venue's currencies in the place of those before."""
        await self._connection.execute(delete(venue_currencies).where(_C.venue == venue))
        rows = [
            {"venue": venue, "code": each.code, "body": _encode(each).decode()}
            for each in currencies
        ]
        if rows:
            await self._connection.execute(venue_currencies.insert(), rows)

    async def currencies(self, venue: str) -> list[VenueCurrency]:
        """Return a venue's currencies with their networks, by name."""
        statement = select(_C.body).where(_C.venue == venue).order_by(_C.code)
        return [_currency(body) for body in await self._connection.scalars(statement)]

    async def keep_rates(self, venue: str, rates: Mapping[str, Rate]) -> None:
        """Keep what pairs are traded at, by symbol."""
        for symbol, rate in rates.items():
            values: dict[str, Any] = {name: getattr(rate, name) for name in Rate.__slots__}
            statement = insert(self._connection, venue_rates).values(
                venue=venue, symbol=symbol, **values
            )
            key: Sequence[Any] = [_R.venue, _R.symbol]
            await self._connection.execute(
                statement.on_conflict_do_update(index_elements=key, set_=values)
            )

    async def rate(self, venue: str, symbol: str) -> Rate | None:
        """Return what a pair was traded at last, None where that was never asked."""
        statement = select(_R.last, _R.bid, _R.ask, _R.at)
        own = statement.where(_R.venue == venue, _R.symbol == symbol)
        row = (await self._connection.execute(own)).first()
        return None if row is None else Rate(*row)
