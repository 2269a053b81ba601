"""The baseline: a raw ASGI route that answers with a file's bytes, on the same kind of server.

Run as `python -m bench.static_server PORT FILE`.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn

Send = Callable[[dict[str, Any]], Awaitable[None]]


def app_of(body: bytes) -> Callable[..., Awaitable[None]]:
    """Return an ASGI application that always answers with this body."""
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
        ],
    }
    rest = {"type": "http.response.body", "body": body}

    async def app(_scope: dict[str, Any], _receive: object, send: Send) -> None:
        await send(start)
        await send(rest)

    return app


if __name__ == "__main__":
    # As in coffers.api.server, so that only the route differs.
    uvicorn.run(
        app_of(Path(sys.argv[2]).read_bytes()),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )
