"""Passkeys of users: made, named and removed; and the challenges that they answer."""

import base64
import secrets
from typing import Final

from coffers.clock import MINUTE, Clock, Millis
from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio.authenticators import (
    Answer,
    PasskeySite,
    answer_of,
    loaded,
    made_by,
    not_taken,
    options_to_add,
)
from coffers.portfolio.codes import hash_of
from coffers.portfolio.guessing import SignInLocked
from coffers.portfolio.naming import usable_name
from coffers.portfolio.recovery_codes import drop_last_codes, first_codes
from coffers.portfolio.sessions import SignedIn
from coffers.store.ceremonies import Ceremony, CeremonyKind
from coffers.store.engine import Store, Transaction
from coffers.store.passkeys import Passkey
from coffers.store.records import AuditEvent, User

MOST: Final = 20
"""Passkeys that one user can have."""

CHALLENGE_LASTS: Final = Millis(5 * MINUTE)
MOST_CHALLENGES: Final = 50
"""Challenges that wait at the same time for one session, or for who gave the password."""


class Passkeys:
    """A user's own passkeys; another user's are not found."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def all(self, who: SignedIn) -> list[Passkey]:
        """Return the passkeys of a user, the oldest first."""
        async with self._store.reading() as tx:
            return await tx.passkeys.of_user(who.user.id)

    async def options(self, who: SignedIn, site: PasskeySite) -> str:
        """Return, as JSON, what a browser is to make a passkey by.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are.
            SignInLocked: where very many were asked for.
        """
        now, user = self._clock.now(), who.user
        who.require_check(now)
        await loaded()
        async with self._store.transaction() as tx:
            challenge = await begin_challenge(tx, "passkey_add", who.session.id, now, user.id)
            own = await tx.passkeys.of_user(user.id)
        return options_to_add(site, user, challenge, own)

    async def add(self, who: SignedIn, site: PasskeySite, name: str, text: str) -> list[str]:
        """Keep a passkey that a browser made; return first recovery codes.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are.
            InvalidRecord: naming `name` or `passkey`.
        """
        now, user = self._clock.now(), who.user
        who.require_check(now)
        name, answer = usable_name(name), answer_of(text)
        await loaded()
        async with self._store.transaction() as tx:
            is_ours = await end_challenge(tx, "passkey_add", who.session.id, answer, now)
            if is_ours and await self._added(tx, user, site, name, answer):
                return await first_codes(tx, user, now)
        # Outside, so that the challenge stays used.
        raise not_taken()

    async def rename(self, who: SignedIn, passkey_id: str, name: str) -> None:
        """Give a passkey another name.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are.
            InvalidRecord: naming `name`.
            NotFound: where the user has no such passkey.
        """
        now, name = self._clock.now(), usable_name(name)
        who.require_check(now)
        async with self._store.transaction() as tx:
            if not await tx.passkeys.rename(who.user.id, passkey_id, name):
                raise NotFound("there is no such passkey")
            await _note(tx, "passkey_renamed", who.user, name, now)

    async def remove(self, who: SignedIn, passkey_id: str) -> None:
        """Forget a passkey.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are.
            InvalidRecord: naming `passkey`, where nothing else would sign the user in.
            NotFound: where the user has no such passkey.
        """
        now, user = self._clock.now(), who.user
        who.require_check(now)
        async with self._store.transaction() as tx:
            held = {each.id: each for each in await tx.passkeys.hold(user.id)}
            found = held.pop(passkey_id, None)
            if found is None:
                raise NotFound("there is no such passkey")
            await tx.passkeys.remove(user.id, passkey_id)
            if not held and await tx.sign_ins.password(user.id) is None:
                raise InvalidRecord(
                    {"passkey": ["is all that signs you in; make a password first"]}
                )
            await drop_last_codes(tx, user.id)
            await _note(tx, "passkey_removed", user, found.name, now)

    async def _added(
        self, tx: Transaction, user: User, site: PasskeySite, name: str, answer: Answer
    ) -> bool:
        made, now = made_by(site, answer), self._clock.now()
        if made is None or (await tx.factors.ways(user.id)).passkeys >= MOST:
            return False
        passkey = Passkey(
            user_id=user.id,
            id=made.id,
            name=name,
            rp_id=site.rp_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            transports=answer.transports,
            created_at=now,
        )
        if not await tx.passkeys.add(passkey):
            return False
        await _note(tx, "passkey_added", user, name, now)
        return True


async def begin_challenge(
    tx: Transaction, kind: CeremonyKind, subject: str, now: Millis, user_id: int
) -> bytes:
    """Return a challenge for one answer within minutes, bound to what it is for.

    Raises:
        SignInLocked: where very many wait.
    """
    if await tx.ceremonies.count(kind, subject, now) >= MOST_CHALLENGES:
        raise SignInLocked(CHALLENGE_LASTS // 1000)
    challenge = secrets.token_bytes(32)
    told = base64.urlsafe_b64encode(challenge).decode().rstrip("=")
    kept = Ceremony(hash_of(told), kind, subject, Millis(now + CHALLENGE_LASTS), user_id)
    await tx.ceremonies.add(kept, now)
    return challenge


async def end_challenge(
    tx: Transaction, kind: CeremonyKind, subject: str, answer: Answer, now: Millis
) -> bool:
    """Use a challenge up; False where it is none of ours, was used, or is for something else."""
    found = await tx.ceremonies.get(kind, hash_of(answer.challenge), now)
    if found is None or not await tx.ceremonies.end(found.id):
        return False
    return subject == found.subject


async def _note(tx: Transaction, kind: str, user: User, name: str, now: Millis) -> None:
    await tx.audit.add(AuditEvent(user.id, now, kind, user.name, name))
