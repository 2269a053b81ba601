"""Frankfurter: the European Central Bank's daily reference rates of states' money.

Documented at https://frankfurter.dev/v1. The rates are those of the last working day, published
around 16:00 in Frankfurt.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, HOUR, Millis, from_iso
from coffers.pricing.currencies import DOLLAR, FIAT
from coffers.pricing.sources.dialect import fields_of, worth_of
from coffers.pricing.sources.limiter import Pace
from coffers.pricing.sources.source import SourceFailure, SourcePrice

EURO = "EUR"


class Frankfurter:
    """How Frankfurter is asked: for all rates at once, whatever is wanted.

    In euros, as the bank publishes them: a rate of the dollar is the quotient of two of those, and
    not rounded once more on the way. A rate counts for a week: over the longest holidays it is
    five days old. Its time is the beginning of its day, so that no age is told too small.
    """

    name = "frankfurter"
    host = "api.frankfurter.dev"
    pace = Pace(per_minute=2, apart=HOUR)
    lasts: Millis = Millis(7 * DAY)
    most = len(FIAT)
    passes_on = None

    def knows(self, asset: str) -> bool:
        """Tell whether the asset is states' money that is asked for."""
        return asset in FIAT

    def target(self, assets: Sequence[str]) -> str:  # noqa: ARG002 - all rates in any case
        """Return the one question that is asked."""
        return "/v1/latest"

    def told(self, answer: object, assets: Sequence[str]) -> Mapping[str, SourcePrice]:
        """Return what the answer says of the currencies."""
        fields = fields_of(answer, self.name)
        rates = fields_of(answer, self.name, "rates")
        at, dollars = _day(fields.get("date")), worth_of(rates.get(DOLLAR))
        if fields.get("base") != EURO or dollars is None or at is None:
            raise SourceFailure(f"{self.name} answered in a form that is not its own")
        per_euro = {code: worth_of(rates.get(code)) for code in assets} | {EURO: Decimal(1)}
        return {
            code: SourcePrice(money.divide(dollars, rate), at)
            for code in assets
            if (rate := per_euro[code]) is not None
        }


def _day(text: object) -> Millis | None:
    try:
        return from_iso(f"{text}T00:00:00Z")
    except ValueError:
        return None
