"""What an account may be called."""

from coffers.errors import InvalidRecord
from coffers.portfolio.secrecy import secret_fault

LENGTHS = range(2, 101)
"""Characters of a name, without spaces around it."""


def name_faults(name: str) -> dict[str, list[str]]:
    """Return what is wrong with a name, by field; nothing where it can be used."""
    if fault := secret_fault(name):
        return {"name": [fault]}
    if len(name) < LENGTHS.start:
        return {"name": [f"is too short (minimum is {LENGTHS.start} characters)"]}
    if len(name) >= LENGTHS.stop:
        return {"name": [f"is too long (maximum is {LENGTHS.stop - 1} characters)"]}
    return {} if name.isprintable() else {"name": ["is invalid"]}


def usable_name(text: str) -> str:
    """Return a name without the spaces around it.

    Raises:
        InvalidRecord: for a name that cannot be used.
    """
    name = text.strip()
    if faults := name_faults(name):
        raise InvalidRecord(faults)
    return name
