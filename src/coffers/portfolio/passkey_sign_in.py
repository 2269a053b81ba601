"""Signing in by a passkey: alone, as the second step, and to show anew who sits there.

The authenticator has seen a finger, a face or a PIN, and has a key that never leaves it: alone it
is as much as a password and something else. There is nothing to guess, so nothing is counted.
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
from coffers.portfolio.guessing import Visitor, addressed
from coffers.portfolio.passkeys import begin_challenge, end_challenge
from coffers.portfolio.second_factors import HalfOver, HalfSignedIn, end_half, note_refused
from coffers.portfolio.sessions import SignedIn, begin, note_without_password
from coffers.store.ceremonies import CeremonyKind
from coffers.store.engine import Store, Transaction
from coffers.store.passkeys import Passkey
from coffers.store.records import AuditEvent, User


class PasskeySignIn:
    """Signs people in by what their authenticators show."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def options(self, site: PasskeySite, visitor: Visitor) -> str:
        """Return, as JSON, what somebody who is not known yet shows a passkey by.

        Raises:
            SignInLocked: where very many were asked for.
        """
        await loaded()
        now = self._clock.now()
        async with self._store.transaction() as tx:
            challenge = await begin_challenge(tx, "passkey_sign_in", addressed(visitor), now)
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
            is_ours = await end_challenge(tx, "passkey_sign_in", None, answer, now)
            if is_ours and user is not None and answer.handle == handle_of(user):
                used = await self._used(tx, user, site, answer, now)
                if used is not None:
                    signed_in = await begin(tx, user, visitor, f"passkey {used.name}", now)
                    await note_without_password(tx, signed_in.session, now)
                    return signed_in
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
                await note_refused(tx, user, now)
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
        passkey = await tx.passkeys.get(user.id, answer.id)
        if passkey is None or answer.handle not in {None, handle_of(user)}:
            return None
        count = count_of(site, answer, passkey)
        if count is None:
            return None
        if (count or passkey.sign_count) and count <= passkey.sign_count:
            # Two authenticators have the key: one of them was copied.
            told = AuditEvent(user.id, now, "passkey_copied", user.name, passkey.name)
            await tx.audit.add(told)
            return None
        return passkey if await tx.passkeys.use(passkey, count, now) else None
