"""`GET /public/api/ver1/accounts`: the route that clients ask all the time, without a framework.

A list that is ready costs one look-up of the token, the check of the signature, and the sending.
"""

from typing import Final

from starlette.types import Receive, Scope, Send

from coffers.access.tokens import Permission
from coffers.api.door import Door
from coffers.api.edge import REPLY
from coffers.api.errors import MethodNotAllowed
from coffers.api.params import FIRST_PAGE, page_wanted
from coffers.api.ready import ReadyLists
from coffers.api.surroundings import HEADERS, Headers, Surroundings
from coffers.api.validators import is_unchanged
from coffers.serving.encodings import coding_for

_PERMISSION: Final[Permission] = "accounts_read"
_ALLOWED: Final = ("GET", "HEAD")


class AccountList:
    """The route as an ASGI application."""

    def __init__(self, door: Door, surroundings: Surroundings, lists: ReadyLists) -> None:
        self._door = door
        self._surroundings = surroundings
        self._lists = lists

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["method"] not in _ALLOWED:
            raise MethodNotAllowed(_ALLOWED)
        caller = await self._door.admit(scope, receive, _PERMISSION)
        query = scope["query_string"]
        wanted = page_wanted(query) if query else FIRST_PAGE
        base_url = self._surroundings.base_url(scope)
        headers: Headers = scope[HEADERS]
        coding = coding_for(headers.get(b"accept-encoding", b"identity"))
        ready, answer = await self._lists.answer(caller, wanted, base_url, coding)
        status, known = 200, headers.get(b"if-none-match")
        if known is not None and is_unchanged(known, ready.tag):
            status, answer = 304, ready.unchanged
        if not scope[REPLY](status, answer.lines, answer.body):
            await send({"type": "http.response.start", "status": status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})
