"""The gate: lets a signed call in, or refuses it for one stated reason.

The order is: ban of the address, key, state of the key, allowed addresses, signature, age and
replay, limit, permission, mode. The limit counts only calls that proved their key, so that nobody
can lock out the token of somebody else. Calls that name a key and are refused, for it or for going
on over the limit, count against their address. One without a key guesses nothing: any page that
somebody opens can have a browser send it, and it must ban nobody behind the same address.
"""

import re
from collections.abc import Awaitable
from typing import Final, Protocol, assert_never

from coffers import metrics
from coffers.access import refusals
from coffers.access.addresses import is_allowed
from coffers.access.call import MAX_BODY, Caller, SignedCall
from coffers.access.proofs import Proofs
from coffers.access.refusals import Refusal
from coffers.access.replay import WINDOW, is_timely, stamp_of
from coffers.access.signature import expected_text, verify, why_unsignable
from coffers.access.tally import Bar, Tally, Use
from coffers.access.tokens import Permission
from coffers.access.uses import Uses
from coffers.clock import SECOND, Clock, Millis, iso
from coffers.logs import logger
from coffers.store.fast import Sighting
from coffers.store.records import Mode, Token
from coffers.vault.vault import Vault

__all__ = ["Caller", "Gate", "Look", "Refusal", "SignedCall"]

_log = logger("coffers.access")
# Anything else is no key, and is kept from the database, which may not accept it as text.
_KEY: Final = re.compile(r"[!-~]{1,256}")
_COUNTED: Final = frozenset({401, 429})
"""Statuses that count against the address of a call that names a key."""


class Look(Protocol):
    """Where tokens are looked up, with their users and the newest price epoch."""

    def look(self, api_key: str) -> Awaitable[Sighting | None]:
        """Return what is known of an API key, None for an unknown one."""
        ...


class Gate:
    """Admits calls. One per process, since it keeps opened keys."""

    def __init__(self, look: Look, vault: Vault, clock: Clock, tally: Tally) -> None:
        self._look = look
        self._clock = clock
        self._tally = tally
        self._proofs = Proofs(vault)
        self.uses = Uses()
        """When tokens were used last."""

    async def admit(self, call: SignedCall, *needed: Permission) -> Caller:
        """Return who makes a call; `needed` are the permissions that it needs, all of them.

        Raises:
            Refusal: with the wire's answer.
            StoreUnavailable: when tokens cannot be looked up.
            WrongMasterKey, SealBroken: when the token's secret cannot be opened.
        """
        # A ban that only other processes know of is found when the call is counted.
        if wait := self._tally.banned_here(call.address):
            raise _refused_as_banned(wait)
        try:
            return await self._admit(call, needed)
        except Refusal as refusal:
            raise await self._counted(call, refusal) from None

    async def check_address(self, address: str) -> None:
        """Refuse an address that is banned; for routes that need no signature too.

        Raises:
            Refusal: 418, with the time that is left.
        """
        if wait := await self._tally.banned_for(address):
            raise _refused_as_banned(wait)

    async def _admit(self, call: SignedCall, needed: tuple[Permission, ...]) -> Caller:
        sighting = await self._known(call)
        token = sighting.token
        signature = self._proven(call, token)
        once = signature if token.require_timestamp else None
        if bar := await self._tally.take(Use(token.id, call.address, once)):
            raise _barred(bar)
        for permission in needed:
            if permission not in token.permissions:
                raise refusals.permission_refused(permission)
        self.uses.note(token, call.address, self._clock.now())
        return Caller(
            sighting.user_id,
            token.id,
            token.permissions,
            sighting.mode if call.forced_mode is None else _mode(call.forced_mode),
            sighting.display_currency,
            sighting.user_version,
            sighting.epoch,
        )

    async def _known(self, call: SignedCall) -> Sighting:
        if len(call.body) > MAX_BODY:
            raise refusals.body_too_long()
        if not call.api_key:
            raise refusals.key_refused("missing_key", "The Apikey header is missing.")
        is_key = _KEY.fullmatch(call.api_key) is not None
        sighting = await self._look.look(call.api_key) if is_key else None
        if sighting is None:
            raise refusals.key_refused("unknown_key")
        return sighting

    def _proven(self, call: SignedCall, token: Token) -> bytes:
        stamp = stamp_of(call.timestamp) if token.require_timestamp else b""
        key = self._proofs.of(token)
        signature = None if stamp is None else verify(call, key, stamp)
        fault = _fault(token, call.address, self._clock.now())
        if fault is not None:
            reason, hint = fault
            raise refusals.key_refused(reason, hint if signature else "")
        if stamp is None:
            raise refusals.invalid("timestamp", "is invalid" if call.timestamp else "is missing")
        if signature is None:
            raise _unsigned(call, stamp)
        if token.require_timestamp and not is_timely(stamp, self._clock.now()):
            hint = f"The Timestamp is more than {WINDOW // SECOND} seconds off the server's time."
            raise refusals.signature_refused("stale", hint)
        return signature

    async def _counted(self, call: SignedCall, refusal: Refusal) -> Refusal:
        wait = Millis(0)
        if refusal.status in _COUNTED:
            # A call without a key counts for nothing, but is told of a ban, whoever made it.
            count = self._count_refused if call.api_key else self._banned
            wait = await count(call.address, refusal)
        if wait:
            refusal = refusals.banned(wait)  # by another process, or just now
        metrics.refusals.labels(refusal.error).inc()
        return refusal

    async def _banned(self, address: str, _refusal: Refusal) -> Millis:
        return await self._tally.banned_for(address)

    async def _count_refused(self, address: str, refusal: Refusal) -> Millis:
        """Count a refused call; return how long its address has been banned for by then, else 0.

        The call that leads to a ban is itself refused for its own reason.
        """
        length = await self._tally.refused(address)
        if not length:
            return self._tally.banned_here(address)
        _log.warning(
            "address banned", address=address, seconds=length // SECOND, reason=refusal.reason
        )
        return Millis(0)


def _refused_as_banned(wait: Millis) -> Refusal:
    refusal = refusals.banned(wait)
    metrics.refusals.labels(refusal.error).inc()
    return refusal


def _barred(bar: Bar) -> Refusal:
    match bar.reason:
        case "banned":
            return refusals.banned(bar.wait)
        case "replay":
            return refusals.signature_refused("replay", "It was used before: each works once.")
        case "limit":
            return refusals.too_many(bar.wait)
        case never:
            assert_never(never)


def _fault(token: Token, address: str, now: Millis) -> tuple[str, str] | None:
    if token.revoked_at is not None:
        return "revoked", "It was revoked."
    if token.expires_at is not None and token.expires_at <= now:
        return "expired", f"It expired at {iso(token.expires_at)}."
    if token.allowed_networks and not is_allowed(address, token.allowed_networks):
        return "address", f"It may not be used from {address}."
    return None


def _unsigned(call: SignedCall, stamp: bytes) -> Refusal:
    expected = expected_text(call, stamp)
    if call.signature:
        return refusals.signature_refused("wrong_signature", why_unsignable(call), expected)
    hint = "The Signature header is missing."
    return refusals.signature_refused("missing_signature", hint, expected)


def _mode(forced: str) -> Mode:
    match forced:
        case "real" | "paper":
            return forced
        case _:
            raise refusals.invalid("forced_mode", "does not have a valid value")
