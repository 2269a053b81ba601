"""Browsers that are signed in: begun, listed, ended, and asked again who sits before them.

What a browser holds is `<user id>.<random>`; the database keeps a hash of it.
"""

import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from coffers.clock import DAY, MINUTE, Clock, Millis, is_recent
from coffers.errors import CoffersError, NotFound
from coffers.portfolio.codes import hash_of
from coffers.portfolio.guessing import FORGOTTEN_AFTER, Visitor
from coffers.secret import Secret
from coffers.store.ceremonies import Ceremony
from coffers.store.engine import Store, Transaction
from coffers.store.records import AuditEvent, User
from coffers.store.sign_ins import Session

IDLE: Final = Millis(7 * DAY)
"""A session that is not used for so long is over."""

LONGEST: Final = Millis(30 * DAY)
"""A session is over after this, used or not."""

CHECK_LASTS: Final = Millis(10 * MINUTE)
"""What signs somebody in is changed so long after they showed who they are, and no longer."""


class CheckNeeded(CoffersError):
    """Whoever sits there has not shown for a while who they are."""

    def __init__(self) -> None:
        super().__init__("nothing was changed: show first that it is you, at /security")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user in a browser. `token` is what the browser holds."""

    user: User
    session: Session
    token: Secret

    @property
    def form_key(self) -> str:
        """What a form of this session carries, which no other site can know."""
        return form_key_of(self.token)

    def has_made(self, form_key: str) -> bool:
        """Return whether a form's key is one of this session."""
        return is_form_key_of(self.token, form_key)

    def is_checked(self, now: Millis) -> bool:
        """Return whether the user showed lately who they are."""
        return is_recent(self.session.checked_at, CHECK_LASTS, now)

    def require_check(self, now: Millis) -> None:
        """Refuse to go on where that was too long ago.

        Raises:
            CheckNeeded: in that case.
        """
        if not self.is_checked(now):
            raise CheckNeeded


def form_key_of(token: Secret) -> str:
    """Return what forms carry of a browser that holds this.

    Another one each time: pages are compressed, and from the length of many that carry the same,
    beside what somebody else chose, it could be told.
    """
    return _form_key(token, secrets.token_hex(8))


def is_form_key_of(token: Secret, form_key: str) -> bool:
    """Return whether a form's key is one of a browser that holds this."""
    expected = _form_key(token, form_key.partition(".")[0])
    return hmac.compare_digest(form_key.encode(), expected.encode())


def _form_key(token: Secret, salt: str) -> str:
    made = hmac.new(token.reveal().encode(), f"form:{salt}".encode(), "sha256")
    return f"{salt}.{made.hexdigest()}"


def new_token(user_id: int) -> Secret:
    """Return what a browser is to hold; it tells whose it is."""
    return Secret(f"{user_id}.{secrets.token_urlsafe(32)}")


def owner_of(token: Secret) -> int | None:
    """Return whose a token says that it is, None for what is no token."""
    number, _, _ = token.reveal().partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 10):  # noqa: PLR2004 - ids are below 2**31
        return None
    return int(number)


async def begin(tx: Transaction, user: User, visitor: Visitor, how: str, now: Millis) -> SignedIn:
    """Sign a user in who has shown everything that is asked for; `how` is for the trail."""
    token = new_token(user.id)
    session = Session(
        user_id=user.id,
        id=hash_of(token.reveal()),
        created_at=now,
        seen_at=now,
        expires_at=Millis(now + IDLE),
        agent=visitor.agent[:200],
        checked_at=now,
    )
    await tx.sign_ins.forget_old(now, Millis(now - FORGOTTEN_AFTER))
    await tx.sign_ins.add_session(session)
    await tx.audit.add(AuditEvent(user.id, now, "signed_in", user.name, how))
    return SignedIn(user, session, token)


async def note_without_password(tx: Transaction, session: Session, now: Millis) -> None:
    """Keep that a session's user showed something as good as the password, but not the password.

    Who has forgotten it sets another one by that, for as long as a check lasts.
    """
    kept = _without_password(session)
    await tx.ceremonies.end(kept)
    until = Millis(now + CHECK_LASTS)
    await tx.ceremonies.add(
        Ceremony(kept, "without_password", session.id, until, session.user_id), now
    )


async def may_lack_password(tx: Transaction, session: Session, now: Millis) -> bool:
    """Return whether that was so a short while ago."""
    kept = await tx.ceremonies.get("without_password", _without_password(session), now)
    return kept is not None and is_recent(session.checked_at, CHECK_LASTS, now)


def _without_password(session: Session) -> str:
    return hash_of(f"without_password:{session.id}")


class Sessions:
    """A user's own sessions; another user's are not found."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def all(self, who: SignedIn) -> list[Session]:
        """Return the sessions of a user, the one that was used last first."""
        async with self._store.reading() as tx:
            return await tx.sign_ins.sessions_of(who.user.id, self._clock.now())

    async def end(self, who: SignedIn, session_id: str) -> None:
        """End one session.

        Raises:
            NotFound: where the user has no such session.
        """
        now = self._clock.now()
        async with self._store.transaction() as tx:
            if not await tx.sign_ins.end_session(who.user.id, session_id):
                raise NotFound("there is no such session")
            await tx.audit.add(AuditEvent(who.user.id, now, "session_ended", who.user.name, ""))

    async def end_others(self, who: SignedIn) -> None:
        """End all sessions but this one."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            count = await tx.sign_ins.end_sessions(who.user.id, who.session.id)
            event = AuditEvent(who.user.id, now, "sessions_ended", who.user.name, str(count))
            await tx.audit.add(event)
