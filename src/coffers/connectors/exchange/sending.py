"""One request to a venue, and all of its answer.

ccxt's own way to send takes in an answer of any length, and looks for nine settings of proxies that
nobody sets: with its timers that is a twentieth of the processor time of a reading.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientResponse, ClientSession, ClientTimeout
from yarl import URL

LARGEST_ANSWER: Final = 64 * 1024 * 1024
"""Bytes of an unpacked answer. The longest that are heard of, lists of all markets, have 10 to 20
million; one without an end would take the memory of all other accounts."""

_UNTIMED: Final = ClientTimeout()


class TooLong(Exception):
    """An answer is longer than any that a venue has reason to give."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the text is as it was sent, but for white space around it."""

    status: int
    reason: str
    headers: Mapping[str, str]
    text: str


async def send(
    session: ClientSession,
    method: str,
    url: str,
    headers: dict[str, str],
    body: str | None,
    seconds: float,
) -> Answer:
    """Send a request whose address is encoded as it was signed, and return the answer.

    Args:
        session: whose connections are used.
        method: of HTTP.
        url: where to.
        headers: all that are sent, but for those that HTTP itself needs.
        body: as it was signed.
        seconds: after which it is given up, wherever it has come by then.

    Raises:
        TimeoutError, OSError, aiohttp.ClientError: when no answer came, or not all of it.
        TooLong: when it has no end to speak of.
    """
    data = body.encode() if body else None
    async with (
        asyncio.timeout(seconds),
        session.request(
            method, URL(url, encoded=True), data=data, headers=headers, timeout=_UNTIMED
        ) as response,
    ):
        text = await _text(response)
        return Answer(response.status, response.reason or "", dict(response.headers), text.strip())


async def _text(response: ClientResponse) -> str:
    parts: list[bytes] = []
    length = 0
    async for part in response.content.iter_any():
        length += len(part)
        if length > LARGEST_ANSWER:
            raise TooLong
        parts.append(part)
    # JSON is UTF-8; of anything else no more is read than that it is no JSON.
    return b"".join(parts).decode(errors="replace")
