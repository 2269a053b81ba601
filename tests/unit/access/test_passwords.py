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


async def test_a_letter_is_the_same_however_a_keyboard_writes_it() -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords = Passwords(hasher)
    composed, apart = "m\u1eadt kh\u1ea9u d\u00e0i", "ma\u0323\u0302t kha\u0302\u0309u da\u0300i"
    for one in (composed, apart):
        hashed = await passwords.hashed(Secret(one))
        for other in (composed, apart):
            assert await passwords.is_right(hashed, Secret(other))
    # As it was hashed once.
    assert await passwords.is_right(hasher.hash(apart), Secret(apart))
    assert not await passwords.is_right(hasher.hash(apart), Secret(composed))
