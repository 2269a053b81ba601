"""Passkeys with an authenticator in software: made, shown alone and after a password, refused."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authenticator import Authenticator, encoded
from coffers.clock import HOUR, MINUTE
from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio import passkeys as making
from coffers.portfolio.authenticators import PasskeySite
from coffers.portfolio.guessing import FREE_TRIES, SignInLocked
from coffers.portfolio.passkey_sign_in import PasskeySignIn
from coffers.portfolio.passkeys import Passkeys
from coffers.portfolio.second_factors import FactorsOf, HalfOver
from coffers.portfolio.sessions import CheckNeeded, SignedIn
from coffers.store.engine import Store
from coffers.store.passkeys import Passkey
from factored import GOOD, HOME, Signing

SITE = PasskeySite("coffers.test", "https://coffers.test")
OTHER_SITE = PasskeySite("localhost", "http://localhost:8787")


class Keys:
    """A user with an authenticator."""

    def __init__(self, store: Store) -> None:
        self.signing = Signing(store)
        self.passkeys = Passkeys(store, self.signing.clock)
        self.showing = PasskeySignIn(store, self.signing.vault, self.signing.clock)
        self.device = Authenticator(SITE.origin)

    async def added(self, who: SignedIn, name: str = "Phone", **changes: Any) -> list[str]:
        text = self.device.make(await self.passkeys.options(who, SITE), **changes)
        return await self.passkeys.add(who, SITE, name, text)

    async def signed_in(self, **changes: Any) -> SignedIn:
        text = self.device.show(await self.showing.options(SITE), **changes)
        return await self.showing.sign_in(SITE, text, HOME)

    async def only(self, who: SignedIn) -> Passkey:
        (found,) = await self.passkeys.all(who)
        return found


@pytest.fixture
def keys(store: Store) -> Keys:
    return Keys(store)


async def refused(tried: Awaitable[object], field: str = "passkey") -> None:
    with pytest.raises(InvalidRecord) as told:
        await tried
    assert list(told.value.attributes) == [field]


async def test_a_passkey_signs_in_alone(keys: Keys) -> None:
    who = await keys.signing.begun()
    codes = await keys.added(who)
    assert len(codes) == 10
    signed_in = await keys.signed_in()
    assert signed_in.user == who.user
    assert await keys.signing.sign_in.of(signed_in.token) is not None
    found = await keys.only(who)
    assert (found.name, found.rp_id, found.sign_count) == ("Phone", "coffers.test", 1)
    assert (found.used_at, found.transports) == (keys.signing.clock.now(), ("internal",))
    kinds = await keys.signing.kinds(who.user.id)
    assert kinds[-3:] == ["passkey_added", "recovery_codes_made", "signed_in"]


async def test_what_a_browser_is_asked_demands_a_finger_and_a_key_that_is_found(keys: Keys) -> None:
    who = await keys.signing.begun()
    asked = json.loads(await keys.passkeys.options(who, SITE))
    assert asked["rp"]["id"] == "coffers.test"
    assert asked["attestation"] == "none"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    shown = json.loads(await keys.showing.options(SITE))
    assert shown["userVerification"] == "required"
    assert not shown.get("allowCredentials")


async def test_a_device_is_told_which_of_its_keys_are_there(keys: Keys) -> None:
    who = await keys.signing.begun()
    await keys.added(who)
    asked = json.loads(await keys.passkeys.options(who, SITE))
    known = [encoded(keys.device.keys[0].id)]
    assert [each["id"] for each in asked["excludeCredentials"]] == known
    elsewhere = json.loads(await keys.passkeys.options(who, OTHER_SITE))
    assert not elsewhere["excludeCredentials"]


async def test_the_same_passkey_is_not_added_twice(keys: Keys) -> None:
    who = await keys.signing.begun()
    await keys.added(who)
    keys.device.keys.clear()
    await refused(keys.added(who))


async def test_a_passkey_is_asked_for_after_the_password(keys: Keys) -> None:
    await keys.added(await keys.signing.begun())
    half = await keys.signing.half()
    assert (half.ways.has_totp, half.ways.passkeys) == (False, 1)
    options = await keys.showing.second_options(half, SITE)
    known = [encoded(keys.device.keys[0].id)]
    assert [each["id"] for each in json.loads(options)["allowCredentials"]] == known
    text = keys.device.show(options)
    assert (await keys.showing.second(half, SITE, text, HOME)).user.name == "ann"
    assert await keys.signing.factors.half(half.token) is None
    with pytest.raises(HalfOver):
        await keys.showing.second(half, SITE, text, HOME)


async def test_a_recovery_code_stands_in_for_a_lost_key(keys: Keys) -> None:
    codes = await keys.added(await keys.signing.begun())
    half = await keys.signing.half()
    assert await keys.signing.factors.by_code(half, codes[0], HOME)


async def test_a_passkey_shows_anew_who_sits_there(keys: Keys) -> None:
    who = await keys.signing.begun()
    await keys.added(who)
    keys.signing.clock.advance(HOUR)
    text = keys.device.show(await keys.showing.check_options(who, SITE))
    await keys.showing.check(who, SITE, text)
    fresh = await keys.signing.sign_in.of(who.token)
    assert fresh is not None
    assert fresh.is_checked(keys.signing.clock.now())
    await refused(keys.showing.check(who, SITE, text))


@pytest.mark.parametrize(
    "changes",
    [
        {"client": {"origin": "https://evil.test"}},
        {"client": {"origin": "https://coffers.test.evil.test"}},
        {"client": {"type": "webauthn.create"}},
        {"client": {"challenge": encoded(bytes(32))}},
        {"rp_id": "evil.test"},
        {"private": ec.generate_private_key(ec.SECP256R1())},
        {"handle": b""},
        {"handle": bytes(16)},
        {"handle": b"\xff" * 16},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_what_is_not_ours_or_not_theirs_signs_nobody_in(
    keys: Keys, changes: dict[str, Any]
) -> None:
    await keys.added(await keys.signing.begun())
    await refused(keys.signed_in(**changes))
    assert await keys.signed_in()


@pytest.mark.parametrize(
    "changes",
    [
        {"client": {"origin": "https://evil.test"}},
        {"client": {"type": "webauthn.get"}},
        {"client": {"challenge": encoded(bytes(32))}},
        {"rp_id": "evil.test"},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_what_is_not_ours_is_not_added(keys: Keys, changes: dict[str, Any]) -> None:
    who = await keys.signing.begun()
    await refused(keys.added(who, **changes))
    assert await keys.passkeys.all(who) == []
    assert isinstance(await keys.signing.sign_in.by_password("ann", GOOD, HOME), SignedIn)


async def test_an_authenticator_that_saw_nobody_is_refused(keys: Keys) -> None:
    who = await keys.signing.begun()
    keys.device.verifies = False
    await refused(keys.added(who))
    keys.device.verifies, keys.device.keys = True, []
    await keys.added(who)
    keys.device.verifies = False
    await refused(keys.signed_in())


async def test_a_challenge_is_answered_once_and_for_a_short_time(keys: Keys) -> None:
    await keys.added(await keys.signing.begun())
    keys.device.counts = False
    text = keys.device.show(await keys.showing.options(SITE))
    assert await keys.showing.sign_in(SITE, text, HOME)
    await refused(keys.showing.sign_in(SITE, text, HOME))
    late = keys.device.show(await keys.showing.options(SITE))
    keys.signing.clock.advance(5 * MINUTE)
    await refused(keys.showing.sign_in(SITE, late, HOME))


async def test_a_challenge_is_used_up_by_a_wrong_answer_too(keys: Keys) -> None:
    await keys.added(await keys.signing.begun())
    half = await keys.signing.half()
    options = await keys.showing.second_options(half, SITE)
    await refused(keys.showing.second(half, SITE, keys.device.show(options, rp_id="x.test"), HOME))
    await refused(keys.showing.second(half, SITE, keys.device.show(options), HOME))


async def test_an_answer_that_is_sent_twice_tells_of_no_copy(keys: Keys) -> None:
    who = await keys.signing.begun()
    await keys.added(who)
    text = keys.device.show(await keys.showing.options(SITE))
    assert await keys.showing.sign_in(SITE, text, HOME)
    await refused(keys.showing.sign_in(SITE, text, HOME))
    assert "passkey_copied" not in await keys.signing.kinds(who.user.id)


@pytest.mark.parametrize(
    "challenge",
    [
        encoded(b"key:" + bytes(90)),
        encoded(b"\xff:" + bytes(90)),
        encoded(bytes(90)),
        "!",
        "\u00e9",
    ],
)
async def test_a_challenge_that_is_none_of_ours_is_refused(keys: Keys, challenge: str) -> None:
    await keys.added(await keys.signing.begun())
    await refused(keys.signed_in(client={"challenge": challenge}))
    assert await keys.signed_in()


async def test_whoever_asks_for_challenges_holds_nobody_up_and_fills_nothing(keys: Keys) -> None:
    await keys.added(await keys.signing.begun())
    for _ in range(200):
        await keys.showing.options(SITE)
        await refused(keys.signed_in(rp_id="x.test"))
    async with keys.signing.store.reading() as tx:
        found = await tx.ceremonies.count("passkey_sign_in", "", keys.signing.clock.now())
    assert found == 0
    assert await keys.signed_in()


async def test_who_knows_the_password_alone_cannot_fill_the_trail(keys: Keys) -> None:
    who = await keys.signing.begun()
    await keys.added(who)
    half = await keys.signing.half()
    for _ in range(40):
        text = keys.device.show(await keys.showing.second_options(half, SITE), rp_id="x.test")
        await refused(keys.showing.second(half, SITE, text, HOME))
    kinds = await keys.signing.kinds(who.user.id)
    assert kinds.count("second_factor_refused") == FREE_TRIES
    # The right one is asked to wait by nothing, after the password and alone.
    text = keys.device.show(await keys.showing.second_options(half, SITE))
    assert await keys.showing.second(half, SITE, text, HOME)
    assert await keys.signed_in()


async def test_one_answer_that_is_sent_often_at_once_signs_in_once(keys: Keys) -> None:
    await keys.added(await keys.signing.begun())
    keys.device.counts = False
    text = keys.device.show(await keys.showing.options(SITE))
    tries = [keys.showing.sign_in(SITE, text, HOME) for _ in range(4)]
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, SignedIn) for each in told) == 1


async def test_a_challenge_is_good_for_what_it_was_made_for(keys: Keys) -> None:
    who = await keys.signing.begun()
    await keys.added(who)
    half = await keys.signing.half()
    other = await keys.signing.half()
    asked = {
        "alone": await keys.showing.options(SITE),
        "second": await keys.showing.second_options(half, SITE),
        "check": await keys.showing.check_options(who, SITE),
    }
    answers = {name: keys.device.show(options) for name, options in asked.items()}
    await refused(keys.showing.sign_in(SITE, answers["second"], HOME))
    await refused(keys.showing.check(who, SITE, answers["alone"]))
    await refused(keys.showing.second(half, SITE, answers["check"], HOME))
    # Of another one who gave the password, and of another session.
    await refused(keys.showing.second(other, SITE, answers["second"], HOME))
    later = await keys.signed_in()
    await refused(keys.showing.check(later, SITE, answers["check"]))


async def test_anothers_passkey_is_not_ones_own(keys: Keys) -> None:
    ann = await keys.signing.begun()
    await keys.added(ann)
    async with keys.signing.store.transaction() as tx:
        await tx.users.add("bob", keys.signing.clock.now())
    bob = await keys.signing.sign_in.by_code(await keys.signing.sign_in.ticket_for("bob"), HOME)
    own = (await keys.only(ann)).id
    with pytest.raises(NotFound):
        await keys.passkeys.remove(bob, own)
    with pytest.raises(NotFound):
        await keys.passkeys.rename(bob, own, "Mine")
    options = await keys.showing.check_options(bob, SITE)
    await refused(keys.showing.check(bob, SITE, keys.device.show(options)))
    assert await keys.passkeys.all(bob) == []


async def test_a_count_that_does_not_go_up_tells_of_a_copy(keys: Keys) -> None:
    who = await keys.signing.begun()
    await keys.added(who)
    await keys.signed_in()
    keys.device.keys[0].count = 0
    await refused(keys.signed_in())
    assert "passkey_copied" in await keys.signing.kinds(who.user.id)
    await keys.signed_in()


async def test_a_copys_answer_that_is_sent_again_is_told_of_once(keys: Keys) -> None:
    who = await keys.signing.begun()
    await keys.added(who)
    await keys.signed_in()
    keys.device.keys[0].count = 0
    text = keys.device.show(await keys.showing.options(SITE))
    for _ in range(3):
        await refused(keys.showing.sign_in(SITE, text, HOME))
    assert (await keys.signing.kinds(who.user.id)).count("passkey_copied") == 1


async def test_an_authenticator_that_does_not_count_is_taken(keys: Keys) -> None:
    await keys.added(await keys.signing.begun())
    keys.device.counts = False
    for _ in range(2):
        assert await keys.signed_in()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"id": "x", "response": {"clientDataJSON": "!"}}',
        '{"id": "x", "response": {"clientDataJSON": "e30"}}',
        '{"id": "", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiJ4In0"}}',
        '{"id": "x", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiJ4In0", "userHandle": "a"}}',
        '{"id": "x", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiJ4In0"}}',
        "[" * 100_000,
        '{"more": ' + "[" * 10_000 + "]" * 10_000 + "}",
    ],
    ids=lambda text: text[:12],
)
async def test_what_no_browser_tells_is_refused(keys: Keys, text: str) -> None:
    who = await keys.signing.begun()
    await refused(keys.showing.sign_in(SITE, text, HOME))
    await refused(keys.passkeys.add(who, SITE, "Phone", text))


@pytest.mark.parametrize("part", ["authenticatorData", "signature", "rawId", "type"])
@pytest.mark.parametrize("value", ["", "AA", "!", None, 7, [], "💶"])
async def test_an_answer_with_a_part_that_is_none_is_refused(
    sqlite_store: Store, part: str, value: object
) -> None:
    keys = Keys(sqlite_store)
    await keys.added(await keys.signing.begun())
    told = json.loads(keys.device.show(await keys.showing.options(SITE)))
    (told if part in told else told["response"])[part] = value
    await refused(keys.showing.sign_in(SITE, json.dumps(told), HOME))


async def test_an_id_that_no_database_takes_is_refused(keys: Keys) -> None:
    await keys.added(await keys.signing.begun())
    half = await keys.signing.half()
    told = json.loads(keys.device.show(await keys.showing.second_options(half, SITE)))
    told["id"] = "\0"
    await refused(keys.showing.second(half, SITE, json.dumps(told), HOME))


@pytest.mark.parametrize("value", ["", "AA", "oA", "!", None, "o2NmbXRkbm9uZQ"])
async def test_a_made_passkey_with_a_part_that_is_none_is_refused(
    sqlite_store: Store, value: object
) -> None:
    keys = Keys(sqlite_store)
    who = await keys.signing.begun()
    told = json.loads(keys.device.make(await keys.passkeys.options(who, SITE)))
    told["response"]["attestationObject"] = value
    await refused(keys.passkeys.add(who, SITE, "Phone", json.dumps(told)))


async def test_passkeys_are_named_and_removed(keys: Keys) -> None:
    who = await keys.signing.begun()
    await refused(keys.added(who, name="x"), "name")
    keys.device.keys.clear()
    await keys.added(who)
    own = (await keys.only(who)).id
    await refused(keys.passkeys.rename(who, own, ""), "name")
    await keys.passkeys.rename(who, own, "Blue key")
    assert (await keys.only(who)).name == "Blue key"
    await keys.passkeys.remove(who, own)
    assert isinstance(await keys.signing.sign_in.by_password("ann", GOOD, HOME), SignedIn)
    with pytest.raises(NotFound):
        await keys.passkeys.remove(who, own)
    async with keys.signing.store.reading() as tx:
        assert (await tx.factors.ways(who.user.id)).recovery_codes == 0
    kinds = await keys.signing.kinds(who.user.id)
    assert kinds[-3:] == ["passkey_renamed", "passkey_removed", "signed_in"]


async def test_changes_of_passkeys_need_somebody_who_showed_lately_who_they_are(
    keys: Keys,
) -> None:
    who = await keys.signing.begun()
    await keys.added(who)
    own = (await keys.only(who)).id
    keys.signing.clock.advance(10 * MINUTE)
    changes: list[Callable[[], Awaitable[object]]] = [
        lambda: keys.passkeys.options(who, SITE),
        lambda: keys.passkeys.add(who, SITE, "Phone", ""),
        lambda: keys.passkeys.rename(who, own, "Other"),
        lambda: keys.passkeys.remove(who, own),
    ]
    for change in changes:
        with pytest.raises(CheckNeeded):
            await change()


async def _without_password(keys: Keys) -> SignedIn:
    async with keys.signing.store.transaction() as tx:
        await tx.users.add("bob", keys.signing.clock.now())
    return await keys.signing.sign_in.by_code(await keys.signing.sign_in.ticket_for("bob"), HOME)


async def test_who_has_no_password_keeps_the_last_passkey(keys: Keys) -> None:
    bob = await _without_password(keys)
    await keys.added(bob)
    await refused(keys.passkeys.remove(bob, (await keys.only(bob)).id))
    assert await keys.signed_in()
    # Nobody else becomes the first user beside somebody who can sign in.
    assert not await keys.signing.sign_in.is_first_run()


async def test_of_the_last_two_that_are_removed_at_once_one_stays(keys: Keys) -> None:
    bob = await _without_password(keys)
    for _ in range(8):
        for _ in range(2 - len(await keys.passkeys.all(bob))):
            await keys.added(bob)
        both = [keys.passkeys.remove(bob, each.id) for each in await keys.passkeys.all(bob)]
        told = await asyncio.gather(*both, return_exceptions=True)
        assert sum(isinstance(each, InvalidRecord) for each in told) == 1
        assert len(await keys.passkeys.all(bob)) == 1


async def test_no_more_passkeys_and_challenges_than_anybody_needs(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MOST", 1)
    monkeypatch.setattr(making, "MOST_CHALLENGES", 3)
    who = await keys.signing.begun()
    await keys.added(who)
    await refused(keys.added(who))
    for _ in range(3):
        await keys.showing.check_options(who, SITE)
    with pytest.raises(SignInLocked):
        await keys.showing.check_options(who, SITE)
    keys.signing.clock.advance(5 * MINUTE)
    assert await keys.showing.check_options(who, SITE)
    assert await keys.signed_in()


async def test_the_operator_sees_passkeys_and_takes_them_away(keys: Keys) -> None:
    who = await keys.signing.begun()
    await keys.added(who)
    operator = FactorsOf(keys.signing.store, keys.signing.clock)
    assert [each.name for each in (await operator.named("ann")).passkeys] == ["Phone"]
    await operator.remove("ann")
    await refused(keys.signed_in())
