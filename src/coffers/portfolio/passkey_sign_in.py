"""Signing in by a passkey: alone, as the second step, and to show anew who sits there.

The authenticator has seen a finger, a face or a PIN, and has a key that never leaves it: alone it
is as much as a password and something else. There is nothing to guess, so that no wait keeps
anybody from showing one. After a password what does not hold is counted, as wrong codes are:
somebody knows the password and nothing more, and what the trail says of that has a bound.
"""

from coffers.clock import Clock, Millis
from coffers.portfolio.authenticators import (
    Answer,
    PasskeySite,
    answer_of,
    count_of,
    handle_of,
    loaded,
    not_taken,
    options_to_show,
)
from coffers.portfolio.guessing import FREE_TRIES, Guesses, SignInLocked, Visitor, named
from coffers.portfolio.open_challenges import OpenChallenges
from coffers.portfolio.passkeys import CHALLENGE_LASTS, begin_challenge, end_challenge
from coffers.portfolio.second_factors import HalfOver, HalfSignedIn, end_half, note_refused
from coffers.portfolio.sessions import SignedIn, begin, note_without_password
from coffers.store.ceremonies import CeremonyKind
from coffers.store.engine import Store, Transaction
from coffers.store.passkeys import Passkey
from coffers.store.records import AuditEvent, User
from coffers.vault.vault import Vault


class PasskeySignIn:
    """Signs people in by what their authenticators show."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._guesses = Guesses(store, clock)
        self._open = OpenChallenges(vault)

    async def options(self, site: PasskeySite) -> str:
        """Return, as JSON, what somebody who is not known yet shows a passkey by."""
        await loaded()
        challenge = self._open.made(Millis(self._clock.now() + CHALLENGE_LASTS))
        return options_to_show(site, challenge, ())

    async def sign_in(self, site: PasskeySite, text: str, visitor: Visitor) -> SignedIn:
        """Sign in by a passkey alone.

        Raises:
            InvalidRecord: naming `passkey`.
        """
        answer, now = answer_of(text), self._clock.now()
        await loaded()
        async with self._store.transaction() as tx:
            user = None if answer.owner is None else await tx.users.get(answer.owner)
            if user is not None and answer.handle == handle_of(user):
                # Taken before it is looked at: what is sent twice is no sign of a copied key.
                if not await self._open.take(tx, answer.challenge, now):
                    raise not_taken()
                shown = await self._shown(tx, user, site, answer)
                if shown is not None and await self._use(tx, user, *shown, now):
                    signed_in = await begin(tx, user, visitor, f"passkey {shown[0].name}", now)
                    await note_without_password(tx, signed_in.session, now)
                    return signed_in
                if shown is None:
                    await self._open.drop(tx, answer.challenge)
        raise not_taken()

    async def second_options(self, half: HalfSignedIn, site: PasskeySite) -> str:
        """Return, as JSON, what somebody who gave the password shows a passkey by.

        Raises:
            SignInLocked: where very many were asked for.
        """
        return await self._options_of(half.user, site, "passkey_second", half.id)

    async def second(
        self, half: HalfSignedIn, site: PasskeySite, text: str, visitor: Visitor
    ) -> SignedIn:
        """Sign in by a passkey after the password.

        Raises:
            InvalidRecord: naming `passkey`.
            HalfOver: where the time for it is over.
        """
        answer, now, user = answer_of(text), self._clock.now(), half.user
        await loaded()
        async with self._store.transaction() as tx:
            await tx.sign_ins.hold_password(user.id)
            if await tx.ceremonies.get("second_factor", half.id, now) is None:
                raise HalfOver
            if await end_challenge(tx, "passkey_second", half.id, answer, now):
                used = await self._used(tx, user, site, answer, now)
                if used is not None:
                    return await end_half(tx, half, visitor, f"passkey {used.name}", now)
                await self._note_refused(tx, user, now)
        raise not_taken()

    async def check_options(self, who: SignedIn, site: PasskeySite) -> str:
        """Return, as JSON, what somebody who is signed in shows a passkey by.

        Raises:
            SignInLocked: where very many were asked for.
        """
        return await self._options_of(who.user, site, "passkey_check", who.session.id)

    async def check(self, who: SignedIn, site: PasskeySite, text: str) -> None:
        """Have the user of a session show anew who they are.

        Raises:
            InvalidRecord: naming `passkey`.
        """
        answer, now = answer_of(text), self._clock.now()
        await loaded()
        async with self._store.transaction() as tx:
            if (
                await end_challenge(tx, "passkey_check", who.session.id, answer, now)
                and await self._used(tx, who.user, site, answer, now) is not None
            ):
                await tx.sign_ins.check_session(who.user.id, who.session.id, now)
                await note_without_password(tx, who.session, now)
                return
        raise not_taken()

    async def _note_refused(self, tx: Transaction, user: User, now: Millis) -> None:
        """Count an answer that did not hold, and keep it; neither while there is a wait already."""
        tried = {named(user.name): FREE_TRIES}
        try:
            await self._guesses.hold(tx, tried)
        except SignInLocked:
            return
        await self._guesses.note(tx, tried)
        await note_refused(tx, user, now)

    async def _options_of(
        self, user: User, site: PasskeySite, kind: CeremonyKind, subject: str
    ) -> str:
        await loaded()
        now = self._clock.now()
        async with self._store.transaction() as tx:
            challenge = await begin_challenge(tx, kind, subject, now, user.id)
            own = await tx.passkeys.of_user(user.id)
        return options_to_show(site, challenge, own)

    async def _used(
        self, tx: Transaction, user: User, site: PasskeySite, answer: Answer, now: Millis
    ) -> Passkey | None:
        """Return the passkey of a user that was shown, None where the answer does not hold."""
        shown = await self._shown(tx, user, site, answer)
        return shown[0] if shown is not None and await self._use(tx, user, *shown, now) else None

    async def _shown(
        self, tx: Transaction, user: User, site: PasskeySite, answer: Answer
    ) -> tuple[Passkey, int] | None:
        """Return the passkey of a user that an answer is signed by, and its count of uses."""
        passkey = await tx.passkeys.get(user.id, answer.id)
        if passkey is None or answer.handle not in {None, handle_of(user)}:
            return None
        count = count_of(site, answer, passkey)
        return None if count is None else (passkey, count)

    async def _use(
        self, tx: Transaction, user: User, passkey: Passkey, count: int, now: Millis
    ) -> bool:
        """Note that a passkey was used; False where its count of uses did not go up."""
        if (count or passkey.sign_count) and count <= passkey.sign_count:
            # Two authenticators have the key: one of them was copied.
            told = AuditEvent(user.id, now, "passkey_copied", user.name, passkey.name)
            await tx.audit.add(told)
            return False
        return await tx.passkeys.use(passkey, count, now)
