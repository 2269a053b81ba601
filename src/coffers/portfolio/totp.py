"""Codes of an app (TOTP, RFC 6238): six digits, another one every 30 seconds.

The secret is sealed by the vault. A code is taken once, and one step early or late, since clocks
differ.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from coffers.clock import MINUTE, SECOND, Clock, Millis, is_recent
from coffers.errors import InvalidRecord
from coffers.portfolio.recovery_codes import drop_last_codes, first_codes
from coffers.portfolio.sessions import SignedIn
from coffers.secret import Secret
from coffers.store.engine import Store, Transaction
from coffers.store.factors import Totp
from coffers.store.records import AuditEvent
from coffers.vault.vault import Vault

ISSUER: Final = "Coffers"
DIGITS: Final = 6
STEP: Final = Millis(30 * SECOND)
DRIFT: Final = 1
"""Steps that a code may be early or late."""

BEGINNING_LASTS: Final = Millis(30 * MINUTE)
"""A secret that was not confirmed by then is shown no more."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app is to be told. `uri` has the secret in it."""

    secret: Secret
    uri: Secret


class TotpApps:
    """The apps that make codes for users."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def begin(self, who: SignedIn) -> None:
        """Make a secret that counts once a code of it was given.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are.
            InvalidRecord: where there is an app already.
        """
        from pyotp import random_base32  # noqa: PLC0415 - if it is used

        now, user = self._clock.now(), who.user
        who.require_check(now)
        async with self._store.transaction() as tx:
            sealed = self._vault.seal(Secret(random_base32()), _context(user.id))
            if not await tx.factors.begin_totp(user.id, sealed, now):
                raise InvalidRecord({"totp": ["is there already; remove it first"]})

    async def waiting(self, who: SignedIn, host: str) -> Enrolment | None:
        """Return what the app is to be told, None where nothing waits to be confirmed.

        `host` tells apart the servers of somebody who uses several.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are.
        """
        from pyotp import TOTP  # noqa: PLC0415 - if it is used

        who.require_check(self._clock.now())
        async with self._store.reading() as tx:
            found = await self._waiting(tx, who)
        if found is None:
            return None
        secret = self._opened(who.user.id, found)
        app = TOTP(secret.reveal(), name=f"{who.user.name}@{host}", issuer=ISSUER)
        return Enrolment(secret, Secret(app.provisioning_uri()))

    async def confirm(self, who: SignedIn, code: str) -> list[str]:
        """Let an app count from now on, by a code that it shows; return first recovery codes.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are.
            InvalidRecord: naming `code`.
        """
        now, user = self._clock.now(), who.user
        who.require_check(now)
        async with self._store.transaction() as tx:
            found = await self._waiting(tx, who)
            if found is None:
                raise InvalidRecord({"code": ["is late; begin again"]})
            step = _step_of(self._opened(user.id, found), code, now)
            if step is None or not await tx.factors.use_step(user.id, step):
                raise InvalidRecord({"code": ["is wrong; is the clock of the phone right?"]})
            if not await tx.factors.confirm_totp(user.id, found.begun_at, now):
                raise InvalidRecord({"code": ["is late; begin again"]})
            await tx.audit.add(AuditEvent(user.id, now, "totp_added", user.name, ""))
            return await first_codes(tx, user, now)

    async def is_set_up(self, who: SignedIn) -> bool:
        """Return whether a user's app counts."""
        async with self._store.reading() as tx:
            found = await tx.factors.totp(who.user.id)
        return found is not None and found.confirmed_at is not None

    async def remove(self, who: SignedIn) -> None:
        """Forget a user's app.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are.
        """
        now, user = self._clock.now(), who.user
        who.require_check(now)
        async with self._store.transaction() as tx:
            if await tx.factors.remove_totp(user.id):
                await drop_last_codes(tx, user.id)
                await tx.audit.add(AuditEvent(user.id, now, "totp_removed", user.name, ""))

    async def use_code(self, tx: Transaction, user_id: int, code: str) -> bool:
        """Use a code of a user's app; False for a wrong one, and one that was used."""
        found = await tx.factors.totp(user_id)
        if found is None or found.confirmed_at is None:
            return False
        step = _step_of(self._opened(user_id, found), code, self._clock.now())
        return step is not None and await tx.factors.use_step(user_id, step)

    async def _waiting(self, tx: Transaction, who: SignedIn) -> Totp | None:
        found = await tx.factors.totp(who.user.id)
        if found is None or found.confirmed_at is not None:
            return None
        return found if is_recent(found.begun_at, BEGINNING_LASTS, self._clock.now()) else None

    def _opened(self, user_id: int, found: Totp) -> Secret:
        return self._vault.open(found.sealed, _context(user_id))


def is_totp(code: str) -> bool:
    """Return whether a code can be one of an app."""
    digits = _digits(code)
    return len(digits) == DIGITS and digits.isascii() and digits.isdigit()


def _step_of(secret: Secret, code: str, now: Millis) -> int | None:
    """Return the step whose code this is, the newest if there are several; None for a wrong one."""
    from pyotp import TOTP  # noqa: PLC0415 - if it is used

    if not is_totp(code):
        return None
    app, given, present = TOTP(secret.reveal()), _digits(code), now // STEP
    steps = range(present + DRIFT, present - DRIFT - 1, -1)
    return next((at for at in steps if hmac.compare_digest(app.generate_otp(at), given)), None)


def _digits(code: str) -> str:
    return "".join(code.split())


def _context(user_id: int) -> str:
    return f"totp:{user_id}:{user_id}"
