"""A token that asks for it takes each call once, and none that is old."""

import asyncio

import pytest
from msgspec.structs import replace

from coffers.access.limits import NoLimits
from coffers.clock import SECOND, Millis
from factories import NOW
from unit.access.door import call, door, stamped, token

SECONDS = NOW // SECOND


async def test_a_stamped_call_is_admitted_once() -> None:
    entry = door(token(require_timestamp=True))
    await entry.admit(stamped(SECONDS))
    refusal = await entry.refusal(stamped(SECONDS))
    assert (refusal.status, refusal.error, refusal.reason) == (401, "signature_invalid", "replay")
    assert refusal.description == (
        "Provided signature is invalid. It was used before: each works once."
    )
    assert refusal.headers == ()
    await entry.admit(stamped(SECONDS + 1))


async def test_a_replay_in_the_other_case_is_a_replay() -> None:
    entry = door(token(require_timestamp=True))
    first = stamped(SECONDS)
    await entry.admit(first)
    assert first.signature is not None
    again = replace(first, signature=first.signature.upper())
    assert (await entry.refusal(again)).reason == "replay"


async def test_replays_by_a_stranger_do_not_use_up_the_limit_of_a_token() -> None:
    entry = door(token(require_timestamp=True))
    await entry.admit(stamped(SECONDS))
    for number in range(10):
        await entry.refusal(stamped(SECONDS, address=f"198.51.100.{number}"))
    await entry.admit(stamped(SECONDS + 1))


async def test_of_two_equal_calls_at_once_one_is_admitted() -> None:
    class SlowLimits(NoLimits):
        async def spend(self, token_id: int) -> Millis:
            await asyncio.sleep(0)
            return await super().spend(token_id)

    entry = door(token(require_timestamp=True), SlowLimits())
    twice = [entry.admit(stamped(SECONDS)) for _ in range(2)]
    answers = await asyncio.gather(*twice, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Caller", "Refusal"]


@pytest.mark.parametrize("off", [-31, 31])
async def test_an_old_or_early_call_is_refused(off: int) -> None:
    refusal = await door(token(require_timestamp=True)).refusal(stamped(SECONDS + off))
    assert (refusal.status, refusal.error, refusal.reason) == (401, "signature_invalid", "stale")
    assert refusal.description is not None
    assert "more than 30 seconds off the server's time" in refusal.description


@pytest.mark.parametrize(("text", "fault"), [(None, "is missing"), ("soon", "is invalid")])
async def test_a_token_with_replay_protection_needs_a_time(text: str | None, fault: str) -> None:
    refusal = await door(token(require_timestamp=True)).refusal(call(timestamp=text))
    assert (refusal.status, refusal.error) == (400, "record_invalid")
    assert refusal.attributes == {"timestamp": [fault]}


async def test_the_time_cannot_be_changed_after_signing() -> None:
    entry = door(token(require_timestamp=True))
    refusal = await entry.refusal(replace(stamped(SECONDS), timestamp=str(SECONDS + 1)))
    assert refusal.reason == "wrong_signature"
    assert refusal.headers == (("X-Signed-Text", f"{SECONDS + 1}/public/api/ver1/accounts"),)


async def test_a_time_that_was_not_asked_for_is_no_part_of_the_text() -> None:
    await door().admit(call(timestamp="whatever"))


async def test_a_token_that_keeps_too_many_signatures_waits() -> None:
    entry = door(token(require_timestamp=True), NoLimits(), kept=1)
    await entry.admit(stamped(SECONDS))
    assert (await entry.refusal(stamped(SECONDS + 1))).status == 429
