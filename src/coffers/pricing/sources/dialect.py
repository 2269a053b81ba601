"""What differs between sources: what to ask of which assets, and how to read the answer."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from coffers import money
from coffers.clock import SECOND, Millis
from coffers.errors import InvalidAmount
from coffers.pricing.sources.limiter import Pace
from coffers.pricing.sources.source import SourceFailure, SourcePrice


class Dialect(Protocol):
    """One source's way to be asked and to answer: pure, tested on recorded answers.

    `most` is how many assets one call may name; the rest as in `FallbackSource`.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - told above, as all of these
    @property
    def host(self) -> str: ...  # noqa: D102
    @property
    def pace(self) -> Pace: ...  # noqa: D102
    @property
    def lasts(self) -> Millis: ...  # noqa: D102
    @property
    def most(self) -> int: ...  # noqa: D102
    @property
    def passes_on(self) -> str | None: ...  # noqa: D102

    def knows(self, asset: str) -> bool:
        """Tell whether the source can be asked for the asset at all."""
        ...

    def target(self, assets: Sequence[str]) -> str:
        """Return the path and the query that ask for some assets."""
        ...

    def told(self, answer: object, assets: Sequence[str]) -> Mapping[str, SourcePrice]:
        """Return what an answer says of the assets; what it does not say is absent.

        Raises:
            SourceFailure: when the answer has not the source's form.
        """
        ...


def fields_of(answer: object, source: str, key: str | None = None) -> Mapping[str, object]:
    """Return the JSON object that an answer is, or the one under a key of it.

    Raises:
        SourceFailure: when there is none.
    """
    if key is not None:
        answer = fields_of(answer, source).get(key)
    if not isinstance(answer, dict):
        raise SourceFailure(f"{source} answered in a form that is not its own")
    return answer


def worth_of(value: object) -> Decimal | None:
    """Return a number above zero that an answer holds, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        number = money.parse(value)
    except InvalidAmount:
        return None
    return number if number > 0 else None


def told_of(entry: object, usd: str, seconds: str) -> SourcePrice | None:
    """Return what an entry tells, by the names of its price and its Unix time; None if not both."""
    if not isinstance(entry, dict):
        return None
    worth, moment = worth_of(entry.get(usd)), worth_of(entry.get(seconds))
    if worth is None or moment is None:
        return None
    return SourcePrice(worth, Millis(int(moment) * SECOND))
