"""The baseline: a raw ASGI route that answers with the same bytes each time, on the same server.

Run as `python -m bench.static_server PORT FILE` for the bytes of a file, and as
`python -m bench.static_server PORT --unchanged TAG` for a 304 with an entity tag.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn

Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[..., Awaitable[None]]


def app_of(body: bytes) -> App:
    """Return an ASGI application that always answers with this body."""
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    return _answering(200, headers, body)


def unchanged(tag: str) -> App:
    """Return an ASGI application that always answers that nothing changed."""
    return _answering(304, [(b"etag", tag.encode())], b"")


def _answering(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> App:
    start = {"type": "http.response.start", "status": status, "headers": headers}
    rest = {"type": "http.response.body", "body": body}

    async def app(_scope: dict[str, Any], _receive: object, send: Send) -> None:
        await send(start)
        await send(rest)

    return app


if __name__ == "__main__":
    port, *what = sys.argv[1:]
    # As in coffers.api.server, so that only the route differs.
    uvicorn.run(
        unchanged(what[1]) if what[0] == "--unchanged" else app_of(Path(what[0]).read_bytes()),
        host="127.0.0.1",
        port=int(port),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )
