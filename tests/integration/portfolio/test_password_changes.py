"""A password that is changed while somebody shows it counts no more, wherever the two meet."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from argon2 import PasswordHasher

from authenticator import Authenticator
from coffers.access.passwords import Passwords
from coffers.errors import InvalidRecord
from coffers.portfolio import second_factors
from coffers.portfolio.authenticators import PasskeySite
from coffers.portfolio.passkey_sign_in import PasskeySignIn
from coffers.portfolio.passkeys import Passkeys
from coffers.portfolio.second_factors import HalfSignedIn
from coffers.portfolio.sessions import CHECK_LASTS, SignedIn, begin
from coffers.portfolio.sign_in import SignIn, SignInRefused
from coffers.secret import Secret
from coffers.store.engine import Store
from factored import ELSEWHERE, GOOD, HOME, OTHER, Signing

_T = TypeVar("_T")

THIRD = Secret("a third password 3")
SITE = PasskeySite("coffers.test", "https://coffers.test")


class Slow(Passwords):
    """Passwords that are looked at, and hashed, but not told of before `go` is set."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        super().__init__(hasher or PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    async def is_right(self, hashed: str | None, password: Secret) -> bool:
        is_right = await super().is_right(hashed, password)
        await self._held()
        return is_right

    async def hashed(self, password: Secret) -> str:
        hashed = await super().hashed(password)
        await self._held()
        return hashed

    async def _held(self) -> None:
        self.reached.set()
        await self.go.wait()


@pytest.fixture
def signing(store: Store) -> Signing:
    return Signing(store)


@pytest.fixture
async def slow() -> Slow:
    return Slow()


def slowly(signing: Signing, slow: Slow) -> SignIn:
    return SignIn(signing.store, slow, signing.clock)


async def meeting(slow: Slow, first: Awaitable[_T], meanwhile: Awaitable[object]) -> _T:
    """Do something while the first is looking at a password; return what comes of the first."""
    begun = asyncio.ensure_future(first)
    await slow.reached.wait()
    await meanwhile
    slow.go.set()
    return await begun


async def sessions(signing: Signing, user_id: int) -> set[str]:
    async with signing.store.reading() as tx:
        return {each.id for each in await tx.sign_ins.sessions_of(user_id, signing.clock.now())}


async def test_the_old_password_signs_nobody_in_who_began_before(
    signing: Signing, slow: Slow
) -> None:
    who = await signing.begun()
    with pytest.raises(SignInRefused):
        await meeting(
            slow,
            slowly(signing, slow).by_password("ann", GOOD, ELSEWHERE),
            signing.sign_in.change_password(who, GOOD, OTHER),
        )
    assert await sessions(signing, who.user.id) == {who.session.id}


async def test_nor_by_half(signing: Signing, slow: Slow) -> None:
    who = await signing.begun()
    await signing.with_app(who)
    with pytest.raises(SignInRefused):
        await meeting(
            slow,
            slowly(signing, slow).by_password("ann", GOOD, ELSEWHERE),
            signing.sign_in.change_password(who, GOOD, OTHER),
        )


async def test_the_old_password_is_not_hashed_anew_over_the_new_one(signing: Signing) -> None:
    who = await signing.begun()
    costlier = Slow(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    with pytest.raises(SignInRefused):
        await meeting(
            costlier,
            slowly(signing, costlier).by_password("ann", GOOD, ELSEWHERE),
            signing.sign_in.change_password(who, GOOD, OTHER),
        )
    assert isinstance(await signing.sign_in.by_password("ann", OTHER, HOME), SignedIn)


async def test_a_password_that_others_hash_anew_meanwhile_signs_in_all_the_same(
    signing: Signing, slow: Slow
) -> None:
    await signing.begun()
    costlier = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    found = await meeting(
        slow,
        slowly(signing, slow).by_password("ann", GOOD, ELSEWHERE),
        SignIn(signing.store, costlier, signing.clock).by_password("ann", GOOD, HOME),
    )
    assert isinstance(found, SignedIn)


async def test_the_old_password_confirms_nothing(signing: Signing, slow: Slow) -> None:
    await signing.begun()
    who = await signing.sign_in.by_password("ann", GOOD, HOME)
    assert isinstance(who, SignedIn)
    signing.clock.advance(60_000)
    with pytest.raises(InvalidRecord) as refused:
        await meeting(
            slow,
            slowly(signing, slow).confirm(who, GOOD),
            signing.sign_in.change_password(who, GOOD, OTHER),
        )
    assert list(refused.value.attributes) == ["password"]
    found = await signing.sign_in.of(who.token)
    assert found is not None
    assert found.session.checked_at == who.session.checked_at


async def test_of_two_changes_at_once_the_first_counts(signing: Signing, slow: Slow) -> None:
    who = await signing.begun()
    with pytest.raises(InvalidRecord) as refused:
        await meeting(
            slow,
            slowly(signing, slow).change_password(who, GOOD, THIRD),
            signing.sign_in.change_password(who, GOOD, OTHER),
        )
    assert list(refused.value.attributes) == ["old_password"]
    assert isinstance(await signing.sign_in.by_password("ann", OTHER, HOME), SignedIn)


async def test_of_two_first_passwords_at_once_the_first_counts(
    signing: Signing, slow: Slow
) -> None:
    await signing.begun()
    async with signing.store.transaction() as tx:
        await tx.users.add("bob", signing.clock.now())
    bob = await signing.sign_in.by_code(await signing.sign_in.ticket_for("bob"), HOME)
    with pytest.raises(InvalidRecord) as refused:
        await meeting(
            slow,
            slowly(signing, slow).change_password(bob, Secret(""), THIRD),
            signing.sign_in.change_password(bob, Secret(""), OTHER),
        )
    assert list(refused.value.attributes) == ["old_password"]
    assert isinstance(await signing.sign_in.by_password("bob", OTHER, HOME), SignedIn)


NONE = Secret("")


async def test_who_has_forgotten_it_sets_another_one_by_a_code_of_the_operator(
    signing: Signing,
) -> None:
    here, sign_in = await signing.begun(), signing.sign_in
    await refuses_without_password(sign_in.change_password(here, NONE, OTHER))
    late = await sign_in.by_code(await sign_in.ticket_for("ann"), HOME)
    signing.clock.advance(CHECK_LASTS)
    await refuses_without_password(sign_in.change_password(late, NONE, OTHER))
    found = await sign_in.by_code(await sign_in.ticket_for("ann"), HOME)
    # The code vouches for who typed it alone, and a wrong password stays a wrong one.
    await refuses_without_password(sign_in.change_password(here, NONE, OTHER))
    await refuses_without_password(sign_in.change_password(found, THIRD, OTHER))
    await sign_in.change_password(found, NONE, OTHER)
    assert isinstance(await sign_in.by_password("ann", OTHER, HOME), SignedIn)
    assert await sessions(signing, here.user.id) >= {found.session.id}
    # Once: from then on it is known.
    await refuses_without_password(sign_in.change_password(found, NONE, THIRD))


async def test_a_passkey_takes_its_place_there_too(signing: Signing) -> None:
    who, device = await signing.begun(), Authenticator(SITE.origin)
    passkeys = Passkeys(signing.store, signing.clock)
    showing = PasskeySignIn(signing.store, signing.vault, signing.clock)
    await passkeys.add(who, SITE, "Phone", device.make(await passkeys.options(who, SITE)))
    await showing.check(who, SITE, device.show(await showing.check_options(who, SITE)))
    await signing.sign_in.change_password(who, NONE, OTHER)
    alone = await showing.sign_in(SITE, device.show(await showing.options(SITE)), HOME)
    await signing.sign_in.change_password(alone, NONE, THIRD)


async def refuses_without_password(changing: Awaitable[object]) -> None:
    with pytest.raises(InvalidRecord) as refused:
        await changing
    assert list(refused.value.attributes) == ["old_password"]


async def _by_code(signing: Signing) -> Callable[[], Awaitable[SignedIn]]:
    app, _ = await signing.with_app(await signing.begun())
    half = await signing.half()
    return lambda: signing.factors.by_code(half, app.code(), HOME)


async def _by_passkey(signing: Signing) -> Callable[[], Awaitable[SignedIn]]:
    who, device = await signing.begun(), Authenticator(SITE.origin)
    keys, showing = (
        Passkeys(signing.store, signing.clock),
        PasskeySignIn(signing.store, signing.vault, signing.clock),
    )
    await keys.add(who, SITE, "Phone", device.make(await keys.options(who, SITE)))
    half: HalfSignedIn = await signing.half()
    text = device.show(await showing.second_options(half, SITE))
    return lambda: showing.second(half, SITE, text, HOME)


@pytest.mark.parametrize("prepared", [_by_code, _by_passkey])
async def test_a_second_step_that_is_being_taken_ends_with_the_old_password(
    signing: Signing,
    monkeypatch: pytest.MonkeyPatch,
    prepared: Callable[[Signing], Awaitable[Callable[[], Awaitable[SignedIn]]]],
) -> None:
    second_step = await prepared(signing)
    reached, go = asyncio.Event(), asyncio.Event()

    async def slowly_begun(*given: object) -> SignedIn:
        reached.set()
        await go.wait()
        return await begin(*given)  # type: ignore[arg-type]  # passed on as it is

    monkeypatch.setattr(second_factors, "begin", slowly_begun)
    stepping = asyncio.ensure_future(second_step())
    await reached.wait()
    changing = asyncio.ensure_future(signing.sign_in.set_password("ann", OTHER))
    # As far as it gets: it has to wait for the step's transaction.
    await asyncio.wait({changing}, timeout=0.5)
    go.set()
    signed_in = await stepping
    await changing
    assert await signing.sign_in.of(signed_in.token) is None
