"""The stream of events: what is told, and how a client comes back to where it was."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import msgspec

from coffers.client.call import Call, Parameter
from coffers.client.errors import (
    ApiError,
    TookTooLong,
    Unavailable,
    UnexpectedAnswer,
    error_of,
)

SILENCE = 60.0
"""Seconds without a word, or a comment, after which a connection is lost."""

_KIND = "text/event-stream"
_AWAY = (Unavailable, TookTooLong)  # the second is what a proxy says of a server that hangs

_read = msgspec.json.Decoder(dict[str, Any], float_hook=str).decode


@dataclass(frozen=True, slots=True)
class Told:
    """What the stream tells: `open`, `prices`, `gap`, or a kind of event.

    `data` is as docs/events.md has it; `id` is what to come back with, where it has one.
    """

    event: str
    data: dict[str, Any]
    id: str | None = None


@dataclass(slots=True)
class Place:
    """Where a listener is: the last id, and the seconds to wait before it comes back."""

    last: str | None = None
    retry: float = 3.0
    _lines: dict[str, str] = field(default_factory=dict)

    def take(self, line: str) -> Told | None:
        """Take a line of the stream; return what it ends."""
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "retry" and value.isascii() and value.isdigit():
                self.retry = int(value) / 1000
            elif name == "data" and "data" in self._lines:
                self._lines["data"] += "\n" + value
            elif name in {"id", "event", "data"}:
                self._lines[name] = value
            return None
        lines, self._lines = self._lines, {}
        self.last = lines.get("id", self.last)
        if "data" not in lines:
            return None
        try:
            data = _read(lines["data"])
        except msgspec.DecodeError as fault:
            raise UnexpectedAnswer(f"the stream tells something else: {fault}") from fault
        return Told(lines.get("event", "message"), data, lines.get("id"))

    def call(self, first: Call[bytes]) -> Call[bytes]:
        """Return the call that goes on from here."""
        # A half-told event of a lost connection is told anew.
        self._lines = {}
        if self.last is None:
            return first
        # What it began after counts no longer.
        asked = {name: value for name, value in first.parameters.items() if name != "after"}
        return replace(
            first, parameters=asked, headers={**first.headers, "Last-Event-ID": self.last}
        )


def stream_call(
    after: int | None = None, *, kinds: Sequence[str] = (), account_id: int | None = None
) -> Call[bytes]:
    """The stream of events after one, or from now on."""
    asked: dict[str, Parameter] = {"after": after, "account_id": account_id}
    asked["kind"] = ",".join(kinds) or None
    return Call("GET", "/v1/stream", bytes, asked, {"Accept": _KIND})


def follow(
    first: Call[bytes],
    send: Callable[[Call[bytes]], httpx.Response],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Told]:
    """Listen, and come back whenever the connection is lost; closing it ends it.

    Raises:
        ApiError: where the server refuses for another reason than that it is away.
        UnexpectedAnswer: where something else answers, such as a proxy that leads elsewhere.
    """
    place = Place()
    while True:
        wait: float | None = None
        try:
            response = send(place.call(first))
            try:
                if response.is_error:
                    response.read()
                _check(response)
                for line in response.iter_lines():
                    if (told := place.take(line)) is not None:
                        yield told
            finally:
                response.close()
        except httpx.TransportError:
            wait = place.retry
        except httpx.DecodingError as fault:
            raise UnexpectedAnswer(f"/v1/stream cannot be unpacked: {fault}") from fault
        except _AWAY as refusal:
            wait = _later(refusal)
        sleep(place.retry if wait is None else wait)


async def follow_async(
    first: Call[bytes],
    send: Callable[[Call[bytes]], Any],
    sleep: Callable[[float], Any] = asyncio.sleep,
) -> AsyncIterator[Told]:
    """Listen in the same way for asyncio."""
    place = Place()
    while True:
        wait: float | None = None
        try:
            response = await send(place.call(first))
            try:
                if response.is_error:
                    await response.aread()
                _check(response)
                async for line in response.aiter_lines():
                    if (told := place.take(line)) is not None:
                        yield told
            finally:
                await response.aclose()
        except httpx.TransportError:
            wait = place.retry
        except httpx.DecodingError as fault:
            raise UnexpectedAnswer(f"/v1/stream cannot be unpacked: {fault}") from fault
        except _AWAY as refusal:
            wait = _later(refusal)
        await sleep(place.retry if wait is None else wait)


def _check(response: httpx.Response) -> None:
    if response.is_error:
        raise error_of(response)
    kind = response.headers.get("content-type", "")
    if not (response.is_success and kind.startswith(_KIND)):
        told = f"{response.status_code} {kind}".strip()
        raise UnexpectedAnswer(f"/v1/stream answered no stream: {told}")


def _later(refusal: ApiError) -> float | None:
    return refusal.retry_after
