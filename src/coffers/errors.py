"""The errors that a person or a client will read, each with its sentence.

`CoffersError` is the root. Rooms derive their own from the kinds here; the API maps kinds to wire
errors in one table, the command line to one sentence and an exit code.
"""

from collections.abc import Mapping, Sequence


class CoffersError(Exception):
    """Something that the reader of the message can act upon."""

    exit_code = 1


class UsageError(CoffersError):
    """What was asked for cannot be meant: a bad option, argument or setting."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is unknown or has a value that it cannot have."""


class InvalidAmount(CoffersError):
    """A text that should be a number is none, or lies outside of any sensible range."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a usable number")


class NotFound(CoffersError):
    """No such thing, or it belongs to somebody else."""


class InvalidRecord(CoffersError):
    """Parameters that cannot be accepted, with the reasons field by field."""

    def __init__(self, attributes: Mapping[str, Sequence[str]]) -> None:
        self.attributes = {field: list(reasons) for field, reasons in attributes.items()}
        reasons = "; ".join(f"{field} {', '.join(why)}" for field, why in self.attributes.items())
        super().__init__(reasons)
