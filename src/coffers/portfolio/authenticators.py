"""Passkeys as browsers and authenticators speak of them (WebAuthn, level 2).

The library makes the options and checks the answers. It is loaded when the first passkey is used:
it takes 7 MB, and most processes never need it.
"""

import asyncio
import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from coffers.errors import InvalidRecord
from coffers.portfolio.accounts import MOST_ID
from coffers.store.passkeys import Passkey
from coffers.store.records import User

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

NAME: Final = "Coffers"
LONGEST_ID: Final = 1400
"""Characters of an id: authenticators make up to 1023 bytes of it."""

_TRANSPORTS: Final = frozenset({"ble", "hybrid", "internal", "nfc", "usb"})
_PORTS: Final = {"http": 80, "https": 443}
_ID_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class PasskeySite:
    """Where passkeys are for: the host, and the origin that a browser tells of its pages."""

    rp_id: str
    origin: str


class _Response(msgspec.Struct, frozen=True):
    client_data: str = msgspec.field(name="clientDataJSON")
    handle: str | None = msgspec.field(name="userHandle", default=None)
    transports: tuple[str, ...] = ()


class _Answer(msgspec.Struct, frozen=True):
    id: str
    response: _Response


class _ClientData(msgspec.Struct, frozen=True):
    challenge: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser tells of an authenticator. `text` is all of it, and nothing of it is proven.

    `owner` is whose passkey the authenticator says that it is, with `handle` to be compared.
    """

    text: str
    id: str
    challenge: str
    handle: bytes | None
    transports: tuple[str, ...]

    @property
    def owner(self) -> int | None:
        """Return the id of the user whose passkey it is said to be, None where it says none."""
        owner = int.from_bytes((self.handle or b"")[:_ID_BYTES], "big")
        return owner if 0 < owner <= MOST_ID else None


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that an authenticator made."""

    id: str
    public_key: bytes
    sign_count: int


def site_of(base_url: str) -> PasskeySite | None:
    """Return where passkeys are for that are made at an address; None where browsers make none.

    They make some over TLS, and on the machine itself, and for a name alone, not for an address.
    """
    try:
        parts = urlsplit(base_url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    is_local = host == "localhost" or host.endswith(".localhost")
    if not (parts.scheme == "https" or (parts.scheme == "http" and is_local)):
        return None
    if not host or ":" in host or host.rpartition(".")[2].isdigit():
        return None
    told = "" if port in {None, _PORTS[parts.scheme]} else f":{port}"
    return PasskeySite(host, f"{parts.scheme}://{host}{told}")


def handle_of(user: User) -> bytes:
    """Return by what an authenticator knows a user: the id, and what tells installations apart."""
    told = f"{user.id}:{user.created_at}".encode()
    return user.id.to_bytes(_ID_BYTES, "big") + hashlib.sha256(told).digest()[:12]


def answer_of(text: str) -> Answer:
    """Return what a browser tells, as far as it has to be known before it is checked.

    Raises:
        InvalidRecord: naming `passkey`.
    """
    try:
        found = msgspec.json.decode(text, type=_Answer)
        data = msgspec.json.decode(_bytes(found.response.client_data), type=_ClientData)
        handle = found.response.handle
        given = None if handle is None else _bytes(handle)
    except (ValueError, RecursionError):
        raise not_taken() from None
    # A NUL is no text for PostgreSQL.
    if not 0 < len(found.id) <= LONGEST_ID or not found.id.isprintable():
        raise not_taken()
    transports = tuple(sorted(_TRANSPORTS.intersection(found.response.transports)))
    return Answer(text, found.id, data.challenge, given, transports)


def not_taken() -> InvalidRecord:
    """Return the error of an answer that is not taken; it does not tell why."""
    return InvalidRecord({"passkey": ["was not taken; try again"]})


async def loaded() -> None:
    """Load the library beside the event loop, before a transaction waits for it."""
    await asyncio.to_thread(__import__, "webauthn")


def options_to_add(site: PasskeySite, user: User, challenge: bytes, own: Iterable[Passkey]) -> str:
    """Return, as JSON, what a browser is to make a passkey by."""
    import webauthn  # noqa: PLC0415 - if it is used
    from webauthn.helpers.structs import (  # noqa: PLC0415
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name=NAME,
        user_id=handle_of(user),
        user_name=user.name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_described(site, own),
    )
    return webauthn.options_to_json(options)


def options_to_show(site: PasskeySite, challenge: bytes, own: Iterable[Passkey]) -> str:
    """Return, as JSON, what a browser is to show a passkey by: one of its own, or of any user."""
    import webauthn  # noqa: PLC0415 - if it is used
    from webauthn.helpers.structs import UserVerificationRequirement  # noqa: PLC0415

    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge,
        allow_credentials=_described(site, own),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def made_by(site: PasskeySite, answer: Answer) -> NewPasskey | None:
    """Return the passkey that an authenticator made, None where the answer does not hold.

    That its challenge is one of ours is for the caller to see.
    """
    import webauthn  # noqa: PLC0415 - if it is used
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        found = webauthn.verify_registration_response(
            credential=answer.text,
            expected_challenge=_bytes(answer.challenge),
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, *_STUMBLES):
        return None
    return NewPasskey(_text(found.credential_id), found.credential_public_key, found.sign_count)


def count_of(site: PasskeySite, answer: Answer, passkey: Passkey) -> int | None:
    """Return what the authenticator of a passkey counts, None where the answer does not hold.

    That its challenge is one of ours, and that the count went up, is for the caller to see.
    """
    import webauthn  # noqa: PLC0415 - if it is used
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        found = webauthn.verify_authentication_response(
            credential=answer.text,
            expected_challenge=_bytes(answer.challenge),
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, *_STUMBLES):
        return None
    return found.new_sign_count if _text(found.credential_id) == passkey.id else None


_STUMBLES: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
)
"""What the library raises beside its own errors for an answer that no browser made."""


def _described(site: PasskeySite, own: Iterable[Passkey]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers.structs import (  # noqa: PLC0415 - if it is used
        AuthenticatorTransport,
        PublicKeyCredentialDescriptor,
    )

    return [
        PublicKeyCredentialDescriptor(
            id=_bytes(each.id),
            transports=[AuthenticatorTransport(name) for name in each.transports] or None,
        )
        for each in own
        if each.rp_id == site.rp_id
    ]


def _bytes(text: str) -> bytes:
    """Return the bytes of base64url, with or without its padding."""
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
