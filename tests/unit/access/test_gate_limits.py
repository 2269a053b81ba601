"""How long those who call too often are kept out, and who is not kept out by them."""

from dataclasses import replace
from typing import Any

import pytest

from coffers import metrics
from coffers.access import gate
from coffers.access.gate import Gate, Refusal
from coffers.access.limits import MemoryLimits, NoLimits
from coffers.clock import MINUTE, SECOND, ManualClock
from coffers.store.errors import StoreUnavailable
from coffers.store.fast import Sighting
from factories import NOW
from unit.access.door import RULES, VAULT, call, door, tally


async def test_over_its_limit_a_token_is_locked_out_and_then_its_caller_banned() -> None:
    entry = door()
    for _ in range(3):
        await entry.admit(call())
    for _ in range(4):
        refusal = await entry.refusal(call())
        assert (refusal.status, refusal.error) == (429, "rate_limit_exceeded")
        assert refusal.headers == (("Retry-After", "300"),)
        assert refusal.description == "Too many requests. Try again in 300 seconds."
    refusal = await entry.refusal(call())
    assert (refusal.status, refusal.error, refusal.reason) == (418, "ip_banned", "banned")
    assert refusal.headers == (("Retry-After", "120"),)
    entry.clock.advance(5 * MINUTE)
    await entry.admit(call())


@pytest.mark.parametrize("key", ["", None])
async def test_calls_that_name_no_key_ban_nobody(key: str | None) -> None:
    entry = door()
    for _ in range(20):
        refusal = await entry.refusal(call(api_key=key))
        assert (refusal.status, refusal.reason) == (401, "missing_key")
    await entry.admit(call())


@pytest.mark.parametrize(
    "guess", [{"api_key": "guess"}, {"signature": "00" * 32}, {"signature": None}]
)
async def test_guesses_at_a_key_or_a_signature_ban_their_address(guess: dict[str, Any]) -> None:
    entry = door()
    for _ in range(4):
        assert (await entry.refusal(call(**guess))).status == 401
    refusal = await entry.refusal(call())
    assert (refusal.status, refusal.error, refusal.reason) == (418, "ip_banned", "banned")
    assert refusal.headers == (("Retry-After", "120"),)
    assert (await entry.refusal(call(api_key=""))).status == 418


async def test_the_time_to_wait_is_rounded_up() -> None:
    entry = door()
    for _ in range(4):
        await entry.refusal(call(signature=None))
    entry.clock.advance(1)
    assert (await entry.refusal(call())).headers == (("Retry-After", "120"),)
    entry.clock.advance(2 * MINUTE - 2)
    assert (await entry.refusal(call())).headers == (("Retry-After", "1"),)


async def test_bans_double_for_a_caller_that_goes_on() -> None:
    entry = door()
    waits = []
    for _ in range(4):
        for _ in range(4):
            await entry.refusal(call(api_key="guess"))
        refusal = await entry.refusal(call())
        waits.append(int(dict(refusal.headers)["Retry-After"]))
        entry.clock.advance(waits[-1] * SECOND)
    assert waits == [120, 240, 480, 480]


async def test_calls_without_proof_do_not_use_up_the_limit_of_a_token() -> None:
    entry = door()
    for number in range(20):
        await entry.refusal(call(signature="00" * 32, address=f"198.51.100.{number}"))
    for _ in range(3):
        await entry.admit(call())


async def test_a_ban_holds_for_routes_without_signature_and_before_any_look_up() -> None:
    entry = door()
    await entry.gate.check_address("192.0.2.1")
    for _ in range(4):
        await entry.refusal(call(api_key="guess"))
    asked = len(entry.look.asked)
    with pytest.raises(Refusal) as caught:
        await entry.gate.check_address("192.0.2.1")
    assert caught.value.status == 418
    await entry.refusal(call())
    assert len(entry.look.asked) == asked
    await entry.admit(call(address="192.0.2.2"))


async def test_lacking_a_permission_or_a_mode_bans_nobody() -> None:
    entry = door(limits=MemoryLimits(replace(RULES, requests=100), ManualClock(NOW)))
    for _ in range(20):
        await entry.refusal(call(forced_mode="demo"))
        with pytest.raises(Refusal):
            await entry.gate.admit(call(), "bots_write")
    await entry.admit(call())


async def test_with_the_limits_off_nobody_is_locked_out_or_banned() -> None:
    entry = door(limits=NoLimits())
    for _ in range(200):
        await entry.admit(call())
        await entry.refusal(call(signature=None))


async def test_a_database_that_does_not_answer_refuses_and_bans_nobody() -> None:
    class Down:
        async def look(self, api_key: str) -> Sighting | None:
            raise StoreUnavailable(f"the database did not answer for {len(api_key)} characters")

    clock = ManualClock(NOW)
    down = Gate(Down(), VAULT, clock, tally(clock))
    for _ in range(10):
        with pytest.raises(StoreUnavailable):
            await down.admit(call())
    await down.check_address("192.0.2.1")


async def test_refusals_are_counted_by_their_wire_error() -> None:
    def counted(error: str) -> float:
        return metrics.refusals.labels(error)._value.get()

    entry = door()
    before = counted("signature_invalid"), counted("ip_banned")
    for _ in range(5):
        await entry.refusal(call(signature=None))
    assert (counted("signature_invalid"), counted("ip_banned")) == (before[0] + 4, before[1] + 1)


class Notes:
    """Keeps what is logged as a warning."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def warning(self, event: str, **details: Any) -> None:
        self.events.append({"event": event, **details})


async def test_the_start_of_a_ban_is_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = Notes()
    monkeypatch.setattr(gate, "_log", notes)
    entry = door()
    for _ in range(10):
        await entry.refusal(call(signature=None))
    assert notes.events == [
        {
            "event": "address banned",
            "address": "192.0.2.1",
            "seconds": 120,
            "reason": "missing_signature",
        }
    ]
