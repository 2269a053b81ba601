"""Two processes that share a server, which goes away and comes back; no call fails over it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from coffers import metrics
from coffers.access.gate import Gate
from coffers.access.limits import Rules
from coffers.access.shared import SharedTally, tally_of
from coffers.access.tally import Bar, MemoryTally, Use
from coffers.clock import MINUTE, ManualClock, Millis
from coffers.settings import Settings
from coffers.valkey import server as server_module
from coffers.valkey.server import SharedServer
from factories import NOW
from redisd import Redis, reached, shared
from unit.access.door import RULES, VAULT, Door, FakeLook, call, stamped, token

HOME = "192.0.2.1"


@dataclass
class Process:
    """What one process has: a connection of its own, and what it knows by itself."""

    server: SharedServer
    tally: SharedTally

    async def spend(self, times: int) -> list[int]:
        bars = [await self.tally.take(Use(1, HOME, None)) for _ in range(times)]
        return [0 if bar is None else bar.wait for bar in bars]

    async def once(self, signature: bytes) -> Bar | None:
        return await self.tally.take(Use(2, HOME, signature))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


async def _process(redis: Redis, clock: ManualClock, rules: Rules = RULES) -> Process:
    server = shared(redis.url)
    await server.open()
    return Process(server, SharedTally(server, rules, clock))


@pytest.fixture
async def two(mortal_redis: Redis, clock: ManualClock) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes that share a server."""
    one, other = await _process(mortal_redis, clock), await _process(mortal_redis, clock)
    yield one, other
    await one.server.close()
    await other.server.close()


async def test_two_processes_share_limit_and_lockout(two: tuple[Process, Process]) -> None:
    one, other = two
    assert await one.spend(2) == [0, 0]
    assert await other.spend(2) == [0, 5 * MINUTE]
    assert await one.spend(1) == [5 * MINUTE]


async def test_two_processes_share_bans_and_their_doubling(
    two: tuple[Process, Process], clock: ManualClock
) -> None:
    one, other = two
    for _ in range(3):
        assert await one.tally.refused(HOME) == 0
    assert await other.tally.refused(HOME) == 2 * MINUTE
    assert one.tally.banned_here(HOME) == 0
    assert await one.tally.take(Use(1, HOME, None)) == Bar("banned", Millis(2 * MINUTE))
    assert one.tally.banned_here(HOME) == 2 * MINUTE
    clock.advance(2 * MINUTE)
    assert [await one.tally.refused(HOME) for _ in range(4)][-1] == 4 * MINUTE
    assert await other.tally.banned_for(HOME) == 4 * MINUTE


async def test_a_call_is_taken_by_one_of_two_processes(two: tuple[Process, Process]) -> None:
    one, other = two
    assert await one.once(b"signature") is None
    assert await other.once(b"signature") == Bar("replay", Millis(0))


async def test_two_gates_refuse_what_the_other_one_saw(
    two: tuple[Process, Process], clock: ManualClock
) -> None:
    look = FakeLook(token(require_timestamp=True))
    one, other = (Door(Gate(look, VAULT, clock, process.tally), look, clock) for process in two)
    seconds = NOW // 1000
    await one.admit(stamped(seconds))
    assert (await other.refusal(stamped(seconds))).reason == "replay"
    await other.admit(stamped(seconds + 1))
    await one.admit(stamped(seconds + 2))
    refusal = await other.refusal(stamped(seconds + 3))
    assert (refusal.status, refusal.headers) == (429, (("Retry-After", "300"),))
    for _ in range(2):
        await one.refusal(call(api_key="guess"))
    assert (await other.refusal(stamped(seconds + 4))).status == 418


async def test_a_ban_acts_everywhere_on_calls_that_bring_none(
    two: tuple[Process, Process], clock: ManualClock
) -> None:
    look = FakeLook(token())
    one, other = (Door(Gate(look, VAULT, clock, process.tally), look, clock) for process in two)
    for _ in range(4):
        await one.refusal(call(api_key="guess"))
    assert (await other.refusal(call(api_key=""))).status == 418


async def test_without_the_server_each_process_counts_by_itself(
    two: tuple[Process, Process], mortal_redis: Redis
) -> None:
    one, other = two
    await one.spend(2)
    mortal_redis.kill()
    assert await one.spend(4) == [0, 0, 0, 5 * MINUTE]
    assert await other.spend(4) == [0, 0, 0, 5 * MINUTE]


async def test_a_ban_that_is_known_holds_without_the_server(
    two: tuple[Process, Process], mortal_redis: Redis, clock: ManualClock
) -> None:
    one, other = two
    for _ in range(4):
        await one.tally.refused(HOME)
    await other.tally.banned_for(HOME)
    mortal_redis.kill()
    for process in two:
        await reached(process.server, is_up=False)
        assert await process.tally.banned_for(HOME) == 2 * MINUTE
        assert await process.tally.refused(HOME) == 0
    clock.advance(2 * MINUTE)
    assert [await one.tally.refused(HOME) for _ in range(4)][-1] == 4 * MINUTE


async def test_own_signatures_are_known_without_the_server(
    two: tuple[Process, Process], mortal_redis: Redis
) -> None:
    one, _ = two
    await one.once(b"before")
    mortal_redis.kill()
    assert await one.once(b"before") == Bar("replay", Millis(0))
    assert await one.once(b"meanwhile") is None
    assert await one.once(b"meanwhile") == Bar("replay", Millis(0))


async def test_processes_share_again_when_the_server_is_back(
    two: tuple[Process, Process], mortal_redis: Redis
) -> None:
    one, other = two
    mortal_redis.kill()
    for process in two:
        await reached(process.server, is_up=False)
    assert metrics.valkey_down._value.get() == 1
    mortal_redis.start()
    for process in two:
        await reached(process.server)
    assert metrics.valkey_down._value.get() == 0
    assert await one.spend(2) == [0, 0]
    assert await other.spend(2) == [0, 5 * MINUTE]


async def test_a_server_that_hangs_is_left_alone_after_one_wait(
    two: tuple[Process, Process], mortal_redis: Redis
) -> None:
    one, _ = two
    mortal_redis.hang()
    assert await one.spend(1) == [0]
    assert not one.server.is_up
    assert await one.spend(3) == [0, 0, 5 * MINUTE]
    mortal_redis.wake()
    await reached(one.server)


async def test_a_process_that_starts_without_the_server_finds_it_later(
    mortal_redis: Redis, clock: ManualClock
) -> None:
    mortal_redis.kill()
    process = await _process(mortal_redis, clock, replace(RULES, requests=1))
    assert await process.spend(2) == [0, 5 * MINUTE]
    mortal_redis.start()
    await reached(process.server)
    await process.server.close()


async def test_a_full_server_is_no_server(mortal_redis: Redis, clock: ManualClock) -> None:
    process = await _process(mortal_redis, clock)
    assert process.server.is_up
    mortal_redis.say("CONFIG SET maxmemory 1")
    assert await process.spend(1) == [0]
    assert not process.server.is_up
    await process.server.close()


async def test_a_server_that_forgot_its_scripts_is_told_them_again(
    two: tuple[Process, Process], mortal_redis: Redis
) -> None:
    one, _ = two
    await one.spend(1)
    mortal_redis.say("SCRIPT FLUSH")
    assert await one.spend(3) == [0, 0, 5 * MINUTE]
    assert one.server.is_up


async def test_decisions_without_the_server_are_counted_and_the_change_is_logged_once(
    two: tuple[Process, Process], mortal_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []

    class Notes:
        def warning(self, event: str, **_: Any) -> None:
            notes.append(event)

        info = warning

    monkeypatch.setattr(server_module, "_log", Notes())
    one, other = two
    await other.server.close()
    counted = metrics.valkey_misses.labels("limits")._value
    before = counted.get()
    mortal_redis.kill()
    await reached(one.server, is_up=False)
    await one.spend(3)
    assert counted.get() == before + 3
    mortal_redis.start()
    await reached(one.server)
    assert notes == [
        "shared server gone; each process counts by itself",
        "shared server reached",
    ]


async def test_everything_that_is_stored_expires(
    two: tuple[Process, Process], mortal_redis: Redis
) -> None:
    one, _ = two
    await one.spend(4)
    await one.once(b"signature")
    for address in ("192.0.2.7", *[HOME] * 4):
        await one.tally.refused(address)
    keys = mortal_redis.say("KEYS coffers:*").decode().split("\r\n")[2::2]
    kinds = {key.split(":")[1] for key in keys}
    assert kinds - {"probe"} == {"window", "seen", "refusals", "ban"}
    for key in keys:
        assert int(mortal_redis.say(f"PTTL {key}")[1:]) > 0 or key == "coffers:probe"


async def test_with_the_limits_off_calls_are_still_taken_once(
    two: tuple[Process, Process], clock: ManualClock
) -> None:
    settings = Settings(limits_enabled=False)
    one, other = (tally_of(settings, clock, process.server) for process in two)
    for _ in range(200):
        assert await one.take(Use(1, HOME, None)) is None
        assert await one.refused(HOME) == 0
    assert await one.banned_for(HOME) == 0
    assert await one.take(Use(2, HOME, b"signature")) is None
    assert await other.take(Use(2, HOME, b"signature")) == Bar("replay", Millis(0))


async def test_the_settings_choose_the_tally(
    two: tuple[Process, Process], clock: ManualClock
) -> None:
    assert isinstance(tally_of(Settings(), clock, None), MemoryTally)
    tally = tally_of(Settings(), clock, two[0].server)
    assert isinstance(tally, SharedTally)
    spent = [await tally.take(Use(1, HOME, None)) for _ in range(101)]
    assert spent == [None] * 100 + [Bar("limit", Millis(5 * MINUTE))]


async def test_a_lockout_of_a_clock_that_was_ahead_is_asked_for_again(
    two: tuple[Process, Process], clock: ManualClock
) -> None:
    one, _ = two
    assert await one.spend(4) == [0, 0, 0, 5 * MINUTE]
    use = Use(1, HOME, None)
    assert one.tally._known_bar(use) == Bar("limit", Millis(5 * MINUTE))
    clock.advance(-60 * MINUTE)
    assert one.tally._known_bar(use) is None
