"""The second step of signing in: codes of an app, recovery codes, and what nobody can guess."""

import asyncio

import pytest
from sqlalchemy import select

from coffers.clock import MINUTE
from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio import guessing
from coffers.portfolio.guessing import SignInLocked
from coffers.portfolio.recovery_codes import MADE_AT_ONCE, RecoveryCodes
from coffers.portfolio.second_factors import FactorsOf, HalfOver
from coffers.portfolio.sessions import CheckNeeded, Sessions, SignedIn
from coffers.portfolio.sign_in import SignInRefused
from coffers.portfolio.totp import BEGINNING_LASTS, STEP
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.tables import ceremonies, recovery_codes, totp_secrets
from factored import ELSEWHERE, GOOD, HOME, OTHER, Signing


@pytest.fixture
def signing(store: Store) -> Signing:
    return Signing(store)


async def test_an_app_counts_once_a_code_of_it_was_given(signing: Signing) -> None:
    who = await signing.begun()
    await signing.apps.begin(who)
    assert isinstance(await signing.sign_in.by_password("ann", GOOD, HOME), SignedIn)
    _, codes = await signing.with_app(who)
    assert len(codes) == MADE_AT_ONCE
    half = await signing.half()
    assert half.ways.has_totp
    assert await signing.sign_in.of(half.token) is None


async def test_a_wrong_code_confirms_nothing(signing: Signing) -> None:
    who = await signing.begun()
    await signing.apps.begin(who)
    for code in ("000000", "", "12345", "1234567", "abcdef", "١٢٣٤٥٦"):
        with pytest.raises(InvalidRecord) as refused:
            await signing.apps.confirm(who, code)
        assert list(refused.value.attributes) == ["code"]
    assert isinstance(await signing.sign_in.by_password("ann", GOOD, HOME), SignedIn)


async def test_a_secret_that_is_not_confirmed_is_shown_for_a_while_only(signing: Signing) -> None:
    who = await signing.begun()
    assert await signing.apps.waiting(who, "coffers.test") is None
    await signing.apps.begin(who)
    first = await signing.apps.waiting(who, "coffers.test")
    await signing.apps.begin(who)
    second = await signing.apps.waiting(who, "coffers.test")
    assert first is not None
    assert second is not None
    assert first.secret != second.secret
    assert second.secret.reveal() in second.uri.reveal()
    assert "ann%40coffers.test" in second.uri.reveal()
    signing.clock.advance(BEGINNING_LASTS)
    await signing.sign_in.confirm(who, GOOD)
    fresh = await signing.sign_in.of(who.token)
    assert fresh is not None
    assert await signing.apps.waiting(fresh, "coffers.test") is None
    with pytest.raises(InvalidRecord, match="begin again"):
        await signing.apps.confirm(fresh, "123456")


async def test_a_second_app_does_not_take_the_place_of_one_that_counts(signing: Signing) -> None:
    who = await signing.begun()
    app, _ = await signing.with_app(who)
    with pytest.raises(InvalidRecord):
        await signing.apps.begin(who)
    assert isinstance(
        await signing.factors.by_code(await signing.half(), app.code(), HOME), SignedIn
    )


async def test_a_code_signs_in_after_the_password(signing: Signing) -> None:
    app, _ = await signing.with_app(await signing.begun())
    half = await signing.half(ELSEWHERE)
    found = await signing.factors.half(half.token)
    assert found == half
    code = app.code()
    signed_in = await signing.factors.by_code(half, f" {code[:3]} {code[3:]} ", ELSEWHERE)
    assert await signing.sign_in.of(signed_in.token) is not None
    assert signed_in.session.agent == "Browser 2"


async def test_a_code_is_taken_once(signing: Signing) -> None:
    app, _ = await signing.with_app(await signing.begun())
    code = app.code()
    await signing.factors.by_code(await signing.half(), code, HOME)
    with pytest.raises(InvalidRecord, match="or was used"):
        await signing.factors.by_code(await signing.half(), code, HOME)
    # Nor one that came before it.
    with pytest.raises(InvalidRecord):
        await signing.factors.by_code(await signing.half(), app.code(-1), HOME)
    signing.clock.advance(STEP)
    assert await signing.factors.by_code(await signing.half(), app.code(), HOME)


async def test_a_code_is_taken_one_step_early_or_late(signing: Signing) -> None:
    app, _ = await signing.with_app(await signing.begun())
    for steps in (-1, 1):
        signing.clock.advance(5 * STEP)
        for too_far in (2 * steps, 3 * steps):
            with pytest.raises(InvalidRecord):
                await signing.factors.by_code(await signing.half(), app.code(too_far), HOME)
        assert await signing.factors.by_code(await signing.half(), app.code(steps), HOME)


async def test_one_code_that_is_sent_often_at_once_signs_in_once(signing: Signing) -> None:
    app, _ = await signing.with_app(await signing.begun())
    halves = [await signing.half() for _ in range(4)]
    tries = [signing.factors.by_code(half, app.code(), HOME) for half in halves]
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, SignedIn) for each in told) == 1


async def test_the_first_step_is_used_once_and_for_a_short_time(signing: Signing) -> None:
    app, codes = await signing.with_app(await signing.begun())
    half = await signing.half()
    await signing.factors.by_code(half, app.code(), HOME)
    assert await signing.factors.half(half.token) is None
    with pytest.raises(HalfOver):
        await signing.factors.by_code(half, codes[0], HOME)
    late = await signing.half()
    signing.clock.advance(5 * MINUTE)
    assert await signing.factors.half(late.token) is None
    with pytest.raises(HalfOver):
        await signing.factors.by_code(late, app.code(), HOME)


async def test_another_password_ends_what_was_begun_with_the_old_one(signing: Signing) -> None:
    who = await signing.begun()
    app, _ = await signing.with_app(who)
    half = await signing.half()
    await signing.sign_in.change_password(who, GOOD, OTHER)
    with pytest.raises(HalfOver):
        await signing.factors.by_code(half, app.code(), HOME)


async def test_a_recovery_code_signs_in_once(signing: Signing) -> None:
    _, codes = await signing.with_app(await signing.begun())
    spoken = codes[3].lower().replace("-", " ")
    signed_in = await signing.factors.by_code(await signing.half(), spoken, HOME)
    with pytest.raises(InvalidRecord):
        await signing.factors.by_code(await signing.half(), codes[3], HOME)
    async with signing.store.reading() as tx:
        assert (await tx.factors.ways(signed_in.user.id)).recovery_codes == 9
    kinds = await signing.kinds(signed_in.user.id)
    assert kinds[-3:] == ["recovery_code_used", "signed_in", "second_factor_refused"]


async def test_new_recovery_codes_take_the_place_of_the_old_ones(signing: Signing) -> None:
    who = await signing.begun()
    renewing = RecoveryCodes(signing.store, signing.clock)
    with pytest.raises(InvalidRecord):
        await renewing.renew(who)
    _, old = await signing.with_app(who)
    new = await renewing.renew(who)
    assert not set(old) & set(new)
    with pytest.raises(InvalidRecord):
        await signing.factors.by_code(await signing.half(), old[0], HOME)
    assert await signing.factors.by_code(await signing.half(), new[0], HOME)


async def test_of_new_codes_that_are_made_twice_at_once_one_set_counts(signing: Signing) -> None:
    who = await signing.begun()
    await signing.with_app(who)
    codes = RecoveryCodes(signing.store, signing.clock)
    for _ in range(4):
        await asyncio.gather(*(codes.renew(who) for _ in range(3)))
        async with signing.store.reading() as tx:
            assert (await tx.factors.ways(who.user.id)).recovery_codes == 10


async def test_wrong_codes_make_wait_and_a_right_password_gives_no_new_guesses(
    signing: Signing,
) -> None:
    app, codes = await signing.with_app(await signing.begun())
    for number in range(guessing.FREE_TRIES):
        guess = app.wrong() if number % 2 else "AAAA-BBBB-CCCC-DDDD"
        with pytest.raises(InvalidRecord):
            await signing.factors.by_code(await signing.half(), guess, HOME)
    with pytest.raises(SignInLocked) as locked:
        await signing.half()
    assert locked.value.seconds == 30
    signing.clock.advance(31_000)
    half = await signing.half()
    with pytest.raises(InvalidRecord):
        await signing.factors.by_code(half, app.wrong(), HOME)
    for right in (app.code(), codes[0]):
        with pytest.raises(SignInLocked):
            await signing.factors.by_code(half, right, ELSEWHERE)
    signing.clock.advance(61_000)
    assert await signing.factors.by_code(await signing.half(), app.code(), HOME)
    # All is forgotten once everything was right.
    with pytest.raises(InvalidRecord):
        await signing.factors.by_code(await signing.half(), app.wrong(), HOME)
    assert await signing.half()


async def test_codes_that_are_sent_at_once_are_no_more_than_may_fail(signing: Signing) -> None:
    app, _ = await signing.with_app(await signing.begun())
    half = await signing.half()
    guesses = [*[app.wrong()] * 30, app.code()]
    tries = [signing.factors.by_code(half, guess, HOME) for guess in guesses]
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, InvalidRecord) for each in told) <= guessing.FREE_TRIES
    assert any(isinstance(each, SignInLocked) for each in told)


async def test_without_an_app_the_password_alone_signs_in_again(signing: Signing) -> None:
    who = await signing.begun()
    await signing.with_app(who)
    await signing.apps.remove(who)
    assert isinstance(await signing.sign_in.by_password("ann", GOOD, HOME), SignedIn)
    async with signing.store.reading() as tx:
        assert (await tx.factors.ways(who.user.id)).recovery_codes == 0
    await signing.apps.remove(who)
    assert (await signing.kinds(who.user.id)).count("totp_removed") == 1


async def test_changes_need_somebody_who_showed_lately_who_they_are(signing: Signing) -> None:
    who = await signing.begun()
    await signing.apps.begin(who)
    signing.clock.advance(10 * MINUTE)
    renewing = RecoveryCodes(signing.store, signing.clock)
    for change in (
        lambda: signing.apps.begin(who),
        lambda: signing.apps.waiting(who, "coffers.test"),
        lambda: signing.apps.confirm(who, "123456"),
        lambda: signing.apps.remove(who),
        lambda: renewing.renew(who),
    ):
        with pytest.raises(CheckNeeded):
            await change()
    with pytest.raises(InvalidRecord):
        await signing.sign_in.confirm(who, OTHER)
    await signing.sign_in.confirm(who, GOOD)
    fresh = await signing.sign_in.of(who.token)
    assert fresh is not None
    assert (await signing.with_app(fresh))[1]


async def test_guessing_the_password_in_an_open_session_makes_wait(signing: Signing) -> None:
    who = await signing.begun()
    for _ in range(guessing.FREE_TRIES):
        with pytest.raises(InvalidRecord):
            await signing.sign_in.confirm(who, OTHER)
    with pytest.raises(SignInLocked):
        await signing.sign_in.confirm(who, GOOD)
    with pytest.raises(SignInLocked):
        await signing.sign_in.change_password(who, GOOD, OTHER)
    signing.clock.advance(31_000)
    await signing.sign_in.confirm(who, GOOD)
    # All is forgotten with the right one.
    with pytest.raises(InvalidRecord):
        await signing.sign_in.confirm(who, OTHER)
    await signing.sign_in.change_password(who, GOOD, OTHER)


async def test_a_stranger_who_guesses_keeps_nobody_out_of_an_open_session(
    signing: Signing,
) -> None:
    who = await signing.begun()
    for _ in range(guessing.FREE_TRIES):
        with pytest.raises(SignInRefused):
            await signing.sign_in.by_password("ann", OTHER, ELSEWHERE)
    with pytest.raises(SignInLocked):
        await signing.sign_in.by_password("ann", GOOD, ELSEWHERE)
    await signing.sign_in.confirm(who, GOOD)
    await signing.sign_in.change_password(who, GOOD, OTHER)


async def test_guesses_in_an_open_session_keep_nobody_out_elsewhere(signing: Signing) -> None:
    who = await signing.begun()
    other = await signing.sign_in.by_password("ann", GOOD, ELSEWHERE)
    assert isinstance(other, SignedIn)
    for _ in range(guessing.FREE_TRIES):
        with pytest.raises(InvalidRecord):
            await signing.sign_in.confirm(who, OTHER)
    await signing.sign_in.confirm(other, GOOD)
    assert isinstance(await signing.sign_in.by_password("ann", GOOD, HOME), SignedIn)


async def test_a_code_of_the_operator_needs_no_second_factor(signing: Signing) -> None:
    await signing.with_app(await signing.begun())
    code = await signing.sign_in.ticket_for("ann")
    signed_in = await signing.sign_in.by_code(code, HOME)
    assert await signing.sign_in.of(signed_in.token) is not None


async def test_the_operator_takes_second_factors_away(signing: Signing) -> None:
    who = await signing.begun()
    await signing.with_app(who)
    half = await signing.half()
    operator = FactorsOf(signing.store, signing.clock)
    kept = await operator.named("ann")
    assert (kept.ways.has_totp, kept.ways.recovery_codes, kept.passkeys) == (True, 10, [])
    await operator.remove("ann")
    assert not (await operator.named("ann")).ways.is_second_asked
    assert await signing.factors.half(half.token) is None
    assert isinstance(await signing.sign_in.by_password("ann", GOOD, HOME), SignedIn)
    assert "factors_removed" in await signing.kinds(who.user.id)
    with pytest.raises(NotFound):
        await operator.remove("nobody")


async def test_sessions_are_listed_and_ended_by_their_owner(signing: Signing) -> None:
    here = await signing.begun()
    signing.clock.advance(MINUTE)
    there = await signing.sign_in.by_password("ann", GOOD, ELSEWHERE)
    third = await signing.sign_in.by_password("ann", GOOD, ELSEWHERE)
    assert isinstance(there, SignedIn)
    async with signing.store.transaction() as tx:
        bob = await tx.users.add("bob", signing.clock.now())
    guest = await signing.sign_in.by_code(await signing.sign_in.ticket_for("bob"), HOME)
    sessions = Sessions(signing.store, signing.clock)
    assert {each.id for each in await sessions.all(here)} == {
        here.session.id,
        there.session.id,
        third.session.id,  # type: ignore[union-attr]
    }
    with pytest.raises(NotFound):
        await sessions.end(guest, there.session.id)
    await sessions.end(here, there.session.id)
    assert await signing.sign_in.of(there.token) is None
    await sessions.end_others(here)
    assert [each.id for each in await sessions.all(here)] == [here.session.id]
    assert (await sessions.all(guest))[0].user_id == bob.id
    assert (await signing.kinds(here.user.id))[-2:] == ["session_ended", "sessions_ended"]


async def test_the_database_holds_no_code_and_no_secret(signing: Signing) -> None:
    app, codes = await signing.with_app(await signing.begun())
    half = await signing.half()
    async with signing.store.reading() as tx:
        connection = tx.sign_ins._connection
        tables = (ceremonies, recovery_codes, totp_secrets)
        held = [str(row) for each in tables for row in await connection.execute(select(each))]
    told = " ".join(held)
    for secret in (app.secret.reveal(), half.token.reveal(), codes[0], codes[0].replace("-", "")):
        assert secret not in told


async def test_who_never_had_a_password_makes_one_after_showing_who_they_are(
    signing: Signing,
) -> None:
    await signing.begun()
    async with signing.store.transaction() as tx:
        await tx.users.add("bob", signing.clock.now())
    bob = await signing.sign_in.by_code(await signing.sign_in.ticket_for("bob"), HOME)
    signing.clock.advance(10 * MINUTE)
    with pytest.raises(CheckNeeded):
        await signing.sign_in.change_password(bob, Secret(""), GOOD)
    again = await signing.sign_in.by_code(await signing.sign_in.ticket_for("bob"), HOME)
    await signing.sign_in.change_password(again, Secret(""), GOOD)
    assert isinstance(await signing.sign_in.by_password("bob", GOOD, HOME), SignedIn)
