"""What came of an errand: written by the worker that did it, told or raised by who asked for it."""

import msgspec

from coffers.clock import MINUTE, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.store.errors import AlreadyConnected, UnknownMasterKey

LASTS = Millis(2 * MINUTE)
"""How long a worker may take over one errand, and how long one waits to be taken."""


class TookTooLong(CoffersError):
    """A worker did not come to an end in time; it may still."""

    def __init__(self) -> None:
        super().__init__(
            "the exchange did not answer in time; look at the account in a while, since what was "
            "asked may still be done"
        )


class Outcome(msgspec.Struct, omit_defaults=True):
    """What came of an errand: what is told, or one of the faults that a caller can act upon."""

    told: msgspec.Raw = msgspec.Raw(b"null")
    attributes: dict[str, list[str]] | None = None
    connected_as: int | None = None
    failure: str | None = None
    code: str = ""
    message: str | None = None
    missing: bool = False
    unkept: bool = False


def of_fault(error: CoffersError) -> Outcome:
    """Return the outcome of an errand that ended in a fault."""
    message = str(error)
    match error:
        case AlreadyConnected():
            return Outcome(
                connected_as=error.account_id, attributes=error.attributes, message=message
            )
        case InvalidRecord():
            return Outcome(attributes=error.attributes, message=message)
        case ConnectorFailure():
            return Outcome(failure=error.kind.value, code=error.code, message=message)
        case NotFound():
            return Outcome(missing=True, message=message)
        case UnknownMasterKey():
            return Outcome(unkept=True, message=message)
        case _:
            return Outcome(message=message)


def told_by(outcome: Outcome) -> bytes:
    """Return what an errand told, or raise what was raised where it was done."""
    if outcome.message is None:
        return bytes(outcome.told)
    if outcome.connected_as is not None:
        raise AlreadyConnected(outcome.connected_as)
    if outcome.attributes is not None:
        raise InvalidRecord(outcome.attributes)
    if outcome.failure is not None:
        kind = FailureKind(outcome.failure)
        raise ConnectorFailure(kind, outcome.message, code=outcome.code)
    if outcome.unkept:
        raise UnknownMasterKey
    raise NotFound(outcome.message) if outcome.missing else CoffersError(outcome.message)


def context(user_id: int, errand_id: int) -> str:
    """Return what the seal of an errand is bound to."""
    return f"errand:{user_id}:{errand_id}"
