"""What the pages cost the server: the overview of 100 accounts, and an account of 1,000 positions.

Processor time per request as for lists, and what the first page weighs with all that it loads.
"""

import asyncio
import re
from decimal import Decimal
from pathlib import Path

from bench.client import Answer, Client
from bench.processes import Server, median_of
from bench.results import Row, Target
from bench.seed import asset, new_book, settings_in
from bench.servers import STATIC, Runner, static, taking_turns

from coffers.access.passwords import Passwords
from coffers.cli.rooms import opened_store
from coffers.clock import HOUR, MINUTE, Millis, SystemClock
from coffers.portfolio.guessing import Visitor
from coffers.portfolio.sign_in import SignIn
from coffers.store.engine import Store
from coffers.store.records import AccountStatus, NewAccount, SyncState
from coffers.valuation.model import Position
from coffers.web.forms import COOKIE

REQUESTS, REQUESTS_OF_MANY = 20, 4
ROUNDS = 9
COLD_ROUNDS = 20
MANY = 1_000
USER = "bench100"
CODINGS = "gzip, deflate, br, zstd"
"""What browsers accept."""

WARM_TARGET = Target(40.0, of_value=True)
MANY_TARGET = Target(1_000.0, of_value=True)
WEIGHT_TARGET = Target(150.0, of_value=True)

_LINKED = re.compile(rb'(?:href|src)="(/static/[^"]+)"')
_IMPORTED = re.compile(rb'from "\./([a-z]+\.js)"')


def measure_pages(server: Server, data_dir: Path, work: Path) -> list[Row]:
    """Return the rows of the pages."""
    cookie, account_id = asyncio.run(_prepare(data_dir))
    headers = {"Cookie": f"{COOKIE}={cookie}", "Accept-Encoding": CODINGS}
    rows = []
    for path, what, requests, target in (
        ("/", "overview of 100 accounts", REQUESTS, WARM_TARGET),
        (f"/accounts/{account_id}", f"account of {MANY:,} positions", REQUESTS, MANY_TARGET),
        (f"/accounts/{account_id}?all=1", "all of these shown", REQUESTS_OF_MANY, MANY_TARGET),
    ):
        with Client(server.port, path, headers) as client:
            rows.append(_warm(Runner(what, server, (client,)), work, requests, target))
    with Client(server.port, "/", headers) as client:
        rows.append(asyncio.run(_cold(server, client, data_dir)))
    rows.append(_weight(server.port, headers))
    return rows


async def _prepare(data_dir: Path) -> tuple[str, int]:
    """Sign a user in, with one more account of many positions; return the cookie and its id."""
    async with opened_store(settings_in(data_dir)) as store:
        signing = SignIn(store, Passwords(), SystemClock())
        code = await signing.ticket_for(USER)
        signed_in = await signing.by_code(code, Visitor("127.0.0.1", "bench"))
        account_id = await _account_of_many(store)
        return signed_in.token.reveal(), account_id


async def _account_of_many(store: Store) -> int:
    now = SystemClock().now()
    async with store.transaction() as tx:
        user = await tx.users.by_name(USER)
        if user is None:
            raise RuntimeError(f"there is no user {USER}")
        # Not in the sum, which is that of the accounts beside it.
        new = NewAccount(user.id, "binance", "Many", api_key="many", include_in_summary=False)
        account = await tx.accounts.add(new, identity="many", credential_id="many", now=now)
        held = [
            Position("spot", asset(number), asset(number), Decimal(number + 1), Decimal("0.5"))
            for number in range(MANY)
        ]
        await tx.holdings.replace(user.id, account.id, {"spot"}, held)
        await tx.accounts.record_status(
            user.id,
            account.id,
            AccountStatus(
                SyncState(next_sync_at=Millis(now + HOUR), read_at=Millis(now - MINUTE)),
                "ok",
                is_locked=False,
                lock_reason=None,
            ),
            now,
        )
    return account.id


def _warm(runner: Runner, work: Path, requests: int, target: Target) -> Row:
    kept = work / "page.html"
    kept.write_bytes(_checked(runner.clients[0]).body)
    with static(kept) as other, Client(other.port, "/") as client:
        others = Runner(STATIC, other, (client,))
        own, base = taking_turns({runner: requests, others: requests}, ROUNDS)
    ratios = [theirs / mine for theirs, mine in zip(base, own, strict=True)]
    milliseconds = [median_of(costs) / 1000 for costs in (own, base)]
    name = f"page: {runner.name}, server CPU"
    return Row(
        name,
        milliseconds[0],
        "ms",
        f"{STATIC}, same bytes",
        milliseconds[1],
        median_of(ratios),
        target,
    )


async def _cold(server: Server, client: Client, data_dir: Path) -> Row:
    store = Store(settings_in(data_dir).database())
    costs: list[float] = []
    try:
        for number in range(1, COLD_ROUNDS + 1):
            await new_book(store, number)
            begun = server.cpu_ns()
            _checked(client)
            costs.append((server.cpu_ns() - begun) / 1e6)
    finally:
        await store.close()
    return Row("page: overview of 100 accounts (new prices), server CPU", median_of(costs), "ms")


def _weight(port: int, headers: dict[str, str]) -> Row:
    """Return the row of what a browser is sent that comes to the overview for the first time."""
    page = _answer(port, "/", headers)
    plain = _answer(port, "/", {**headers, "Accept-Encoding": "identity"})
    total = len(page.head) + len(page.body)
    found = [path.decode() for path in _LINKED.findall(plain.body)]
    seen: set[str] = set()
    while found:
        path = found.pop()
        if path in seen:
            continue
        seen.add(path)
        sent = _answer(port, path, headers)
        total += len(sent.head) + len(sent.body)
        text = _answer(port, path, {**headers, "Accept-Encoding": "identity"}).body
        folder = path.rpartition("/")[0]
        found += [f"{folder}/{name.decode()}" for name in _IMPORTED.findall(text)]
    name = f"page: overview of 100 accounts with the {len(seen)} files it loads, as sent"
    return Row(name, total / 1000, "kB", target=WEIGHT_TARGET)


def _answer(port: int, path: str, headers: dict[str, str]) -> Answer:
    with Client(port, path, headers) as client:
        return _checked(client)


def _checked(client: Client) -> Answer:
    answer = client.get()
    if answer.status != 200:  # noqa: PLR2004 - HTTP's
        raise RuntimeError(f"a page answered {answer.status}")
    return answer
