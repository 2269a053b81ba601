"""The two clients: one that waits, one that awaits; all else they share."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

import httpx

from coffers.client.call import Call
from coffers.client.errors import ApiError
from coffers.client.reply import Reply
from coffers.client.speaker import (
    ONCE,
    TIMEOUT,
    Mode,
    Patience,
    Speaker,
    is_of_kind,
    unanswered,
)
from coffers.client.stream import Told, follow, follow_async, stream_call

T = TypeVar("T")


class Client(Speaker):
    """A client that waits for its answers. Close it, or use it in `with`.

    `base_url` is the server's address, with or without `/public/api`; `auth` a `SignedAuth`, None
    for what needs no signature. `mode` forces real or paper accounts. `http` is an httpx client to
    use instead of one of its own; it stays open.
    """

    def __init__(
        self,
        base_url: str,
        auth: httpx.Auth | None = None,
        *,
        mode: Mode | None = None,
        patience: Patience = ONCE,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(base_url, auth, mode, patience)
        self._owns_http = http is None
        self._http = httpx.Client(timeout=TIMEOUT) if http is None else http
        self._sleep = sleep

    def reply(self, call: Call[T], /) -> Reply[T]:
        """Send a call; return the answer with its headers.

        Raises:
            ApiError, UnexpectedAnswer: what came back instead.
            Unreachable: when nothing did.
        """
        tried = 1
        while True:
            try:
                return self._once(call)
            except ApiError as refusal:
                if (wait := self._patience.wait(call, refusal, tried)) is None:
                    raise
            tried += 1
            self._sleep(wait)

    def send(self, call: Call[T], /) -> T:
        """Send a call; return the answer. Raises as `reply`."""
        return self.reply(call).value

    def _once(self, call: Call[T]) -> Reply[T]:
        request = self._made(call, self._http.build_request)
        try:
            response = self._http.send(request, auth=self._auth_of(call), follow_redirects=False)
        except httpx.RequestError as fault:
            raise unanswered(self.base_url, fault) from fault
        return self._read(call, request, response)

    def save_csv(self, call: Call[bytes], file: BinaryIO, /) -> None:
        """Write a table to an open file as it comes: `save_csv(Client.export_csv("flows"), file)`.

        Raises as `reply`; what came until then is in the file.
        """
        request = self._made(call, self._http.build_request)
        auth = self._auth_of(call)
        try:
            response = self._http.send(request, auth=auth, stream=True, follow_redirects=False)
            with closing(response):
                if not (response.is_success and is_of_kind(call, response)):
                    response.read()
                    self._read(call, request, response)
                file.writelines(response.iter_bytes())
        except httpx.RequestError as fault:
            raise unanswered(self.base_url, fault) from fault

    def stream(
        self, after: int | None = None, *, kinds: Sequence[str] = (), account_id: int | None = None
    ) -> Iterator[Told]:
        """Listen to events as they happen; a lost connection is taken up where it broke off.

        Closing the iterator ends it. Raises `ApiError` where the server refuses, and
        `UnexpectedAnswer` where something else answers.
        """

        def send(call: Call[bytes]) -> httpx.Response:
            request = self._listening(call, self._http.build_request)
            auth = self._auth_of(call)
            return self._http.send(request, auth=auth, stream=True, follow_redirects=False)

        return follow(stream_call(after, kinds=kinds, account_id=account_id), send, self._sleep)

    def close(self) -> None:
        """Close its connections."""
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClient(Speaker):
    """The same for asyncio: methods are awaited, and lists walked through with `async for`."""

    def __init__(
        self,
        base_url: str,
        auth: httpx.Auth | None = None,
        *,
        mode: Mode | None = None,
        patience: Patience = ONCE,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(base_url, auth, mode, patience)
        self._owns_http = http is None
        self._http = httpx.AsyncClient(timeout=TIMEOUT) if http is None else http
        self._sleep = sleep

    async def async_reply(self, call: Call[T], /) -> Reply[T]:
        """Send a call; return the answer with its headers.

        Raises:
            ApiError, UnexpectedAnswer: what came back instead.
            Unreachable: when nothing did.
        """
        tried = 1
        while True:
            try:
                return await self._once(call)
            except ApiError as refusal:
                if (wait := self._patience.wait(call, refusal, tried)) is None:
                    raise
            tried += 1
            await self._sleep(wait)

    async def send(self, call: Call[T], /) -> T:
        """Send a call; return the answer. Raises as `async_reply`."""
        return (await self.async_reply(call)).value

    async def _once(self, call: Call[T]) -> Reply[T]:
        request = self._made(call, self._http.build_request)
        auth = self._auth_of(call)
        try:
            response = await self._http.send(request, auth=auth, follow_redirects=False)
        except httpx.RequestError as fault:
            raise unanswered(self.base_url, fault) from fault
        return self._read(call, request, response)

    async def save_csv(self, call: Call[bytes], file: BinaryIO, /) -> None:
        """Write a table to an open file as it comes: `AsyncClient.export_csv` makes the call.

        Raises as `async_reply`; what came until then is in the file.
        """
        request = self._made(call, self._http.build_request)
        auth = self._auth_of(call)
        try:
            response = await self._http.send(
                request, auth=auth, stream=True, follow_redirects=False
            )
            async with aclosing(response):
                if not (response.is_success and is_of_kind(call, response)):
                    await response.aread()
                    self._read(call, request, response)
                async for part in response.aiter_bytes():
                    file.write(part)
        except httpx.RequestError as fault:
            raise unanswered(self.base_url, fault) from fault

    def stream(
        self, after: int | None = None, *, kinds: Sequence[str] = (), account_id: int | None = None
    ) -> AsyncIterator[Told]:
        """Listen to events as they happen; a lost connection is taken up where it broke off.

        Closing the iterator ends it. Raises `ApiError` where the server refuses, and
        `UnexpectedAnswer` where something else answers.
        """

        async def send(call: Call[bytes]) -> httpx.Response:
            request = self._listening(call, self._http.build_request)
            auth = self._auth_of(call)
            return await self._http.send(request, auth=auth, stream=True, follow_redirects=False)

        first = stream_call(after, kinds=kinds, account_id=account_id)
        return follow_async(first, send, self._sleep)

    async def close(self) -> None:
        """Close its connections."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
