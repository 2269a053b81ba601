"""What is gathered of a wallet, part by part, as it is read."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from coffers.clock import Millis
from coffers.connectors.reading import Reading
from coffers.valuation.model import Position


@dataclass(slots=True)
class Holdings:
    """What was found; `missing` says which part was not, and why."""

    positions: list[Position] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, part: str, positions: Iterable[Position]) -> None:
        """Add a part that was read."""
        self.parts.add(part)
        self.positions += [position for position in positions if position.free]


def unsettled(at: Millis, parts: Iterable[str]) -> Reading:
    """Return the reading of a wallet that would not stand still: all of its parts are missing."""
    missing = dict.fromkeys(parts, "the wallet changed while it was read; it is read again")
    return Reading(at, frozenset(), (), missing, flows_known=False)
