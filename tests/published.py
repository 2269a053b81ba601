"""A server that speaks the published accounts API as its documents show it, for moving in from.

It checks signatures by itself, pages its list, and can be made to refuse, to fail and to hang.
"""

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

KEY, SECRET = "fake-source-key", "fake-source-secret"
EXAMPLE = json.loads(
    (Path(__file__).parent / "data/compat/list_accounts_example.json").read_text()
)[0]
DAY = timedelta(days=1)

Refusal = Callable[[web.Request], web.Response | None]


@dataclass
class Published:
    """The server: its accounts, their charts by (usd, btc) a day, and what it was asked."""

    accounts: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    usd: dict[int, float] = field(default_factory=dict)
    per_page: int = 2
    refuses: Refusal = lambda _: None
    hangs_at: str | None = None
    asked: Counter[str] = field(default_factory=Counter)
    spans: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def add(self, account_id: int, name: str, market_code: str, **changes: Any) -> None:
        """Add an account in the form of the published example, connected a year and a half ago."""
        since = datetime.now(UTC) - 550 * DAY
        created = since.strftime("%Y-%m-%dT%H:%M:%S.123Z")
        own = {"id": account_id, "name": name, "market_code": market_code}
        self.accounts.append({**EXAMPLE, "created_at": created, **own, **changes})

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        path = request.path.removeprefix("/public/api/ver1/accounts")
        self.asked[path] += 1
        if self.hangs_at is not None and self.hangs_at in path:
            await asyncio.sleep(60)
        body = await request.read()
        if not _is_signed(request, body):
            return _error(401, "signature_invalid", "Provided signature is invalid")
        if (refused := self.refuses(request)) is not None:
            return refused
        assert request.headers["Forced-Mode"] == "real"
        if path == "":
            return self._page(request)
        account_id, _, what = path.removeprefix("/").partition("/")
        if what == "account_table_data":
            return web.json_response(self.tables[int(account_id)], status=201)
        assert what == "balance_chart_data"
        return self._chart(int(account_id), request)

    def _page(self, request: web.Request) -> web.Response:
        # The published API tells no total, and no page is larger than it likes.
        first = (int(request.query["page"]) - 1) * self.per_page
        return web.json_response(self.accounts[first : first + self.per_page])

    def _chart(self, account_id: int, request: web.Request) -> web.Response:
        begin, end = request.query["date_from"], request.query["date_to"]
        self.spans.append((begin, end))
        (account,) = (each for each in self.accounts if each["id"] == account_id)
        day = max(_day(begin), _day(account["created_at"][:10]))
        points = []
        while day <= min(_day(end), datetime.now(UTC)):
            usd = self.usd.get(account_id, 100.25)
            # It tells nothing of the first day but zeros.
            is_first = day == _day(account["created_at"][:10])
            worth = {"usd": 0, "btc": 0} if is_first else {"usd": usd, "btc": usd / 50_000}
            paid = {"usd_deposit_amount": usd, "btc_deposit_amount": 0}
            points.append({"date": int(day.timestamp()), **worth, **paid})
            day += DAY
        return web.json_response(points)


def limited(seconds: int) -> web.Response:
    """Return the published answer to one request too many."""
    answer = _error(429, "rate_limit_exceeded", "Too many requests")
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _error(status: int, code: str, description: str) -> web.Response:
    body = {"error": code, "error_description": description}
    return web.json_response(body, status=status)


def _is_signed(request: web.Request, body: bytes) -> bool:
    target = request.raw_path.encode()
    text = target + (b"?" + body if body else b"")
    expected = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
    return (request.headers.get("Apikey"), request.headers.get("Signature")) == (KEY, expected)


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@asynccontextmanager
async def publishing(source: Published) -> AsyncIterator[Published]:
    """Serve it on a port of this machine."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", source.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    source.url = f"http://{host}:{port}"
    try:
        yield source
    finally:
        await runner.cleanup()
