"""`coffers serve`: the API, and unless told otherwise a worker beside it."""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.children import KeptRunning, when_parent_ends
from coffers.cli.rooms import opened_store, opened_vault, run_async, service_settings, tell
from coffers.clock import SystemClock
from coffers.errors import CoffersError

_NAME = "coffers.serve"

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a directory of ours is made in it

if TYPE_CHECKING:
    from coffers.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="COFFERS_HOST, for this run.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="COFFERS_PORT, for this run.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes of the API.")] = 1,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Read no accounts: a worker runs elsewhere.")
    ] = False,
    until_stdin_closes: Annotated[
        bool,
        typer.Option(hidden=True, help="End when standard input ends: with the parent process."),
    ] = False,
    no_first_run: Annotated[
        bool, typer.Option(hidden=True, help="Let nobody make a first user at the pages.")
    ] = False,
) -> None:
    """Serve the API; a worker process is started beside it."""
    settings = service_settings(host=host, port=port)
    with _shared_metrics(), _listening(settings) as listener:
        code = run_async(_checked(settings, may_begin=not no_first_run))
        os.environ["COFFERS_HOST"] = settings.host
        os.environ["COFFERS_PORT"] = str(listener.getsockname()[1])
        beside = None if no_worker else KeptRunning(["worker"])
        if beside is not None:
            beside.start()
        if until_stdin_closes:
            when_parent_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))
        # The server hands the signal on when it has finished: what is left to do here is done then.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave)
        try:
            _run_api(settings, listener, workers, code)
        finally:
            if beside is not None:
                beside.stop()


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _run_api(settings: "Settings", listener: socket.socket, workers: int, code: str | None) -> None:
    from coffers.api.server import run
    from coffers.api.surroundings import address_to_open, is_every_address

    address = address_to_open(settings.host, listener.getsockname()[1])
    also = ", on all addresses of this machine" if is_every_address(settings.host) else ""
    tell(settings, _NAME, f"Coffers serves {address}{also}", address=address)
    if code is not None:
        page = f"{settings.base_url or address}/welcome"
        told = f"Nobody can sign in yet: open {page}; the code is {code}"
        tell(settings, _NAME, told, page=page, code=code)
    run(listener, workers, "coffers.cli.site:app")


async def _checked(settings: "Settings", *, may_begin: bool) -> str | None:
    """Find out now what would else fail later, or in a child: settings, database, master key.

    Returns:
        The code by which the first user is made, None where somebody can sign in already.
    """
    from coffers.access.passwords import Passwords
    from coffers.markets.chains import catalogue_of
    from coffers.portfolio.sign_in import SignIn

    catalogue_of(settings).check_price_venues(settings.price_venues)
    async with opened_store(settings) as store:
        await opened_vault(settings, store)
        signing = SignIn(store, Passwords(), SystemClock())
        return await signing.first_run_code() if may_begin else None


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """Give all processes of this server one place to count in, before they load the library."""
    # In memory where there is such a place: the files are mapped, and a disk that fills up under
    # a mapped file kills the process.
    home = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    directory = tempfile.mkdtemp(prefix="coffers-metrics-", dir=home)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
    try:
        yield
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _listening(settings: "Settings") -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
            listener.listen(2048)
        except OSError as error:
            raise CoffersError(
                f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; "
                "choose another with --port or COFFERS_PORT"
            ) from error
        listener.set_inheritable(True)
        yield listener
