"""The second step of signing in: what is asked for after a right password.

Between the steps a browser holds a token for minutes, which is no session: it signs in once a code,
a recovery code or a passkey was shown.
"""

from dataclasses import dataclass
from typing import Final

from coffers.clock import MINUTE, Clock, Millis
from coffers.errors import CoffersError, InvalidRecord
from coffers.portfolio.codes import hash_of
from coffers.portfolio.guessing import Guesses, Visitor, named, tried_by
from coffers.portfolio.recovery_codes import use_code
from coffers.portfolio.sessions import SignedIn, begin, form_key_of, is_form_key_of, new_token
from coffers.portfolio.totp import TotpApps, is_totp
from coffers.portfolio.users import Users
from coffers.secret import Secret
from coffers.store.ceremonies import Ceremony
from coffers.store.engine import Store, Transaction
from coffers.store.factors import Ways
from coffers.store.passkeys import Passkey
from coffers.store.records import AuditEvent, User
from coffers.vault.vault import Vault

HALF_LASTS: Final = Millis(5 * MINUTE)


class HalfOver(CoffersError):
    """The time for the second step is over, or it was done."""

    def __init__(self) -> None:
        super().__init__("this took too long; begin with the password again")


@dataclass(frozen=True, slots=True)
class HalfSignedIn:
    """A user who gave the right password. `token` is what the browser holds meanwhile."""

    user: User
    ways: Ways
    token: Secret

    @property
    def id(self) -> str:
        """What the database has of it."""
        return hash_of(self.token.reveal())

    @property
    def form_key(self) -> str:
        """What forms of the second step carry."""
        return form_key_of(self.token)

    def has_made(self, form_key: str) -> bool:
        """Return whether a form's key is one of this."""
        return is_form_key_of(self.token, form_key)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a user has beside the password."""

    user: User
    ways: Ways
    passkeys: list[Passkey]


async def begin_half(tx: Transaction, user: User, ways: Ways, now: Millis) -> HalfSignedIn:
    """Keep that somebody gave the right password."""
    half = HalfSignedIn(user, ways, new_token(user.id))
    kept = Ceremony(half.id, "second_factor", "", Millis(now + HALF_LASTS), user.id)
    await tx.ceremonies.add(kept, now)
    return half


async def end_half(
    tx: Transaction, half: HalfSignedIn, visitor: Visitor, how: str, now: Millis
) -> SignedIn:
    """Sign somebody in who has shown everything, in a transaction that holds the password.

    Raises:
        HalfOver: where the token was used, or its time is over.
    """
    if not await tx.ceremonies.end(half.id):
        raise HalfOver
    await tx.sign_ins.forget_failures(named(half.user.name))
    return await begin(tx, half.user, visitor, f"password, {how}", now)


class SecondFactors:
    """Asks for the second factor."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._apps = TotpApps(store, vault, clock)
        self._guesses = Guesses(store, clock)

    async def half(self, token: Secret) -> HalfSignedIn | None:
        """Return who a browser half belongs to by what it holds, None where that is over."""
        hashed, now = hash_of(token.reveal()), self._clock.now()
        async with self._store.reading() as tx:
            found = await tx.ceremonies.get("second_factor", hashed, now)
            if found is None or found.signs_in is None:
                return None
            user = await tx.users.get(found.signs_in)
            if user is None:
                return None
            return HalfSignedIn(user, await tx.factors.ways(user.id), token)

    async def by_code(self, half: HalfSignedIn, code: str, visitor: Visitor) -> SignedIn:
        """Sign in by a code of an app, or by a recovery code.

        Raises:
            InvalidRecord: naming `code`.
            SignInLocked: after too many tries that failed.
            HalfOver: where the time for it is over.
        """
        now, user = self._clock.now(), half.user
        tried = tried_by(user.name, visitor)
        async with self._store.transaction() as tx:
            await tx.sign_ins.hold_password(user.id)
            # Whoever tries at the same time waits here, so that no more is tried than may fail.
            await self._guesses.hold(tx, tried)
            if await tx.ceremonies.get("second_factor", half.id, now) is None:
                raise HalfOver
            if is_totp(code):
                how, is_right = "code", await self._apps.use_code(tx, user.id, code)
            else:
                how, is_right = "recovery code", await use_code(tx, user, code, now)
            if is_right:
                return await end_half(tx, half, visitor, how, now)
            await self._guesses.note(tx, tried)
            await note_refused(tx, user, now)
        raise InvalidRecord({"code": ["is wrong, or was used"]})


async def note_refused(tx: Transaction, user: User, now: Millis) -> None:
    """Keep that somebody knew a user's password, and could show nothing else."""
    await tx.audit.add(AuditEvent(user.id, now, "second_factor_refused", user.name, ""))


class FactorsOf:
    """What the operator sees and takes away of users' second factors."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._users = Users(store, clock)

    async def named(self, name: str) -> Kept:
        """Return what a user has beside the password.

        Raises:
            NotFound: when there is no such user.
        """
        user = await self._users.named(name)
        async with self._store.reading() as tx:
            ways = await tx.factors.ways(user.id)
            return Kept(user, ways, await tx.passkeys.of_user(user.id))

    async def remove(self, name: str) -> None:
        """Take all of that away: the password alone signs in again.

        Raises:
            NotFound: when there is no such user.
        """
        now, user = self._clock.now(), await self._users.named(name)
        async with self._store.transaction() as tx:
            await tx.factors.remove_totp(user.id)
            await tx.factors.remove_recovery_codes(user.id)
            count = await tx.passkeys.remove_all(user.id)
            await tx.ceremonies.end_of_user(user.id)
            told = f"by the operator, {count} passkeys among them"
            await tx.audit.add(AuditEvent(user.id, now, "factors_removed", name, told))
