"""What a source of prices that is no venue looks like, and what it tells."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from coffers.clock import Millis
from coffers.errors import CoffersError


@dataclass(frozen=True, slots=True)
class SourcePrice:
    """What a source says that a unit of an asset is worth in USD, and of when that is.

    `of` names another source whose word is passed on, or may be; None for one of its own.
    """

    usd: Decimal
    at: Millis
    of: str | None = None


class SourceFailure(CoffersError):
    """A source gave no usable answer. `retry_after` is how long it asked to be left alone."""

    def __init__(self, sentence: str, retry_after: Millis | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(sentence)


class FallbackSource(Protocol):
    """Where prices come from that no venue tells."""

    @property
    def name(self) -> str:
        """What the source is called in prices, settings and metrics."""
        ...

    @property
    def lasts(self) -> Millis:
        """The age up to which what it told counts."""
        ...

    @property
    def passes_on(self) -> str | None:
        """The source whose word some of what it tells is, see `SourcePrice.of`."""
        ...

    async def prices(
        self, assets: Sequence[str], told: Collection[str] = ()
    ) -> Mapping[str, SourcePrice]:
        """Return what the source tells anew of some assets, the most wanted first.

        Those that it does not know are absent; all are while it must not be asked again yet. Where
        it cannot be asked for all, those that it `told` before and the others take turns.

        Raises:
            SourceFailure: when it was asked and gave no usable answer, now or before it was left
                alone for that.
        """
        ...
