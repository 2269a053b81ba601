"""The published accounts API as a source that accounts are taken over from."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import httpx

from coffers import client, money
from coffers.client.accounts import Account, Point
from coffers.client.call import Call
from coffers.client.speaker import TIMEOUT
from coffers.clock import SECOND, Millis
from coffers.errors import UsageError
from coffers.portfolio.import_source import SourceAccount, SourceFailed, SourceStopped
from coffers.valuation.model import Snapshot, Value

T = TypeVar("T")

ADDRESS = "https://api.3commas.io/public/api"
"""Where the published API is."""

MOST_DIGITS = 40
"""Digits before or after the point of a value; more is a fault of the source."""

LATEST = 32_503_680_000
"""The year 3000 in seconds; a moment after it is a fault of the source, such as milliseconds."""

MOST_BYTES = 32 * 1024 * 1024
"""What one answer of the source can have; thousands of accounts come to a few megabytes."""

MOST_SECONDS = 300.0
"""How long one answer of the source can be on its way."""

MOST_ACCOUNTS = 20_000
"""Accounts that the source can list; one that goes on telling new ones is at fault."""

MOST_WAITING = 3600.0
"""Seconds that a run waits in all because the source asks for patience."""

_STOPS = (
    client.Unauthorized,
    client.AccessDenied,
    client.RateLimited,
    client.Banned,
    client.Unavailable,
    client.Unreachable,
)


class ThreeCommas:
    """A server that speaks the published API, asked for what is real there."""

    def __init__(self, asked: client.AsyncClient, name: str) -> None:
        self.name = name
        self._client = asked

    async def accounts(self) -> Sequence[SourceAccount]:
        """Return all real accounts.

        Raises:
            SourceFailed: where it does not tell them.
        """
        try:
            found: list[Account] = []
            async for account in self._client.accounts():
                found.append(account)
                if len(found) > MOST_ACCOUNTS:
                    raise SourceStopped(f"the source lists more than {MOST_ACCOUNTS} accounts")
        except client.ClientError as fault:
            raise _failed(fault) from fault
        return [_account(each) for each in found]

    async def history(self, account_id: int, since: Millis, until: Millis) -> Sequence[Snapshot]:
        """Return an account's chart between two moments, by whole days.

        Raises:
            SourceFailed: where it does not tell it.
        """
        call = client.AsyncClient.chart(account_id, date_from=_day(since), date_to=_day(until))
        points = await self._asked(call)
        return _values(points)

    async def holdings(self, account_id: int) -> Mapping[str, Decimal]:
        """Return what an account's table says that it holds.

        Raises:
            SourceFailed: where it does not tell it, or tells no amounts.
        """
        held: dict[str, Decimal] = {}
        for row in await self._asked(client.AsyncClient.table(account_id)):
            if row.position is None or not _is_usable(row.position):
                raise SourceFailed(f"the source does not tell how much {row.currency_code} it is")
            if row.position > 0:
                code = row.currency_code
                held[code] = money.add(held.get(code, money.ZERO), row.position)
        return held

    async def _asked(self, call: Call[T]) -> T:
        try:
            return await self._client.send(call)
        except client.ClientError as fault:
            raise _failed(fault) from fault


@asynccontextmanager
async def opened(
    base_url: str, auth: client.SignedAuth, waits: Callable[[float], None]
) -> AsyncIterator[ThreeCommas]:
    """Open a source; `waits` hears for how many seconds it asks for patience.

    Raises:
        UsageError: for what is no address.
    """
    waited = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal waited
        # A moment that has passed already is no leave to ask again at once.
        seconds = max(seconds, 1.0)
        waited += seconds
        if waited > MOST_WAITING:
            raise SourceStopped("the source asks for patience over and over; run it again later")
        waits(seconds)
        await asyncio.sleep(seconds)

    # A token over its limit is refused for five minutes there.
    patience = client.Patience(tries=6, longest=330.0, pause=5.0)
    async with bounded() as http:
        try:
            asked = client.AsyncClient(
                base_url, auth, mode="real", patience=patience, http=http, sleep=sleep
            )
        except ValueError as fault:
            raise UsageError(f"--base-url: {fault}") from fault
        async with asked:
            yield ThreeCommas(asked, asked.base_url)


def bounded() -> httpx.AsyncClient:
    """Return a client that reads no answer without end: `SourceStopped` for one that is too long.

    It asks for answers that are not compressed, whose length is what comes.
    """
    return httpx.AsyncClient(
        timeout=TIMEOUT,
        headers={"Accept-Encoding": "identity"},
        transport=_Bounded(httpx.AsyncHTTPTransport()),
    )


class _Bounded(httpx.AsyncBaseTransport):
    """Passes answers on, up to their bounds."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise SourceStopped("the source compresses its answers though asked not to")
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _BoundedStream(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    """The bytes of an answer, up to its bounds."""

    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        came, until = 0, time.monotonic() + MOST_SECONDS
        async for part in self._inner:
            came += len(part)
            if came > MOST_BYTES:
                raise SourceStopped(f"the source answers more than {MOST_BYTES >> 20} MB at once")
            if time.monotonic() > until:
                raise SourceStopped(f"the source answers for more than {MOST_SECONDS:.0f} seconds")
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


def _failed(fault: client.ClientError) -> SourceFailed:
    kind = SourceStopped if isinstance(fault, _STOPS) else SourceFailed
    match fault:
        case client.AccessDenied():
            return kind(f"the source lets its API key read no accounts ({fault})")
        case client.Unauthorized():
            return kind(f"the source refuses its API key or secret ({fault})")
        case _:
            return kind(f"the source: {fault}")


def _account(told: Account) -> SourceAccount:
    created = told.created_at
    return SourceAccount(
        id=told.id,
        name=told.name,
        market_code=told.market_code or "",
        api_key=_whole(told.api_key or ""),
        address=told.address or None,
        customer_id=told.customer_id or None,
        subaccount_name=told.subaccount_name or None,
        include_in_summary=told.include_in_summary is not False,
        created_at=None if created is None else Millis(int(created.timestamp()) * SECOND),
    )


def _whole(api_key: str) -> str:
    """Return an API key, "" for a masked one: by stars, or by the dots that a Coffers writes."""
    return "" if "*" in api_key or "..." in api_key else api_key


def _values(points: Sequence[Point]) -> list[Snapshot]:
    """Return the points that tell a value, from the first one on that is not nothing."""
    found: list[Snapshot] = []
    for point in sorted(points, key=lambda each: each.date):
        if point.btc is None or point.usd is None:
            continue
        if not (found or point.btc or point.usd):
            continue
        is_moment = 0 <= point.date <= LATEST
        if not (is_moment and _is_usable(point.btc) and _is_usable(point.usd)):
            raise SourceFailed(f"the source tells a value at {point.date} that is none")
        found.append(Snapshot(Millis(point.date * SECOND), Value(point.btc, point.usd)))
    return found


def _is_usable(amount: Decimal) -> bool:
    if not amount.is_finite():
        return False
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent > -MOST_DIGITS and amount.adjusted() < MOST_DIGITS


def _day(moment: Millis) -> str:
    return datetime.fromtimestamp(moment // SECOND, UTC).date().isoformat()
