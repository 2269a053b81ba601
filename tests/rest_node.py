"""A node that answers REST calls from a table of a test's, over real HTTP."""

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class Asked:
    """A call as the node received it."""

    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


class RestNode(ABC):
    """Answers as a subclass knows, unless a test says otherwise.

    `answers` and `statuses` replace what is answered, by the beginning of a path.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, object] = {}
        self.statuses: dict[str, int] = {}

    @abstractmethod
    def answer(self, asked: Asked) -> object:
        """Return what the node knows, None where it knows no such path."""

    def count(self, beginning: str) -> int:
        """Return how often a path with this beginning was asked."""
        return sum(each.path.startswith(beginning) for each in self.asked)

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): text.decode() for name, text in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode()))
        asked = Asked(scope["path"], query, json.loads(body) if body else None, headers)
        self.asked.append(asked)
        status, answer = self._reply(asked)
        sent = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _reply(self, asked: Asked) -> tuple[int, object]:
        for beginning, status in self.statuses.items():
            if asked.path.startswith(beginning):
                return status, {"code": 5, "message": "no"}
        for beginning, answer in self.answers.items():
            if asked.path.startswith(beginning):
                return 200, answer
        told = self.answer(asked)
        return (404, {"code": 12}) if told is None else (200, told)


JUNK: list[object] = [None, {}, [], "ok", 0, [{}], {"error": "busy"}, {"result": []}]
"""What a node answers that is broken."""
