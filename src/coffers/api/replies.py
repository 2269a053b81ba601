"""Answers of the routes that are made for each request: JSON, not to be kept by anybody."""

from collections.abc import Sequence

from fastapi.responses import Response

from coffers.api.paging import Header


def json_reply(body: bytes, status: int = 200, headers: Sequence[Header] = ()) -> Response:
    """Return an answer with a JSON body that is encoded already."""
    told = {name.decode(): value.decode() for name, value in headers}
    told["cache-control"] = "no-store"
    return Response(body, status, told, media_type="application/json")
