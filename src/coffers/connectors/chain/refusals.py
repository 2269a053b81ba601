"""Why a text is no address that a wallet can be read by. No sentence repeats the text."""

from enum import StrEnum

from coffers.errors import InvalidRecord


class AddressFault(StrEnum):
    """What is wrong with a text that should be an address."""

    SECRET = "secret"  # noqa: S105  # a kind of fault, no password
    MALFORMED = "malformed"
    CHECKSUM = "checksum"
    OTHER_CHAIN = "other_chain"
    OTHER_NETWORK = "other_network"
    UNKNOWN_NAME = "unknown_name"


class AddressRefused(InvalidRecord):
    """The address cannot be connected; `fault` says what kind of fault it has."""

    def __init__(self, fault: AddressFault, reason: str) -> None:
        super().__init__({"address": [reason]})
        self.fault = fault
