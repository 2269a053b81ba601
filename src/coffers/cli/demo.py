"""`coffers demo`: everything at once on this machine, with a simulated exchange and no keys."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli import children
from coffers.cli.console import err, out, print_json
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.errors import CoffersError, UsageError

if TYPE_CHECKING:
    from coffers.portfolio.tokens import IssuedToken

SEED = 20_260_101
READY_WITHIN = 60.0
"""Seconds in which the server must answer that it is ready, and its worker be at work."""

REMOVED_WITHIN = 20.0
"""Seconds in which a directory must be gone that nobody asked to keep."""

INTERRUPTED = 130
"""Exit code of a program that was told to end, as shells have it."""

LIST = "/public/api/ver1/accounts"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client needs to know of a running demo."""

    base_url: str
    api_key: str
    secret: str
    sandbox_url: str
    pages_url: str


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port of the API; 0 takes a free one.")
    ] = 8787,
    data_dir: Annotated[
        Path | None, typer.Option(help="An empty directory to keep the data in.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object when it is ready.")
    ] = False,
) -> None:
    """Start everything with a simulated exchange, live through a month, and print a signed curl."""
    with nullcontext(_empty(data_dir)) if data_dir else passing_place() as place:
        try:
            run_async(_demo(_free(port), place, as_json=as_json))
        except asyncio.CancelledError:
            raise typer.Exit(INTERRUPTED) from None


@contextmanager
def passing_place() -> Iterator[Path]:
    """Lend a new directory, and remove it with all that is in it.

    A server that was killed leaves its worker for a moment, which may write while the directory is
    being emptied.
    """
    place = Path(tempfile.mkdtemp(prefix="coffers-demo-"))
    try:
        yield place
    finally:
        given_up = time.monotonic() + REMOVED_WITHIN
        while place.exists():
            if time.monotonic() > given_up:
                err.print(f"{place} could not be removed", soft_wrap=True, markup=False)
                break
            shutil.rmtree(place, ignore_errors=True)
            time.sleep(0.05)


def _empty(data_dir: Path) -> Path:
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise UsageError(f"{data_dir} is not an empty directory; the demo begins anew in one")
    return data_dir.resolve()


def _free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CoffersError(
                f"cannot listen on 127.0.0.1:{port}: {error.strerror}; try: coffers demo --port 0"
            ) from error
        number: int = probe.getsockname()[1]
    return number


async def _demo(port: int, data_dir: Path, *, as_json: bool) -> None:
    from coffers.cli.demo_month import MONTH_AGO, ShiftedClock, live_through_month
    from coffers.sandbox.exchange import Exchange
    from coffers.sandbox.server import running

    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine that runs is a task's
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    clock = ShiftedClock(MONTH_AGO)
    async with running(Exchange(SEED, clock.now)) as sandbox_url:
        _set_up_environment(data_dir, sandbox_url)
        issued = await live_through_month(settings_for(), sandbox_url, clock)
        async with _served(port) as (server, base_url):
            shown = _shown(issued, base_url, sandbox_url)
            if as_json:
                print_json(shown)
            else:
                _tell(shown)
            await asyncio.to_thread(server.wait)
            raise CoffersError("the server ended by itself")


def _set_up_environment(data_dir: Path, sandbox_url: str) -> None:
    """Settle what the demo is about for this process and the server; the rest stays the user's."""
    from coffers.cli.demo_month import USER

    os.environ |= {
        "COFFERS_DATA_DIR": str(data_dir),
        "COFFERS_EXCHANGE_GATEWAY": sandbox_url,
        "COFFERS_SYNC_INTERVAL": "60",
        "COFFERS_HOST": "127.0.0.1",
        "COFFERS_DEMO_USER": USER,
        "COFFERS_LOG_LEVEL": os.environ.get("COFFERS_LOG_LEVEL", "error"),
    }
    for other in ("DATABASE_URL", "DATABASE_DIRECT_URL", "MASTER_KEY"):
        os.environ.pop(f"COFFERS_{other}", None)
        os.environ.pop(f"COFFERS_{other}_FILE", None)


@asynccontextmanager
async def _served(port: int) -> AsyncIterator[tuple[subprocess.Popen[bytes], str]]:
    server = children.start(["serve", "--no-first-run", "--host", "127.0.0.1", "--port", str(port)])
    try:
        base_url = f"http://127.0.0.1:{port}"
        try:
            async with asyncio.timeout(READY_WITHIN):
                await _wait_until_ready(base_url, server)
                await _wait_for_worker(server)
        except TimeoutError:
            late = f"the server and its worker did not start in {READY_WITHIN:.0f} seconds"
            raise CoffersError(late) from None
        yield server, base_url
    finally:
        await asyncio.to_thread(children.end, server)


async def _wait_until_ready(base_url: str, server: subprocess.Popen[bytes]) -> None:
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:
        while server.poll() is None:
            try:
                if (await client.get(f"{base_url}/readyz")).is_success:
                    return
            except httpx.TransportError:
                await _wait_for_worker(server)
            await asyncio.sleep(0.1)
    raise CoffersError("the server did not start")


async def _wait_for_worker(server: subprocess.Popen[bytes]) -> None:
    """Wait for the worker, too: until then, whoever connects an account is told of none."""
    from coffers.store.leases import PRICES

    async with opened_store(settings_for()) as store:
        while server.poll() is None:
            async with store.reading() as tx:
                if await tx.leases.get(PRICES) is not None:
                    return
            await asyncio.sleep(0.1)
    raise CoffersError("the server ended by itself")


def _shown(issued: "IssuedToken", base_url: str, sandbox_url: str) -> Shown:
    secret = issued.secret.reveal() if issued.secret else ""
    return Shown(base_url, issued.token.api_key, secret, sandbox_url, f"{base_url}/")


def _tell(shown: Shown) -> None:
    from coffers.client import SignedAuth
    from coffers.portfolio.signed_calls import curl_command

    headers = SignedAuth(shown.api_key, shown.secret).headers(LIST.encode())
    out.print("\n[bold]Coffers is running[/], with three accounts at a simulated exchange.\n")
    out.print(f"  Pages    {shown.pages_url}", soft_wrap=True)
    out.print("           (whoever opens them on this machine is signed in as the demo's user)")
    out.print(f"  API      {shown.base_url}")
    out.print(f"  Docs     {shown.base_url}/docs")
    out.print(f"  Exchange {shown.sandbox_url} (simulated)\n")
    out.print("Paste this into another terminal:\n")
    out.print(curl_command(shown.base_url, "GET", LIST, "", headers), soft_wrap=True, markup=False)
    out.print(f"\nAPI key {shown.api_key}", soft_wrap=True)
    out.print(f"Secret  {shown.secret}", soft_wrap=True)
    err.print("\nCtrl-C ends it; nothing is kept unless you gave --data-dir.")
