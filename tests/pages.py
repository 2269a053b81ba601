"""The pages over ASGI, as a browser has them: signed in, with forms that carry their key."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from argon2 import PasswordHasher

from coffers.access.passwords import Passwords
from coffers.cli.site import site_of
from coffers.portfolio.sign_in import SignIn
from coffers.store.engine import Store
from coffers.store.records import User
from served import Served, serving

BASE = "http://coffers.test"
OURS = {"Origin": BASE}
PASSWORD = "a long password 1"


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages as a browser has them."""

    api: Served
    http: httpx.AsyncClient
    signing: SignIn

    async def post(self, path: str, /, **form: str) -> httpx.Response:
        return await self.http.post(path, data=form, headers=OURS)

    async def begin(self, name: str = "ann") -> None:
        code = await self.signing.first_run_code() or await self.signing.ticket_for(name)
        answer = await self.post(
            "/welcome", code=code, name=name, password=PASSWORD, again=PASSWORD
        )
        assert answer.status_code == 303, answer.text

    async def user(self, name: str = "ann") -> User:
        async with self.api.services.store.reading() as tx:
            found = await tx.users.by_name(name)
        assert found is not None
        return found

    async def key(self) -> str:
        """The key that forms of this session carry."""
        shown = (await self.http.get("/password")).text
        found = re.search('name="form_key" value="([^"]+)"', shown)
        assert found is not None
        return found[1]

    async def send(self, path: str, /, **form: str) -> httpx.Response:
        """Send a form of a page of this session."""
        return await self.post(path, form_key=await self.key(), **form)


@asynccontextmanager
async def opened(store: Store, **settings: str) -> AsyncIterator[Pages]:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    async with serving(store, **settings) as api:
        transport = httpx.ASGITransport(site_of(api.services, passwords))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as http:
            yield Pages(api, http, SignIn(store, passwords, api.clock))
