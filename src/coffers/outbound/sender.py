"""Posts to addresses that users name: guarded at each call, in a bounded time, no redirects.

A name is looked up here and the address that was checked is the one that is called, so that no
second look-up can lead elsewhere. Nothing of the answer is read but its status, and nothing of one
call goes with the next: receivers are strangers to each other, and may share an address.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import httpx

from coffers.errors import InvalidRecord
from coffers.outbound.guard import Blocked, Networks, check_addresses, target_of
from coffers.tls import believed

CALL_SECONDS: Final = 10.0

_ADDRESSES_TRIED: Final = 2
_LOOK_UPS: Final = 64
"""Threads that look names up. One that nobody answers goes on for as long as the system tries, half
a minute and more, after its call was given up: more than the calls of that time there are none."""

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


class Sender:
    """Posts. One per process, closed at its end."""

    def __init__(
        self,
        networks: Networks,
        *,
        seconds: float = CALL_SECONDS,
        resolve: Resolve | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._networks = networks
        self._seconds = seconds
        self._resolve = resolve or self._resolved
        # The threads that the event loop lends are needed by all: the database's commits wait for
        # them, and whoever owns a name decides how long it takes to look it up.
        self._look_ups = ThreadPoolExecutor(_LOOK_UPS, "look-up")
        # An address that stays silent leaves time for another one.
        self._timeout = httpx.Timeout(seconds, connect=seconds / _ADDRESSES_TRIED)
        # Not a client: that keeps the cookies of all, and takes redirects apart.
        self._http = httpx.AsyncHTTPTransport(
            verify=trusted or believed(),
            trust_env=False,
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
        self._look_ups.shutdown(wait=False, cancel_futures=True)
        await self._http.aclose()

    async def _resolved(self, host: str, port: int) -> list[str]:
        """Return the addresses of a name.

        Raises:
            OSError: when it cannot be looked up.
        """
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._look_ups, look_up)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        target = target_of(url, self._networks)
        addresses = await self._resolve(target.host, target.port)
        check_addresses(addresses, self._networks)
        *others, last = _tried(addresses)
        for address in others:
            try:
                return await self._post_to(address, url, body, headers)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._post_to(last, url, body, headers)

    async def _post_to(
        self, address: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        meant = httpx.URL(url)
        # The certificate has to be that of the name, whatever address is called. The name stays
        # coded: some in other letters cannot be decoded, and coding is older in some libraries.
        extensions: dict[str, Any] = {
            "sni_hostname": meant.raw_host.decode("ascii"),
            "timeout": self._timeout.as_dict(),
        }
        request = httpx.Request(
            "POST",
            meant.copy_with(host=address),
            content=body,
            headers={**headers, "Host": meant.netloc.decode(), "Connection": "close"},
            extensions=extensions,
        )
        response = await self._http.handle_async_request(request)
        await response.aclose()
        is_good = response.status_code in _SUCCESS
        return Answer(response.status_code, None if is_good else "refused")


def _tried(addresses: Sequence[str]) -> list[str]:
    """Return the addresses that are tried: where there are both kinds, one of each.

    The way of a whole kind may be closed, as of IPv6 on many a machine.
    """
    first, *others = addresses
    others.sort(key=lambda other: (":" in other) is (":" in first))
    return [first, *others][:_ADDRESSES_TRIED]
