"""Requests of several clients at once, and deposits at the exchange, while a block runs."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from faults.estate import Estate
from faults.witness import Asked, Owner, Witness
from served import LIST

OWN = "/public/api/v1/accounts"
READERS = 3
PAUSE = 0.02
"""Seconds between two requests of a client: the machine is to have time for the fault, too."""

MOVES_EVERY = 0.4
MOST_DEPOSITS = 90
PATIENCE = 20.0
"""Seconds after which a request that is not answered is an error."""


class _Client:
    """One client; it asks for its own, and sometimes for what it may not have."""

    def __init__(self, http: httpx.AsyncClient, witness: Witness, dice: random.Random) -> None:
        self._http = http
        self._witness = witness
        self._dice = dice

    async def ask(self) -> None:
        """Make one request of any kind and check what comes."""
        owner = self._dice.choice(self._witness.owners)
        kinds = (self._list, self._own, self._summary, self._one, self._stranger, self._forged)
        (kind,) = self._dice.choices(kinds, (6, 3, 2, 2, 1, 1))
        await kind(owner)

    async def rename(self, owner: Owner, count: int) -> None:
        """Give an account another name, which later answers must show."""
        held = self._dice.choice(owner.accounts)
        place = held.name.becomes(f"Account {held.id}, name {count}")
        target, body = f"{LIST}/{held.id}/rename", f'{{"name":"{held.name.states[place]}"}}'
        asked = self._asked(owner, "rename")
        headers = {**owner.caller.headers(target, body), "content-type": "application/json"}
        got = await self._sent(asked, "POST", target, headers, body)
        if got is not None and self._witness.answered(asked, 201, got):
            self._witness.saw_renamed(asked, held, place)

    async def _list(self, owner: Owner) -> None:
        asked = self._asked(owner, "list")
        got = await self._got(asked, LIST)
        if got is not None and self._witness.answered(asked, 200, got):
            self._witness.saw_list(asked, got)

    async def _own(self, owner: Owner) -> None:
        asked = self._asked(owner, "own list")
        got = await self._got(asked, OWN)
        if got is not None and self._witness.answered(asked, 200, got):
            self._witness.saw_own(asked, got)

    async def _summary(self, owner: Owner) -> None:
        asked = self._asked(owner, "summary")
        got = await self._got(asked, f"{OWN}/summary")
        if got is not None and self._witness.answered(asked, 200, got):
            self._witness.saw_summary(asked, got)

    async def _one(self, owner: Owner) -> None:
        asked = self._asked(owner, "one")
        got = await self._got(asked, f"{LIST}/{self._dice.choice(owner.accounts).id}")
        if got is not None and self._witness.answered(asked, 200, got):
            self._witness.saw_one(asked, got)

    async def _stranger(self, owner: Owner) -> None:
        asked = self._asked(owner, "stranger")
        got = await self._got(asked, f"{LIST}/{owner.stranger(self._witness.owners)}")
        if got is not None:
            self._witness.answered(asked, 404, got)

    async def _forged(self, owner: Owner) -> None:
        asked = self._asked(owner, "forged")
        headers = {**owner.caller.headers(LIST), "Signature": f"{self._dice.getrandbits(256):064x}"}
        got = await self._sent(asked, "GET", LIST, headers)
        if got is not None:
            self._witness.answered(asked, 401, got)

    def _asked(self, owner: Owner, what: str) -> Asked:
        return Asked(owner, what, owner.floors())

    async def _got(self, asked: Asked, target: str) -> httpx.Response | None:
        return await self._sent(asked, "GET", target, asked.owner.caller.headers(target))

    async def _sent(
        self, asked: Asked, method: str, target: str, headers: dict[str, str], body: str = ""
    ) -> httpx.Response | None:
        try:
            return await self._http.request(method, target, headers=headers, content=body or None)
        except httpx.TransportError as error:
            self._witness.fail(asked, repr(error), was_answered=False)
            return None


@asynccontextmanager
async def load(
    estate: Estate, seed: int = 7, moves_every: float = MOVES_EVERY
) -> AsyncIterator[Witness]:
    """Load the program while the block runs; what comes of it is in the witness."""
    witness, over = Witness(estate.owners), asyncio.Event()

    async def reading(number: int) -> None:
        dice = random.Random(f"{seed}:{number}")  # noqa: S311 - it is to be the same again
        async with _http(estate) as http:
            client = _Client(http, witness, dice)
            while not over.is_set():
                await client.ask()
                await asyncio.sleep(PAUSE)

    async def moving() -> None:
        dice, count = random.Random(f"{seed}:moves"), 0  # noqa: S311 - the same
        async with _http(estate) as http:
            client = _Client(http, witness, dice)
            while not over.is_set():
                owner, count = dice.choice(estate.owners), count + 1
                held = dice.choice(owner.accounts)
                if count % 2 and len(held.deposits) < MOST_DEPOSITS:
                    await estate.deposit(held)
                else:
                    await client.rename(owner, count)
                await asyncio.sleep(moves_every)

    async with asyncio.TaskGroup() as group:
        for number in range(READERS):
            group.create_task(reading(number))
        group.create_task(moving())
        try:
            yield witness
        finally:
            over.set()


def _http(estate: Estate) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=estate.base_url, timeout=PATIENCE, trust_env=False)
