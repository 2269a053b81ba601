"""A gate in front of one token, and calls that are signed for it."""

import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from coffers.access.gate import Caller, Gate, Refusal, SignedCall
from coffers.access.limits import Limits, MemoryLimits, Rules
from coffers.access.proofs import secret_context
from coffers.access.replay import PER_TOKEN, SeenSignatures
from coffers.access.tally import MemoryTally
from coffers.clock import MINUTE, ManualClock, Millis
from coffers.secret import Secret
from coffers.store.fast import Sighting
from coffers.store.records import Token
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW

PATH = b"/public/api/ver1/accounts"
KEY = "fake-api-key"
SECRET = Secret("not-a-real-secret")
RING = KeyRing([new_key()])
VAULT = Vault(lambda: RING)
RULES = Rules(
    requests=3,
    window=MINUTE,
    lockout=Millis(5 * MINUTE),
    ban_after=4,
    ban_first=Millis(2 * MINUTE),
    ban_longest=Millis(8 * MINUTE),
)


def token(**changes: Any) -> Token:
    made = Token(
        id=5,
        user_id=1,
        api_key=KEY,
        kind="hmac",
        sealed_secret=VAULT.seal(SECRET, secret_context(1, 5)),
        rsa_public_key=None,
        permissions=frozenset({"accounts_read"}),
        allowed_networks=(),
        require_timestamp=False,
        expires_at=None,
        revoked_at=None,
        created_at=NOW,
    )
    return replace(made, **changes)


def signed(text: bytes) -> str:
    return hmac.new(SECRET.reveal().encode(), text, hashlib.sha256).hexdigest()


def call(**parts: Any) -> SignedCall:
    made = SignedCall(
        method="GET",
        path=PATH,
        query=b"",
        body=b"",
        content_type=None,
        api_key=KEY,
        signature=signed(PATH),
        timestamp=None,
        forced_mode=None,
        address="192.0.2.1",
    )
    return msgspec.structs.replace(made, **parts)


def stamped(seconds: int, **parts: Any) -> SignedCall:
    return call(timestamp=str(seconds), signature=signed(str(seconds).encode() + PATH), **parts)


class FakeLook:
    """Knows one token, and counts how often it is asked."""

    def __init__(self, known: Token) -> None:
        self.known = known
        self.asked: list[str] = []

    async def look(self, api_key: str) -> Sighting | None:
        self.asked.append(api_key)
        if api_key != self.known.api_key:
            return None
        return Sighting(
            token=self.known,
            user_id=1,
            mode="real",
            display_currency="USD",
            user_version=8,
            epoch=21,
        )


@dataclass
class Door:
    gate: Gate
    look: FakeLook
    clock: ManualClock

    async def admit(self, asked: SignedCall) -> Caller:
        return await self.gate.admit(asked, "accounts_read")

    async def refusal(self, asked: SignedCall) -> Refusal:
        with pytest.raises(Refusal) as caught:
            await self.admit(asked)
        return caught.value


def tally(clock: ManualClock, limits: Limits | None = None, kept: int = PER_TOKEN) -> MemoryTally:
    return MemoryTally(limits or MemoryLimits(RULES, clock), SeenSignatures(clock, kept))


def door(known: Token | None = None, limits: Limits | None = None, kept: int = PER_TOKEN) -> Door:
    clock = ManualClock(NOW)
    look = FakeLook(known or token())
    return Door(Gate(look, VAULT, clock, tally(clock, limits, kept)), look, clock)
