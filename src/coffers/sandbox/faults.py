"""What can be made to go wrong, for which requests, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from coffers.sandbox.call import Call


class FaultKind(StrEnum):
    """The ways in which a venue can fail a client."""

    STATUS = "status"
    """An answer with the given status and body."""
    HTML = "html"
    """A page for people with status 200, as from a proxy or a maintenance switch."""
    EMPTY_OBJECT = "empty_object"
    """`{}` with status 200."""
    EMPTY_BODY = "empty_body"
    """Nothing at all with status 200."""
    TRUNCATED = "truncated"
    """The first half of the real answer."""
    DELAY = "delay"
    """The real answer, `seconds` later."""
    DROPPED = "dropped"
    """The connection is cut without an answer. Clients may ask once more on their own: aiohttp does
    so when it had kept the connection, and uses up two counts."""
    RATE_LIMITED = "rate_limited"
    """429 with Retry-After."""
    BANNED = "banned"
    """418 with Retry-After."""
    KEY_REVOKED = "key_revoked"
    """-2015, as after the key was deleted."""
    ADDRESS_REFUSED = "address_refused"
    """-2015 with the text that names the caller's address."""
    OTHER_ACCOUNT = "other_account"
    """The real answer for the account of the key `as_key`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure to inject.

    It meets requests to `venue` (None: both) whose path begins with `path`, with this `method` and
    `key` (None: any), `count` times (None: until it is cleared). The rest is read by the kinds that
    need it: `status`, `body` and `headers` by `status`; `seconds` by `delay`; `retry_after` in
    seconds by `rate_limited` and `banned`; `as_key` by `other_account`.
    """

    kind: FaultKind
    venue: str | None = None
    path: str = "/"
    method: str | None = None
    key: str | None = None
    count: int | None = None
    status: int = 500
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0
    retry_after: int = 30
    as_key: str = ""

    def meets(self, call: Call) -> bool:
        """Whether a request is one of those to fail."""
        return (
            self.venue in (None, call.venue)
            and self.method in (None, call.method)
            and self.key in (None, call.key)
            and call.path.startswith(self.path)
        )


class Faults:
    """The failures that wait, the oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def inject(self, fault: Fault) -> None:
        """Let a failure wait for its requests."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Forget all failures."""
        self._waiting.clear()

    def take(self, call: Call) -> Fault | None:
        """Return the failure that a request meets, None for a healthy answer."""
        for index, fault in enumerate(self._waiting):
            if fault.meets(call):
                self._count_down(index, fault)
                return fault
        return None

    def _count_down(self, index: int, fault: Fault) -> None:
        if fault.count is None:
            return
        if fault.count > 1:
            self._waiting[index] = replace(fault, count=fault.count - 1)
        else:
            del self._waiting[index]
