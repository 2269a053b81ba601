"""`coffers sandbox`: a simulated exchange, for trying things out and for tests."""

from typing import Annotated

import typer

from coffers.cli.rooms import run_async, service_settings, tell
from coffers.errors import CoffersError

_NAME = "coffers.sandbox"


def sandbox(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 9000,
    seed: Annotated[int, typer.Option(help="The world's number: the same gives the same.")] = 1,
) -> None:
    """Run a simulated exchange that speaks Binance's spot REST."""
    from coffers.api.surroundings import address_to_open
    from coffers.sandbox.server import listening, serve

    settings = service_settings()
    try:
        listener = listening(host, port)
    except OSError as error:
        raise CoffersError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    with listener:
        address = address_to_open(host, listener.getsockname()[1])
        tell(
            settings,
            _NAME,
            f"A simulated exchange runs on {address}; no real money, keys and secrets are made up",
            address=address,
        )
        hint = (
            "Point Coffers at it with COFFERS_EXCHANGE_GATEWAY; GET /_sandbox tells what it can do"
        )
        tell(settings, _NAME, hint)
        run_async(serve(listener, seed))
