"""How passwords wait for their turn."""

import asyncio
from threading import Event
from typing import Literal

from argon2 import PasswordHasher

from coffers.access.passwords import WAITING, Passwords, PasswordsBusy
from coffers.secret import Secret


class Slow(PasswordHasher):
    """Looks at a password only once it may."""

    def __init__(self, may_end: Event) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self._may_end = may_end

    def verify(self, *told: str | bytes) -> Literal[True]:
        assert self._may_end.wait(10)
        return super().verify(*told)


async def test_no_more_wait_for_their_turn_than_may() -> None:
    may_end = Event()
    passwords = Passwords(Slow(may_end))
    tries = (passwords.is_right(None, Secret("a long password 1")) for _ in range(WAITING + 5))
    all_told = asyncio.gather(*tries, return_exceptions=True)
    # Each comes as far as it can.
    await asyncio.sleep(0)
    may_end.set()
    told = await all_told
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
