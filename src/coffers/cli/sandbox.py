"""`coffers sandbox`: a simulated exchange, for trying things out and for tests."""

import socket
from typing import Annotated

import typer

from coffers.cli.console import err
from coffers.cli.rooms import run_async
from coffers.errors import CoffersError


def sandbox(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 9000,
    seed: Annotated[int, typer.Option(help="The world's number: the same gives the same.")] = 1,
) -> None:
    """Run a simulated exchange that speaks Binance's spot REST."""
    from coffers.sandbox.server import serve

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CoffersError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    err.print(
        "A simulated exchange: no real money, keys and secrets are made up.\n"
        "Point Coffers at it with COFFERS_EXCHANGE_GATEWAY; GET /_sandbox tells what it can do."
    )
    run_async(serve(host, port, seed))
