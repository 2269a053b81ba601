"""Signing in: the first run, passwords, one-time codes, sessions, and the wait after failures."""

import asyncio

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from coffers.access.passwords import Passwords, PasswordsBusy
from coffers.clock import DAY, HOUR, MINUTE, ManualClock
from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio import guessing
from coffers.portfolio.guessing import SignInLocked
from coffers.portfolio.sessions import IDLE, SignedIn
from coffers.portfolio.sign_in import SignIn, SignInRefused
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.tables import passwords, sessions, sign_in_tickets
from factored import ELSEWHERE, GOOD, HOME, OTHER, quick
from factories import NOW


class Crowded(Passwords):
    """Passwords for which many wait, while a test says so."""

    is_busy = False

    async def is_right(self, hashed: str | None, password: Secret) -> bool:
        if self.is_busy:
            raise PasswordsBusy
        return await super().is_right(hashed, password)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def signing(store: Store, clock: ManualClock) -> SignIn:
    return SignIn(store, quick(), clock)


async def _begun(signing: SignIn, name: str = "ann") -> SignedIn:
    code = await signing.first_run_code()
    assert code is not None
    return await signing.welcome(code, name, GOOD, HOME)


async def test_the_first_user_is_made_with_the_code_of_the_terminal(
    signing: SignIn, store: Store
) -> None:
    assert await signing.is_first_run()
    signed_in = await _begun(signing)
    assert signed_in.user.name == "ann"
    assert not await signing.is_first_run()
    assert await signing.first_run_code() is None
    found = await signing.of(signed_in.token)
    assert found is not None
    assert found.user == signed_in.user
    async with store.reading() as tx:
        kept = await tx.audit.of_user(signed_in.user.id)
    assert [event.kind for event in kept] == ["signed_in", "user_added"]


async def test_a_user_who_is_there_gets_a_first_password(signing: SignIn, store: Store) -> None:
    async with store.transaction() as tx:
        user = await tx.users.add("ann", NOW)
    assert (await _begun(signing)).user.id == user.id
    async with store.reading() as tx:
        kept = await tx.audit.of_user(user.id)
    assert [event.kind for event in kept] == ["signed_in", "password_changed"]


async def test_a_code_works_once_however_many_use_it_at_once(signing: SignIn) -> None:
    code = await signing.first_run_code()
    assert code is not None
    tries = [signing.welcome(code, name, GOOD, HOME) for name in ("ann", "bob", "eve")]
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, SignedIn) for each in told) == 1
    assert sum(isinstance(each, InvalidRecord) for each in told) == 2


async def test_a_new_code_takes_the_place_of_the_one_before(signing: SignIn) -> None:
    first = await signing.first_run_code()
    assert first is not None
    second = await signing.first_run_code()
    with pytest.raises(InvalidRecord) as refused:
        await signing.welcome(first, "ann", GOOD, HOME)
    assert list(refused.value.attributes) == ["code"]
    assert second is not None
    # As people copy it.
    spoken = f" {second.lower().replace('-', ' ')} "
    assert (await signing.welcome(spoken, "ann", GOOD, HOME)).user.name == "ann"


@pytest.mark.parametrize("password", ["short", "x" * 300, "aaaaaaaaaaaa", "annannannann"])
async def test_a_password_that_is_no_good_is_refused(signing: SignIn, password: str) -> None:
    code = await signing.first_run_code()
    assert code is not None
    with pytest.raises(InvalidRecord) as refused:
        await signing.welcome(code, "annannannann", Secret(password), HOME)
    assert list(refused.value.attributes) == ["password"]
    assert password not in str(refused.value)


async def test_name_and_password_sign_in(signing: SignIn) -> None:
    await _begun(signing)
    signed_in = await signing.by_password(" ann ", GOOD, ELSEWHERE)
    assert signed_in.session.agent == "Browser 2"
    assert (await signing.of(signed_in.token)) is not None


async def test_a_wrong_name_is_refused_as_a_wrong_password_is(signing: SignIn) -> None:
    await _begun(signing)
    for name, password in (("ann", OTHER), ("nobody", GOOD), ("", GOOD)):
        with pytest.raises(SignInRefused, match="the name or the password is wrong"):
            await signing.by_password(name, password, HOME)


async def test_who_guesses_waits_longer_and_longer(signing: SignIn, clock: ManualClock) -> None:
    await _begun(signing)
    for _ in range(guessing.FREE_TRIES):
        with pytest.raises(SignInRefused):
            await signing.by_password("ann", OTHER, HOME)
    with pytest.raises(SignInLocked) as locked:
        await signing.by_password("ann", GOOD, ELSEWHERE)
    assert locked.value.seconds == 30
    clock.advance(31_000)
    with pytest.raises(SignInRefused):
        await signing.by_password("ANN".lower(), OTHER, HOME)
    with pytest.raises(SignInLocked) as locked:
        await signing.by_password("ann", GOOD, HOME)
    assert locked.value.seconds == 60
    clock.advance(61_000)
    assert (await signing.by_password("ann", GOOD, HOME)).user.name == "ann"
    # All is forgotten with the right one.
    with pytest.raises(SignInRefused):
        await signing.by_password("ann", OTHER, HOME)


async def test_failures_of_a_clock_that_was_ahead_lock_nobody_out(
    signing: SignIn, clock: ManualClock
) -> None:
    await _begun(signing)
    clock.advance(DAY)
    for _ in range(guessing.FREE_TRIES):
        with pytest.raises(SignInRefused):
            await signing.by_password("ann", OTHER, HOME)
    clock.advance(-DAY)
    with pytest.raises(SignInRefused):
        await signing.by_password("ann", OTHER, HOME)
    # That one was of now, and what was counted before counts.
    with pytest.raises(SignInLocked) as locked:
        await signing.by_password("ann", GOOD, HOME)
    assert locked.value.seconds == 60
    clock.advance(61_000)
    assert (await signing.by_password("ann", GOOD, HOME)).user.name == "ann"


async def test_a_session_of_a_clock_that_was_ahead_ends_when_nobody_uses_it(
    signing: SignIn, clock: ManualClock
) -> None:
    clock.advance(300 * DAY)
    signed_in = await _begun(signing)
    clock.advance(-300 * DAY)
    assert not signed_in.is_checked(clock.now())
    assert await signing.of(signed_in.token) is not None
    clock.advance(IDLE)
    assert await signing.of(signed_in.token) is None


async def test_guesses_that_are_sent_at_once_are_no_more_than_may_fail(signing: SignIn) -> None:
    await _begun(signing)
    guesses = [*[OTHER] * 40, GOOD]
    tries = [signing.by_password("ann", guess, HOME) for guess in guesses]
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert isinstance(told[-1], SignInLocked)
    assert not any(isinstance(each, SignedIn) for each in told)
    # Nothing was tried beyond that: which answer comes when tells nothing of what was right.
    assert sum(isinstance(each, SignInRefused) for each in told) == guessing.FREE_TRIES


async def test_right_passwords_that_are_sent_at_once_all_sign_in(signing: SignIn) -> None:
    await _begun(signing)
    for _ in range(guessing.FREE_TRIES - 1):
        with pytest.raises(SignInRefused):
            await signing.by_password("ann", OTHER, HOME)
    assert (await signing.by_password("ann", GOOD, HOME)).user.name == "ann"
    told = await asyncio.gather(*(signing.by_password("ann", GOOD, HOME) for _ in range(4)))
    assert len(told) == 4


async def test_an_address_that_tries_many_names_waits_too(signing: SignIn) -> None:
    await _begun(signing)
    for number in range(guessing.ADDRESS_TRIES):
        with pytest.raises(SignInRefused):
            await signing.by_password(f"name{number}", OTHER, HOME)
    with pytest.raises(SignInLocked):
        await signing.by_password("ann", GOOD, HOME)
    assert (await signing.by_password("ann", GOOD, ELSEWHERE)).user.name == "ann"


async def test_who_mistypes_now_and_then_never_waits(signing: SignIn, clock: ManualClock) -> None:
    await _begun(signing)
    for _ in range(2 * guessing.ADDRESS_TRIES):
        clock.advance(guessing.FORGOTTEN_AFTER + MINUTE)
        with pytest.raises(SignInRefused):
            await signing.by_password("ann", OTHER, HOME)
        assert (await signing.by_password("ann", GOOD, HOME)).user.name == "ann"


async def test_a_password_that_nobody_had_time_for_is_no_try(
    store: Store, clock: ManualClock
) -> None:
    passwords = Crowded(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    signing = SignIn(store, passwords, clock)
    who = await _begun(signing)
    passwords.is_busy = True
    for _ in range(guessing.FREE_TRIES + 1):
        with pytest.raises(PasswordsBusy):
            await signing.by_password("ann", GOOD, HOME)
        with pytest.raises(PasswordsBusy):
            await signing.confirm(who, GOOD)
    passwords.is_busy = False
    assert isinstance(await signing.by_password("ann", GOOD, HOME), SignedIn)
    await signing.confirm(who, GOOD)


async def test_guessed_codes_are_counted_as_well(signing: SignIn) -> None:
    await _begun(signing)
    for _ in range(guessing.ADDRESS_TRIES):
        with pytest.raises(InvalidRecord):
            await signing.by_code("AAAA-BBBB-CCCC-DDDD", HOME)
    with pytest.raises(SignInLocked):
        await signing.by_code("AAAA-BBBB-CCCC-DDDD", HOME)
    with pytest.raises(SignInLocked):
        await signing.by_password("ann", GOOD, HOME)


async def test_a_right_code_does_not_wait_for_who_guesses_at_the_same_address(
    signing: SignIn,
) -> None:
    first = await signing.first_run_code()
    assert first is not None
    for _ in range(guessing.ADDRESS_TRIES):
        with pytest.raises(InvalidRecord):
            await signing.welcome("AAAA-BBBB-CCCC-DDDD", "ann", GOOD, HOME)
    with pytest.raises(SignInLocked):
        await signing.welcome("AAAA-BBBB-CCCC-DDDD", "ann", GOOD, HOME)
    assert (await signing.welcome(first, "ann", GOOD, HOME)).user.name == "ann"
    assert (await signing.by_code(await signing.ticket_for("ann"), HOME)).user.name == "ann"


async def test_a_code_signs_in_once_and_for_a_short_time(
    signing: SignIn, clock: ManualClock
) -> None:
    await _begun(signing)
    code = await signing.ticket_for("ann")
    assert (await signing.by_code(code, HOME)).user.name == "ann"
    with pytest.raises(InvalidRecord):
        await signing.by_code(code, HOME)
    late = await signing.ticket_for("ann")
    clock.advance(16 * MINUTE)
    with pytest.raises(InvalidRecord):
        await signing.by_code(late, HOME)
    with pytest.raises(NotFound):
        await signing.ticket_for("nobody")


async def test_the_code_of_a_first_run_signs_nobody_in(signing: SignIn) -> None:
    code = await signing.first_run_code()
    assert code is not None
    with pytest.raises(InvalidRecord):
        await signing.by_code(code, HOME)


async def test_a_session_ends_when_it_is_not_used_and_at_last_anyway(
    signing: SignIn, clock: ManualClock
) -> None:
    idle = await _begun(signing)
    used = await signing.by_password("ann", GOOD, HOME)
    for _ in range(9):
        clock.advance(3 * DAY)
        assert await signing.of(used.token) is not None
    assert await signing.of(idle.token) is None
    clock.advance(3 * DAY + HOUR)
    assert await signing.of(used.token) is None


async def test_signing_out_ends_one_session(signing: SignIn) -> None:
    here, there = await _begun(signing), await signing.by_password("ann", GOOD, ELSEWHERE)
    await signing.sign_out(here)
    assert await signing.of(here.token) is None
    assert await signing.of(there.token) is not None


async def test_another_password_ends_the_other_sessions(signing: SignIn) -> None:
    here, there = await _begun(signing), await signing.by_password("ann", GOOD, ELSEWHERE)
    with pytest.raises(InvalidRecord):
        await signing.change_password(here, OTHER, OTHER)
    await signing.change_password(here, GOOD, OTHER)
    assert await signing.of(here.token) is not None
    assert await signing.of(there.token) is None
    await signing.set_password("ann", GOOD)
    assert await signing.of(here.token) is None
    assert (await signing.by_password("ann", GOOD, HOME)).user.name == "ann"


@pytest.mark.parametrize("token", ["", ".", "1", "1.", "x.y", "99999999999.z", "1.nonsense", "²."])
async def test_what_is_no_session_is_nobody(signing: SignIn, token: str) -> None:
    await _begun(signing)
    assert await signing.of(Secret(token)) is None


async def test_the_database_holds_nothing_that_signs_in(signing: SignIn, store: Store) -> None:
    signed_in = await _begun(signing)
    code = await signing.ticket_for("ann")
    async with store.reading() as tx:
        connection = tx.sign_ins._connection
        held = [
            str(row)
            for table in (passwords, sessions, sign_in_tickets)
            for row in await connection.execute(select(table))
        ]
    told = " ".join(held)
    for secret in (signed_in.token.reveal(), GOOD.reveal(), code, code.replace("-", "")):
        assert secret not in told
    assert "$argon2id$" in told
