"""A client of the API, sync and async, with typed answers; docs/client.md shows it.

It needs httpx and msgspec, and cryptography for RSA keys. Nothing of the server is loaded with it.
"""

from coffers.client.call import Call
from coffers.client.clients import AsyncClient, Client
from coffers.client.errors import (
    AccessDenied,
    ApiError,
    BadRequest,
    BalanceRefused,
    Banned,
    ClientError,
    ExchangeRefused,
    IdempotencyKeyReused,
    InsufficientBalance,
    KeyRefused,
    NotDeletable,
    NotFound,
    OperationFailed,
    PriceUnavailable,
    RateLimited,
    RecordInvalid,
    ServerFault,
    SignatureInvalid,
    TookTooLong,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)
from coffers.client.reply import Reply
from coffers.client.signing import HmacKey, RsaKey, SignedAuth, signed_text
from coffers.client.speaker import Patience
from coffers.client.stream import Told

__all__ = [
    "AccessDenied",
    "ApiError",
    "AsyncClient",
    "BadRequest",
    "BalanceRefused",
    "Banned",
    "Call",
    "Client",
    "ClientError",
    "ExchangeRefused",
    "HmacKey",
    "IdempotencyKeyReused",
    "InsufficientBalance",
    "KeyRefused",
    "NotDeletable",
    "NotFound",
    "OperationFailed",
    "Patience",
    "PriceUnavailable",
    "RateLimited",
    "RecordInvalid",
    "Reply",
    "RsaKey",
    "ServerFault",
    "SignatureInvalid",
    "SignedAuth",
    "Told",
    "TookTooLong",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "Unreachable",
    "signed_text",
]
