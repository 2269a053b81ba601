"""What a key may do at its venue, right by right: yes, no, or unknown (None)."""

from dataclasses import dataclass

from coffers.clock import Millis


@dataclass(frozen=True, slots=True)
class KeyRights:
    """The rights of one exchange key, as its venue tells them; None where it does not tell."""

    read: bool | None = None
    trade: bool | None = None
    withdraw: bool | None = None
    address_restricted: bool | None = None
    expires_at: Millis | None = None


UNKNOWN_RIGHTS = KeyRights()
