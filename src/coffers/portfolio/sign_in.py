"""Signing people in at the pages: the first of them, by password, and by a one-time code."""

from typing import Final

from coffers.access.passwords import Passwords, PasswordsBusy, check_password
from coffers.clock import DAY, MINUTE, Clock, Millis, is_recent
from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.portfolio.codes import grouped, hash_of, new_code, plain
from coffers.portfolio.guessing import (
    ADDRESS_TRIES,
    FREE_TRIES,
    Guesses,
    Tried,
    Visitor,
    addressed,
    named,
    tried_by,
    within,
)
from coffers.portfolio.second_factors import HalfSignedIn, begin_half
from coffers.portfolio.sessions import (
    IDLE,
    LONGEST,
    SignedIn,
    begin,
    may_lack_password,
    note_without_password,
    owner_of,
)
from coffers.portfolio.users import checked_name
from coffers.secret import Secret
from coffers.store.engine import Store, Transaction
from coffers.store.records import AuditEvent, User

SEEN_EVERY: Final = MINUTE
"""How exactly it is known when a session was used last."""

TICKET_LASTS: Final = Millis(15 * MINUTE)
FIRST_RUN_LASTS: Final = DAY

_REFUSED: Final = "the name or the password is wrong"
_NO_CODE: Final = "is none that lasts; codes are for one use, and for a short time"


class SignInRefused(CoffersError):
    """The name or the password is wrong; it is not said which."""

    def __init__(self) -> None:
        super().__init__(_REFUSED)


class SignIn:
    """Signs people in and out."""

    def __init__(self, store: Store, passwords: Passwords, clock: Clock) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._guesses = Guesses(store, clock)

    async def is_first_run(self) -> bool:
        """Return whether nobody can sign in yet."""
        async with self._store.reading() as tx:
            return not await tx.sign_ins.is_anybody_able()

    async def first_run_code(self) -> str | None:
        """Return a new code that lets the first user be made, in place of earlier ones.

        Returns:
            None where somebody can sign in already.
        """
        code, now = new_code(), self._clock.now()
        async with self._store.transaction() as tx:
            if await tx.sign_ins.is_anybody_able():
                return None
            await tx.sign_ins.drop_first_run()
            await tx.sign_ins.add_ticket(hash_of(code), None, Millis(now + FIRST_RUN_LASTS))
        return grouped(code)

    async def ticket_for(self, name: str) -> str:
        """Return a new code that signs a user in, once.

        Raises:
            NotFound: when there is no such user.
        """
        code, now = new_code(), self._clock.now()
        async with self._store.transaction() as tx:
            user = await tx.users.by_name(name)
            if user is None:
                raise NotFound(f"there is no user {name!r} (add one with: coffers user add {name})")
            await tx.sign_ins.add_ticket(hash_of(code), user.id, Millis(now + TICKET_LASTS))
            await tx.audit.add(AuditEvent(user.id, now, "sign_in_code_made", name, ""))
        return grouped(code)

    async def welcome(self, code: str, name: str, password: Secret, visitor: Visitor) -> SignedIn:
        """Make the first user, or give one that is there a first password, and sign in.

        Raises:
            InvalidRecord: naming `code`, `name` or `password`.
            SignInLocked: after too many wrong codes.
        """
        name = checked_name(name)
        check_password(password, name)
        now = self._clock.now()
        async with self._store.reading() as tx:
            is_right = await tx.sign_ins.ticket(hash_of(plain(code)), now) == (None,)
        if not is_right:
            raise await self._no_code(visitor)
        hashed = await self._passwords.hashed(password)
        async with self._store.transaction() as tx:
            if not await tx.sign_ins.use_ticket(hash_of(plain(code))):
                raise InvalidRecord({"code": [_NO_CODE]})
            user = await tx.users.by_name(name)
            if user is None:
                user = await tx.users.add(name, now)
                await tx.audit.add(AuditEvent(user.id, now, "user_added", name, ""))
            else:
                await tx.audit.add(AuditEvent(user.id, now, "password_changed", name, "first"))
            await tx.sign_ins.set_password(user.id, hashed, now)
            return await begin(tx, user, visitor, "first_run", now)

    async def by_password(
        self, name: str, password: Secret, visitor: Visitor
    ) -> SignedIn | HalfSignedIn:
        """Sign in by name and password: by half, where the user shows something else as well.

        Raises:
            SignInRefused: where one of them is wrong.
            SignInLocked: after too many tries that failed.
        """
        now, name = self._clock.now(), name.strip()
        tried = tried_by(name, visitor)
        async with self._store.reading() as tx:
            user = await tx.users.by_name(name)
            hashed = None if user is None else await tx.sign_ins.password(user.id)
        is_right = await self._is_right(hashed, password, tried)
        if not is_right or user is None or hashed is None:
            raise SignInRefused
        renewed = await self._passwords.hashed(password) if self._passwords.is_old(hashed) else None
        async with self._store.transaction() as tx:
            if await tx.sign_ins.hold_password(user.id) == hashed:
                if renewed is not None:
                    await tx.sign_ins.set_password(user.id, renewed, now)
                ways = await tx.factors.ways(user.id)
                if ways.is_second_asked:
                    # What failed stays counted: else each right password would give as many
                    # guesses.
                    return await begin_half(tx, user, ways, now)
                await tx.sign_ins.forget_failures(named(name))
                return await begin(tx, user, visitor, "password", now)
        # It was changed while it was looked at, or hashed anew by somebody who signed in as well.
        return await self.by_password(name, password, visitor)

    async def by_code(self, code: str, visitor: Visitor) -> SignedIn:
        """Sign in by a one-time code, without a second factor: the operator vouches for it.

        Raises:
            InvalidRecord: naming `code`.
            SignInLocked: after too many wrong codes.
        """
        now, hashed = self._clock.now(), hash_of(plain(code))
        async with self._store.reading() as tx:
            ticket = await tx.sign_ins.ticket(hashed, now)
        user_id = ticket[0] if ticket else None
        if user_id is not None:
            async with self._store.transaction() as tx:
                user = await tx.users.get(user_id)
                if user is not None and await tx.sign_ins.use_ticket(hashed):
                    signed_in = await begin(tx, user, visitor, "code", now)
                    await note_without_password(tx, signed_in.session, now)
                    return signed_in
        raise await self._no_code(visitor)

    async def as_visitor(self, name: str, visitor: Visitor) -> SignedIn | None:
        """Sign in without any proof, as the user whom a demo shows; None where there is none."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            user = await tx.users.by_name(name)
            return None if user is None else await begin(tx, user, visitor, "demo", now)

    async def confirm(self, signed_in: SignedIn, password: Secret) -> None:
        """Have the user of a session show anew who they are.

        Raises:
            InvalidRecord: naming `password`.
            SignInLocked: after too many tries that failed.
        """
        user, session_id = signed_in.user, signed_in.session.id
        subject = within(session_id)
        async with self._store.reading() as tx:
            hashed = await tx.sign_ins.password(user.id)
        if not await self._is_right(hashed, password, {subject: FREE_TRIES}):
            raise InvalidRecord({"password": ["is wrong"]})
        async with self._store.transaction() as tx:
            if await tx.sign_ins.hold_password(user.id) == hashed:
                await tx.sign_ins.check_session(user.id, session_id, self._clock.now())
                await tx.sign_ins.forget_failures(subject)
                return
        await self.confirm(signed_in, password)

    async def of(self, token: Secret) -> SignedIn | None:
        """Return who a browser belongs to by what it holds, None where the session is over."""
        user_id, now = owner_of(token), self._clock.now()
        if user_id is None:
            return None
        async with self._store.reading() as tx:
            session = await tx.sign_ins.session(user_id, hash_of(token.reveal()), now)
            user = None if session is None else await tx.users.get(session.user_id)
        if session is None or user is None:
            return None
        if not is_recent(session.seen_at, SEEN_EVERY, now):
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
            await tx.sign_ins.set_password(user.id, hashed, now)
            await self._changed(tx, user, now, but=None)

    async def change_password(self, signed_in: SignedIn, old: Secret, new: Secret) -> None:
        """Change one's own password, and end one's other sessions.

        Without the old one goes who came by a one-time code or showed a passkey a short while ago.

        Raises:
            InvalidRecord: naming `old_password` or `password`.
            CheckNeeded: where there was none, and the user has not shown for a while who they are.
            SignInLocked: after too many tries that failed.
        """
        user, now = signed_in.user, self._clock.now()
        check_password(new, user.name)
        async with self._store.reading() as tx:
            hashed = await tx.sign_ins.password(user.id)
            may_lack_it = not old and await may_lack_password(tx, signed_in.session, now)
        subject = within(signed_in.session.id)
        if hashed is None:
            # Who came by a one-time code, or has passkeys alone, may never have had one.
            signed_in.require_check(now)
        elif not may_lack_it and not await self._is_right(hashed, old, {subject: FREE_TRIES}):
            raise InvalidRecord({"old_password": ["is wrong"]})
        fresh = await self._passwords.hashed(new)
        async with self._store.transaction() as tx:
            if await tx.sign_ins.replace_password(user.id, hashed, fresh, now):
                await tx.sign_ins.forget_failures(subject)
                await self._changed(tx, user, now, but=signed_in.session.id)
                return
        await self.change_password(signed_in, old, new)

    async def _changed(self, tx: Transaction, user: User, now: Millis, but: str | None) -> None:
        """End all that was signed in, or half, by the password before."""
        await tx.sign_ins.end_sessions(user.id, but)
        await tx.ceremonies.end_of_user(user.id)
        await tx.sign_ins.forget_failures(named(user.name))
        await tx.audit.add(AuditEvent(user.id, now, "password_changed", user.name, ""))

    async def _no_code(self, visitor: Visitor) -> InvalidRecord:
        """Count a code that is none, and return its error.

        A right one is not asked to wait: it cannot be guessed, and is the way in while others who
        come from the same address guess.

        Raises:
            SignInLocked: after too many of them.
        """
        tried = {addressed(visitor): ADDRESS_TRIES}
        await self._guesses.check(tried)
        await self._guesses.failed(tried)
        return InvalidRecord({"code": [_NO_CODE]})

    async def _is_right(self, hashed: str | None, password: Secret, tried: Tried) -> bool:
        """Return whether a password is right; a wrong one is counted.

        Raises:
            SignInLocked: after too many tries that failed.
            PasswordsBusy: where it was not looked at, which is no try.
        """
        before = await self._guesses.reserve(tried)
        try:
            if not await self._passwords.is_right(hashed, password):
                return False
        except PasswordsBusy:
            await self._guesses.refund(tried, before)
            raise
        await self._guesses.refund(tried, before)
        return True
