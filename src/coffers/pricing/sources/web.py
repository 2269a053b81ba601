"""One GET to a source over HTTPS: bounded in time and size, numbers kept as they were written."""

import asyncio
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from coffers.clock import SECOND, Clock, Millis
from coffers.pricing.sources.source import SourceFailure
from coffers.tls import believed

MOST_BYTES = 1024 * 1024
"""The longest answer that is read."""

# Not compressed: the bound on what is read is then one on what is kept.
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "coffers"}


class Web:
    """Asks sources; belongs to one event loop.

    Args:
        gateway: where all calls go instead, as `<gateway>/<source>/<host><path>`; None for the
            sources themselves.
        timeout: seconds that one call may take as a whole.
        clock: the time, to read a `Retry-After` with a date.
    """

    def __init__(self, gateway: str | None, timeout: float, clock: Clock) -> None:
        self._gateway = gateway
        self._timeout = timeout
        self._clock = clock
        self._client = httpx.AsyncClient(
            headers=_HEADERS, timeout=timeout, trust_env=False, verify=believed()
        )

    async def get(self, source: str, host: str, target: str) -> object:
        """Return the JSON that a source answers, every fractional number as its text.

        Raises:
            SourceFailure: when no answer came, or none of status 200 with JSON within the bounds.
        """
        base = "https:/" if self._gateway is None else f"{self._gateway}/{source}"
        try:
            async with asyncio.timeout(self._timeout):
                body = await self._read(source, f"{base}/{host}{target}")
        except (TimeoutError, httpx.TimeoutException) as error:
            raise SourceFailure(f"{source} did not answer in {self._timeout:g} s") from error
        except httpx.HTTPError as error:
            raise SourceFailure(f"{source} cannot be reached ({type(error).__name__})") from error
        return _json(source, body)

    async def close(self) -> None:
        """Give back every connection."""
        await self._client.aclose()

    async def _read(self, source: str, url: str) -> bytes:
        async with self._client.stream("GET", url) as answer:
            if answer.status_code != HTTPStatus.OK:
                raise SourceFailure(
                    f"{source} answered with status {answer.status_code}",
                    _retry_after(answer.headers.get("retry-after"), self._clock.now()),
                )
            body = bytearray()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > MOST_BYTES:
                    raise SourceFailure(f"{source} answered more than {MOST_BYTES} bytes")
            return bytes(body)


def _json(source: str, body: bytes) -> object:
    try:
        return json.loads(body, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise SourceFailure(f"{source} answered something that is no JSON") from error


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _retry_after(text: str | None, now: Millis) -> Millis | None:
    """Return the span that the header asks for: seconds, or a date (RFC 9110, 10.2.3)."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < len(str(now)):
        return Millis(int(text) * SECOND)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Millis(max(0, round(since_epoch.total_seconds() * SECOND) - now))
