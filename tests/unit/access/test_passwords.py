"""How passwords wait for their turn."""

import asyncio

from argon2 import PasswordHasher

from coffers.access.passwords import WAITING, Passwords, PasswordsBusy
from coffers.secret import Secret


async def test_no_more_wait_for_their_turn_than_may() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    tries = (passwords.is_right(None, Secret("a long password 1")) for _ in range(WAITING + 5))
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, PasswordsBusy) for each in told) == 5
    assert await passwords.hashed(Secret("a long password 1"))
