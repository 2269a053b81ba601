"""An authenticator in software: makes ES256 passkeys that can be discovered, attests nothing."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Key:
    """A passkey as the authenticator keeps it."""

    id: bytes
    rp_id: str
    handle: bytes
    private: ec.EllipticCurvePrivateKey
    count: int = 0


@dataclass
class Authenticator:
    """A browser at `origin` with an authenticator; `verifies` is whether it asks for a finger."""

    origin: str
    verifies: bool = True
    counts: bool = True
    keys: list[Key] = field(default_factory=list)

    def make(self, options: str, **changes: Any) -> str:
        """Make a passkey as a browser is asked to; return what the browser tells."""
        asked = json.loads(options)
        number = len(self.keys) + 1
        handle = decoded(asked["user"]["id"])
        private = ec.generate_private_key(ec.SECP256R1())
        key = Key(hashlib.sha256(str(number).encode()).digest(), asked["rp"]["id"], handle, private)
        self.keys.append(key)
        point = private.public_key().public_numbers()
        x, y = (each.to_bytes(32, "big") for each in (point.x, point.y))
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        about = bytes(16) + len(key.id).to_bytes(2, "big") + key.id + public
        data = self._data(changes.get("rp_id", key.rp_id), key, ATTESTED) + about
        told = {"fmt": "none", "attStmt": {}, "authData": data}
        client = self._client("webauthn.create", asked["challenge"], changes)
        response = {"attestationObject": encoded(cbor2.dumps(told)), "transports": ["internal"]}
        return self._told(key, {"clientDataJSON": encoded(client), **response})

    def show(self, options: str, **changes: Any) -> str:
        """Show a passkey as a browser is asked to; return what the browser tells."""
        asked = json.loads(options)
        allowed = {each["id"] for each in asked.get("allowCredentials", [])}
        key = next(
            each
            for each in self.keys
            if each.rp_id == asked["rpId"] and (not allowed or encoded(each.id) in allowed)
        )
        key.count += 1 if self.counts else 0
        data = self._data(changes.get("rp_id", key.rp_id), key)
        client = self._client("webauthn.get", asked["challenge"], changes)
        signed = data + hashlib.sha256(client).digest()
        private = changes.get("private", key.private)
        response = {
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded(private.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": encoded(changes.get("handle", key.handle)),
        }
        return self._told(key, response)

    def _data(self, rp_id: str, key: Key, flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        told = hashlib.sha256(rp_id.encode()).digest()
        return told + bytes([flags]) + key.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, changes: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin}
        return json.dumps(told | changes.get("client", {})).encode()

    def _told(self, key: Key, response: dict[str, object]) -> str:
        told = {"id": encoded(key.id), "rawId": encoded(key.id), "type": "public-key"}
        return json.dumps(told | {"response": response})
