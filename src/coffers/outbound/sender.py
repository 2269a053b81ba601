"""Posts to addresses that users name: guarded at each call, in a bounded time, no redirects.

A name is looked up here and the address that was checked is the one that is called, so that no
second look-up can lead elsewhere. Nothing of the answer is read but its status.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import httpx

from coffers.errors import InvalidRecord
from coffers.outbound.guard import Blocked, Networks, check_addresses, target_of
from coffers.tls import believed

CALL_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 5.0

_ADDRESSES_TRIED: Final = 2
_SUCCESS: Final = range(200, 300)

Fault = Literal["refused", "unreachable", "timeout", "blocked", "failed"]
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended: the status, None without an answer, and what went wrong, None if nothing.

    `refused` is an answer that is no success; `failed` is what went wrong on this side. Of what the
    other side said nothing is kept.
    """

    status: int | None
    fault: Fault | None


async def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a name.

    Raises:
        OSError: when it cannot be looked up.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Sender:
    """Posts. One per process, closed at its end."""

    def __init__(
        self,
        networks: Networks,
        *,
        seconds: float = CALL_SECONDS,
        resolve: Resolve = resolved,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._networks = networks
        self._seconds = seconds
        self._resolve = resolve
        self._http = httpx.AsyncClient(
            verify=trusted or believed(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
            # Connections are made to addresses: one that is kept may be another name's.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body and return how that ended; it raises nothing that the other side causes."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(url, body, headers)
        except (TimeoutError, httpx.TimeoutException):
            return Answer(None, "timeout")
        except (Blocked, InvalidRecord):
            return Answer(None, "blocked")
        except (httpx.HTTPError, OSError, UnicodeError):
            return Answer(None, "unreachable")

    async def close(self) -> None:
        """Close what is open."""
        await self._http.aclose()

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        target = target_of(url, self._networks)
        addresses = await self._resolve(target.host, target.port)
        check_addresses(addresses, self._networks)
        *others, last = addresses[:_ADDRESSES_TRIED]
        for address in others:
            try:
                return await self._post_to(address, url, body, headers)
            except httpx.ConnectError:
                continue
        return await self._post_to(last, url, body, headers)

    async def _post_to(
        self, address: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        meant = httpx.URL(url)
        # The certificate has to be that of the name, whatever address is called. The name stays
        # coded: some in other letters cannot be decoded, and coding is older in some libraries.
        extensions: dict[str, Any] = {"sni_hostname": meant.raw_host.decode("ascii")}
        request = self._http.build_request(
            "POST",
            meant.copy_with(host=address),
            content=body,
            headers={**headers, "Host": meant.netloc.decode(), "Connection": "close"},
            extensions=extensions,
        )
        response = await self._http.send(request, stream=True)
        await response.aclose()
        is_good = response.status_code in _SUCCESS
        return Answer(response.status_code, None if is_good else "refused")
