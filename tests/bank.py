"""The pages with a worker beside them, and the venue that the worker asks."""

import asyncio
from dataclasses import dataclass

import httpx

from coffers.keyrights import KeyRights
from coffers.store.records import Account
from fakes import FakeConnector
from pages import Pages

KEY = {"name": "Main", "api_key": "fake-key", "secret": "fake-secret", "include_in_summary": "1"}
LOOKS = KeyRights(read=True, trade=False, withdraw=False, address_restricted=True, expires_at=None)


@dataclass
class Bank:
    """The pages, and the venue; an account is checked and connected as a browser does it."""

    pages: Pages
    venue: FakeConnector

    async def check(self, code: str = "binance", **form: str) -> httpx.Response:
        """Have something checked; return what a browser is shown at the end."""
        answer = await self.pages.send(f"/connect/{code}", **form)
        if answer.status_code != 303:
            return answer
        return await self.settled(answer.headers["location"])

    async def settled(self, where: str) -> httpx.Response:
        """Return the page of a check once it is over."""
        for _ in range(500):
            shown = await self.pages.http.get(where)
            if "data-progress" not in shown.text:
                break
            await asyncio.sleep(0.02)
        return shown

    async def found(self, code: str = "binance", **form: str) -> tuple[str, str]:
        """Have something checked; return the address of what was found, and its page."""
        answer = await self.pages.send(f"/connect/{code}", **form)
        assert answer.status_code == 303, answer.text
        where = answer.headers["location"]
        shown = await self.settled(where)
        assert shown.status_code == 200
        return where, shown.text

    async def accounts(self) -> list[Account]:
        user = await self.pages.user()
        async with self.pages.api.services.store.reading() as tx:
            return await tx.accounts.of_user(user.id)

    async def connected(self, code: str = "binance", **form: str) -> Account:
        """Have an account checked and connected."""
        where, _ = await self.found(code, **(form or KEY))
        assert (await self.pages.send(where)).status_code == 303
        return (await self.accounts())[-1]
