"""Signing people in at the pages: the first of them, by password, and by a one-time code.

What a browser holds is `<user id>.<random>`; the database keeps a hash of it. Tries that fail are
counted for the name and for the address, and both have to wait longer and longer.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from coffers.access.passwords import Passwords, check_password
from coffers.clock import DAY, HOUR, MINUTE, SECOND, Clock, Millis
from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.portfolio.users import checked_name
from coffers.secret import Secret
from coffers.store.engine import Store, Transaction
from coffers.store.records import AuditEvent, User
from coffers.store.sign_ins import Failures, Session

IDLE: Final = Millis(7 * DAY)
"""A session that is not used for so long is over."""

LONGEST: Final = Millis(30 * DAY)
"""A session is over after this, used or not."""

SEEN_EVERY: Final = MINUTE
"""How exactly it is known when a session was used last."""

TICKET_LASTS: Final = Millis(15 * MINUTE)
FIRST_RUN_LASTS: Final = DAY

FREE_TRIES: Final = 5
"""Tries that may fail before there is a wait."""

FIRST_WAIT: Final = Millis(30 * SECOND)
LONGEST_WAIT: Final = HOUR
FORGOTTEN_AFTER: Final = DAY
ADDRESS_TRIES: Final = 20
"""The same for an address, from which several people may come."""

_ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_REFUSED: Final = "the name or the password is wrong"


class SignInRefused(CoffersError):
    """The name or the password is wrong; it is not said which."""

    def __init__(self) -> None:
        super().__init__(_REFUSED)


class SignInLocked(CoffersError):
    """Too many tries failed; `seconds` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many tries failed; try again in {seconds} seconds")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user in a browser. `token` is what the browser holds."""

    user: User
    session: Session
    token: Secret

    @property
    def form_key(self) -> str:
        """What a form of this session carries, which no other site can know.

        Another one each time: pages are compressed, and from the length of many that carry the
        same, beside what somebody else chose, it could be told.
        """
        return _form_key(self.token, secrets.token_hex(8))

    def has_made(self, form_key: str) -> bool:
        """Return whether a form's key is one of this session."""
        expected = _form_key(self.token, form_key.partition(".")[0])
        return hmac.compare_digest(form_key.encode(), expected.encode())


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a try comes from: the address, and what the browser calls itself."""

    address: str
    agent: str


class SignIn:
    """Signs people in and out."""

    def __init__(self, store: Store, passwords: Passwords, clock: Clock) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock

    async def is_first_run(self) -> bool:
        """Return whether nobody can sign in by a password yet."""
        async with self._store.reading() as tx:
            return not await tx.sign_ins.has_passwords()

    async def first_run_code(self) -> str | None:
        """Return a new code that lets the first user be made, in place of earlier ones.

        Returns:
            None where somebody has a password already.
        """
        code, now = _new_code(), self._clock.now()
        async with self._store.transaction() as tx:
            if await tx.sign_ins.has_passwords():
                return None
            await tx.sign_ins.drop_first_run()
            await tx.sign_ins.add_ticket(_hash(code), None, Millis(now + FIRST_RUN_LASTS))
        return _grouped(code)

    async def ticket_for(self, name: str) -> str:
        """Return a new code that signs a user in, once.

        Raises:
            NotFound: when there is no such user.
        """
        code, now = _new_code(), self._clock.now()
        async with self._store.transaction() as tx:
            user = await tx.users.by_name(name)
            if user is None:
                raise NotFound(f"there is no user {name!r} (add one with: coffers user add {name})")
            await tx.sign_ins.add_ticket(_hash(code), user.id, Millis(now + TICKET_LASTS))
            await tx.audit.add(AuditEvent(user.id, now, "sign_in_code_made", name, ""))
        return _grouped(code)

    async def welcome(self, code: str, name: str, password: Secret, visitor: Visitor) -> SignedIn:
        """Make the first user, or give one that is there a first password, and sign in.

        Raises:
            InvalidRecord: naming `code`, `name` or `password`.
            SignInLocked: after too many wrong codes.
        """
        name = checked_name(name)
        check_password(password, name)
        now = self._clock.now()
        await self._check_lock(_addressed(visitor), now)
        async with self._store.reading() as tx:
            is_right = await tx.sign_ins.ticket(_hash(_plain(code)), now) == (None,)
        if not is_right:
            await self._failed({_addressed(visitor): ADDRESS_TRIES}, now)
            raise InvalidRecord({"code": [_NO_CODE]})
        hashed = await self._passwords.hashed(password)
        async with self._store.transaction() as tx:
            if not await tx.sign_ins.use_ticket(_hash(_plain(code))):
                raise InvalidRecord({"code": [_NO_CODE]})
            user = await tx.users.by_name(name)
            if user is None:
                user = await tx.users.add(name, now)
                await tx.audit.add(AuditEvent(user.id, now, "user_added", name, ""))
            await tx.sign_ins.set_password(user.id, hashed, now)
            return await self._signed_in(tx, user, visitor, "first_run")

    async def by_password(self, name: str, password: Secret, visitor: Visitor) -> SignedIn:
        """Sign in by name and password.

        Raises:
            SignInRefused: where one of them is wrong.
            SignInLocked: after too many tries that failed.
        """
        now, name = self._clock.now(), name.strip()
        tried = {_named(name): FREE_TRIES, _addressed(visitor): ADDRESS_TRIES}
        for subject in tried:
            await self._check_lock(subject, now)
        async with self._store.reading() as tx:
            user = await tx.users.by_name(name)
            hashed = None if user is None else await tx.sign_ins.password(user.id)
        if not await self._passwords.is_right(hashed, password) or user is None or hashed is None:
            await self._failed(tried, now)
            raise SignInRefused
        # Others may have failed while this one waited for its turn to be hashed: however many are
        # sent at once, no more are tried than may fail.
        for subject in tried:
            await self._check_lock(subject, now)
        renewed = await self._passwords.hashed(password) if self._passwords.is_old(hashed) else None
        async with self._store.transaction() as tx:
            await tx.sign_ins.forget_failures(_named(name))
            if renewed is not None:
                await tx.sign_ins.set_password(user.id, renewed, now)
            return await self._signed_in(tx, user, visitor, "password")

    async def by_code(self, code: str, visitor: Visitor) -> SignedIn:
        """Sign in by a one-time code.

        Raises:
            InvalidRecord: naming `code`.
            SignInLocked: after too many wrong codes.
        """
        now, hashed = self._clock.now(), _hash(_plain(code))
        await self._check_lock(_addressed(visitor), now)
        async with self._store.transaction() as tx:
            ticket = await tx.sign_ins.ticket(hashed, now)
            user_id = ticket[0] if ticket else None
            if user_id is not None and await tx.sign_ins.use_ticket(hashed):
                user = await tx.users.get(user_id)
                if user is not None:
                    return await self._signed_in(tx, user, visitor, "code")
        await self._failed({_addressed(visitor): ADDRESS_TRIES}, now)
        raise InvalidRecord({"code": [_NO_CODE]})

    async def as_visitor(self, name: str, visitor: Visitor) -> SignedIn | None:
        """Sign in without any proof, as the user whom a demo shows; None where there is none."""
        async with self._store.transaction() as tx:
            user = await tx.users.by_name(name)
            return None if user is None else await self._signed_in(tx, user, visitor, "demo")

    async def of(self, token: Secret) -> SignedIn | None:
        """Return who a browser belongs to by what it holds, None where the session is over."""
        number, _, _ = token.reveal().partition(".")
        if not (number.isascii() and number.isdigit() and len(number) < 10):  # noqa: PLR2004 - ids are below 2**31
            return None
        now = self._clock.now()
        async with self._store.reading() as tx:
            session = await tx.sign_ins.session(int(number), _hash(token.reveal()), now)
            user = None if session is None else await tx.users.get(session.user_id)
        if session is None or user is None:
            return None
        if now - session.seen_at >= SEEN_EVERY:
            expires_at = min(now + IDLE, session.created_at + LONGEST)
            async with self._store.transaction() as tx:
                await tx.sign_ins.see_session(session, now, Millis(expires_at))
        return SignedIn(user, session, token)

    async def sign_out(self, signed_in: SignedIn) -> None:
        """End a session."""
        now, session = self._clock.now(), signed_in.session
        async with self._store.transaction() as tx:
            await tx.sign_ins.end_session(session.user_id, session.id)
            name = signed_in.user.name
            await tx.audit.add(AuditEvent(session.user_id, now, "signed_out", name, ""))

    async def set_password(self, name: str, password: Secret) -> None:
        """Give a user a password, and end all of the user's sessions: for the operator.

        Raises:
            NotFound: when there is no such user.
            InvalidRecord: naming `password`.
        """
        check_password(password, name)
        hashed, now = await self._passwords.hashed(password), self._clock.now()
        async with self._store.transaction() as tx:
            user = await tx.users.by_name(name)
            if user is None:
                raise NotFound(f"there is no user {name!r} (add one with: coffers user add {name})")
            await self._changed(tx, user, hashed, now, but=None)

    async def change_password(self, signed_in: SignedIn, old: Secret, new: Secret) -> None:
        """Change one's own password, and end one's other sessions.

        Raises:
            InvalidRecord: naming `old_password` or `password`.
            SignInLocked: after too many tries that failed.
        """
        user, now = signed_in.user, self._clock.now()
        check_password(new, user.name)
        subject = _named(user.name)
        await self._check_lock(subject, now)
        async with self._store.reading() as tx:
            hashed = await tx.sign_ins.password(user.id)
        # Who came by a one-time code has forgotten the old one, or never had one.
        if hashed is not None and not await self._passwords.is_right(hashed, old):
            await self._failed({subject: FREE_TRIES}, now)
            raise InvalidRecord({"old_password": ["is wrong"]})
        fresh = await self._passwords.hashed(new)
        async with self._store.transaction() as tx:
            await self._changed(tx, user, fresh, now, but=signed_in.session.id)

    async def _changed(
        self, tx: Transaction, user: User, hashed: str, now: Millis, but: str | None
    ) -> None:
        await tx.sign_ins.set_password(user.id, hashed, now)
        await tx.sign_ins.end_sessions(user.id, but)
        await tx.sign_ins.forget_failures(_named(user.name))
        await tx.audit.add(AuditEvent(user.id, now, "password_changed", user.name, ""))

    async def _signed_in(self, tx: Transaction, user: User, visitor: Visitor, how: str) -> SignedIn:
        now = self._clock.now()
        token = Secret(f"{user.id}.{secrets.token_urlsafe(32)}")
        session = Session(
            user.id, _hash(token.reveal()), now, now, Millis(now + IDLE), visitor.agent[:200]
        )
        await tx.sign_ins.forget_old(now, Millis(now - FORGOTTEN_AFTER))
        await tx.sign_ins.add_session(session)
        await tx.audit.add(AuditEvent(user.id, now, "signed_in", user.name, how))
        return SignedIn(user, session, token)

    async def _check_lock(self, subject: str, now: Millis) -> None:
        async with self._store.reading() as tx:
            found = await tx.sign_ins.failures(subject)
        if found is not None and found.locked_until > now:
            raise SignInLocked(-(-(found.locked_until - now) // SECOND))

    async def _failed(self, tried: Mapping[str, int], now: Millis) -> None:
        """Count a try that failed, for each subject with the tries that it has for free."""
        async with self._store.transaction() as tx:
            for subject, free in tried.items():
                before = await tx.sign_ins.failures(subject)
                count = 1 if before is None else before.count + 1
                over = count - free
                wait = min(FIRST_WAIT * 2 ** min(over, 20), LONGEST_WAIT) if over >= 0 else 0
                await tx.sign_ins.note_failure(subject, Failures(count, now, Millis(now + wait)))


_NO_CODE: Final = "is none that lasts; codes are for one use, and for a short time"


def _form_key(token: Secret, salt: str) -> str:
    made = hmac.new(token.reveal().encode(), f"form:{salt}".encode(), "sha256")
    return f"{salt}.{made.hexdigest()}"


def _new_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(16))


def _grouped(code: str) -> str:
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))


def _plain(code: str) -> str:
    return "".join(code.upper().replace("-", " ").split())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _named(name: str) -> str:
    return _hash(f"name:{name.casefold()}")


def _addressed(visitor: Visitor) -> str:
    return _hash(f"address:{visitor.address}")
