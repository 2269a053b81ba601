"""`coffers doctor`: looks at everything that the server needs, and says what is wrong.

It makes nothing and changes nothing: what is not there yet, it says.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import out, print_json
from coffers.cli.rooms import load_exchange_library, run_async
from coffers.clock import MINUTE, SystemClock
from coffers.errors import CoffersError
from coffers.logs import configure_logs
from coffers.settings import load_settings

if TYPE_CHECKING:
    from coffers.settings import Settings
    from coffers.store.engine import Store

LITTLE_SPACE = 256 * 1024 * 1024
REACHED_BY = 5.0
"""Seconds in which an exchange, or the gateway to all of them, must take a connection."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found. A warning does not fail the whole."""

    subject: str
    state: str
    said: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check settings, database, key, clock and reachability; exit code 1 when one fails."""
    findings = run_async(_findings())
    if as_json:
        print_json([{"subject": f.subject, "state": f.state, "said": f.said} for f in findings])
    else:
        marks = {"ok": "[green]ok  [/]", "warning": "[yellow]warn[/]", "failed": "[red]FAIL[/]"}
        for found in findings:
            said = found.said.replace("[", "\\[")
            out.print(f"{marks[found.state]} {found.subject:<11} {said}", soft_wrap=True)
    if any(found.state == "failed" for found in findings):
        raise typer.Exit(1)


async def _findings() -> list[Finding]:
    try:
        settings = load_settings()
    except CoffersError as error:
        return [Finding("settings", "failed", str(error))]
    configure_logs("error", settings.log_format)
    found = [Finding("settings", "ok", "all COFFERS_ variables are known and valid")]
    found.append(await _look("data", lambda: _data_dir(settings)))
    found += await _of_store(settings)
    found.append(await _look("exchanges", lambda: _exchanges(settings)))
    found.append(await _look("reach", lambda: _reach(settings)))
    found.append(await _look("prices", lambda: _price_venues(settings)))
    if settings.chains_file is not None:
        found.append(await _look("chains", lambda: _chains(settings)))
    if settings.valkey_url is not None:
        found.append(await _look("valkey", lambda: _valkey(settings)))
    return found


async def _price_venues(settings: "Settings") -> Finding:
    from coffers.markets.catalogue import load_catalogue

    load_catalogue().check_price_venues(settings.price_venues)
    asked = ", ".join(settings.price_venues) or "no exchange"
    verb = "are" if len(settings.price_venues) > 1 else "is"
    return Finding("prices", "ok", f"{asked} {verb} asked for what lies at none")


async def _chains(settings: "Settings") -> Finding:
    from coffers.markets.chains import load_chains

    chains = sum(1 for _ in load_chains(settings))
    return Finding("chains", "ok", f"{settings.chains_file} can be used: {chains} chains in all")


async def _look(subject: str, look: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await look()
    except Exception as error:  # noqa: BLE001 - one that fails leaves the others to be looked at
        return _failed(subject, error)


def _failed(subject: str, error: Exception) -> Finding:
    match error:
        case CoffersError():
            return Finding(subject, "failed", str(error))
        case OSError(strerror=str(reason), filename=name):
            return Finding(subject, "failed", reason if name is None else f"{name}: {reason}")
    return Finding(subject, "failed", f"unexpected {type(error).__name__}")


async def _data_dir(settings: "Settings") -> Finding:
    return _of_directory(settings)


def _of_directory(settings: "Settings") -> Finding:
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except FileNotFoundError:
        said = f"{settings.data_dir} does not exist yet; what is started first makes it"
        return Finding("data", "warning", said)
    state = "warning" if free < LITTLE_SPACE else "ok"
    return Finding("data", state, f"{settings.data_dir}, {free // 1024**2} MB free")


async def _of_store(settings: "Settings") -> list[Finding]:
    from coffers.store.engine import Store

    try:
        direct = settings.direct_database()
        if (missing := _missing_file(settings)) is not None:
            return [missing]
        store = Store(settings.database(), is_pooled=settings.is_pooled)
        try:
            return await _of_tables(store) or [
                Finding("database", "ok", f"{store.database.dialect}, tables are current"),
                *(await _of_server(direct, store)),
                await _look("master key", lambda: _key(settings, store)),
                await _look("clock", lambda: _clock(store)),
                await _look("accounts", lambda: _accounts(store)),
            ]
        finally:
            await store.close()
    except Exception as error:  # noqa: BLE001 - as above
        return [_failed("database", error)]


def _missing_file(settings: "Settings") -> Finding | None:
    """Tell of a SQLite file that nobody has made yet: to open it would make it."""
    from sqlalchemy.engine import make_url

    url = make_url(settings.database())
    if url.get_backend_name() != "sqlite":
        return None
    try:
        Path(url.database or "").stat()
    except FileNotFoundError:
        pass
    else:
        return None
    said = f"there is no database here yet ({url.database}); what is started first makes it"
    return Finding("database", "warning", said)


async def _of_tables(store: "Store") -> list[Finding]:
    """Tell of tables that are not this release's, which nothing else can be read of."""
    from coffers.store.migrate import check_known, revision
    from coffers.store.revision import is_current

    if await is_current(store):
        return []
    found = await revision(store)
    check_known(found)
    if store.database.dialect == "sqlite":
        said = "what is started next brings its tables to this release"
        return [Finding("database", "warning", said)]
    said = f"it is at revision {found or 'none'}; bring it to this release with: coffers migrate"
    return [Finding("database", "failed", said)]


async def _of_server(direct: str, store: "Store") -> list[Finding]:
    if store.database.dialect != "postgresql":
        return []
    return [
        await _look("connections", lambda: _connections(store)),
        await _look("notices", lambda: _notices(direct, store)),
    ]


async def _connections(store: "Store") -> Finding:
    from coffers.store.budget import API, WORKER, room_of

    room = await room_of(store)
    said = (
        f"{room.taken} of {room.most} are taken; an API process takes {API.total} at the most, "
        f"a worker {WORKER.total}"
    )
    return Finding("connections", "warning" if room.is_short else "ok", said)


async def _notices(direct: str, store: "Store") -> Finding:
    await store.listen(direct, ())
    if store.notices.is_up:
        return Finding("notices", "ok", "what other processes tell is heard")
    said = "nothing is heard; does COFFERS_DATABASE_DIRECT_URL lead to the server itself?"
    return Finding("notices", "failed", said)


async def _key(settings: "Settings", store: "Store") -> Finding:
    from coffers.portfolio.vaulting import looked_at

    found = await looked_at(settings, store)
    if found is None:
        return Finding("master key", "warning", "there is none yet, and nothing is sealed")
    if not found.is_known:
        said = f"key {found.key_id} opens what is stored; nothing is sealed under it yet"
        return Finding("master key", "ok", said)
    return Finding("master key", "ok", f"key {found.key_id} opens what is stored")


async def _clock(store: "Store") -> Finding:
    """Compare this machine's clock with the newest price book: time must not run backwards."""
    async with store.reading() as tx:
        book = await tx.prices.newest()
    now = SystemClock().now()
    if book is not None and book.at > now + MINUTE:
        late = (book.at - now) // 1000
        return Finding("clock", "failed", f"it is {late} s behind what the database has seen")
    age = "no prices yet" if book is None else f"newest prices are {(now - book.at) // 1000} s old"
    return Finding("clock", "ok", f"not behind the database; {age}")


async def _accounts(store: "Store") -> Finding:
    async with store.reading() as tx:
        counts = await tx.accounts.counts(SystemClock().now())
        failing = await tx.accounts.failing()
    state = "warning" if counts.locked or counts.overdue or failing else "ok"
    told = f"{counts.locked} locked, {counts.overdue} overdue"
    if failing:
        unread = ", ".join(f"{failing[market]} of {market}" for market in sorted(failing))
        told = f"{told}, not read at the last try: {unread}"
    return Finding("accounts", state, told)


async def _exchanges(_settings: "Settings") -> Finding:
    load_exchange_library()
    return Finding("exchanges", "ok", "the exchange library is installed")


async def _reach(settings: "Settings") -> Finding:
    from urllib.parse import urlsplit

    parts = urlsplit(settings.exchange_gateway or "https://api.binance.com")
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(REACHED_BY):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        state = "failed" if settings.exchange_gateway else "warning"
        return Finding("reach", state, f"no connection to {host}:{port} ({type(error).__name__})")
    writer.close()
    return Finding("reach", "ok", f"{host}:{port} takes connections")


async def _valkey(settings: "Settings") -> Finding:
    from coffers.valkey.server import Gone, server_of

    server = server_of(settings)
    if server is None:
        return Finding("valkey", "ok", "no server is named; each process counts by itself")
    try:
        await server.check()
    except Gone as gone:
        return Finding("valkey", "failed", f"{gone}; meanwhile each process counts by itself")
    return Finding("valkey", "ok", "processes share limits, bans and the pace of exchanges")
