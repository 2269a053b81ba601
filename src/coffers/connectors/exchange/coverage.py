"""What a reading of each market covers, and what is known that it leaves out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from coffers.connectors.exchange.account_rules import subaccount_rules
from coffers.connectors.exchange.balances import kinds_of, plans_of
from coffers.connectors.exchange.rules import EVERY_VENUE, first, uncovered
from coffers.connectors.exchange.venues import family_of
from coffers.markets.catalogue import Market

SUBACCOUNTS = "sub-accounts"

_APART = "They are accounts of their own, in no reading of the main one: `coffers subaccounts`."


@dataclass(frozen=True, slots=True)
class Coverage:
    """The parts that a reading of a market has, by the names that readings give them.

    `not_covered` holds what the exchange has beside them, as far as that is known, each with a
    sentence about it; a kind of account that cannot be read at all is named there too.
    """

    market_code: str
    covered: tuple[str, ...]
    not_covered: Mapping[str, str]

    @property
    def is_readable(self) -> bool:
        """Whether an account of this market can be read at all."""
        return bool(self.covered)


def coverage(markets: Iterable[Market]) -> dict[str, Coverage]:
    """Return what is covered of each market that the exchange library can reach, by its code."""
    return {
        market.code: coverage_of(market, family_of(market.venue))
        for market in markets
        if market.venue is not None
    }


def coverage_of(market: Market, family: Sequence[str]) -> Coverage:
    """Return what is covered of one market.

    Args:
        market: the market.
        family: the venue's ccxt id and those of the classes that it derives from.
    """
    plans, lacking = plans_of(family, market)
    left_out = {
        kind: f"Coffers does not read {_named(kind)} accounts there yet." for kind in lacking
    }
    known = first(uncovered(), family) or uncovered()[EVERY_VENUE]
    for kind in kinds_of(market):
        left_out |= known.get(kind, {})
    subaccounts = first(subaccount_rules(), family)
    if subaccounts is not None and subaccounts.listed is not None:
        left_out[SUBACCOUNTS] = _APART
    return Coverage(market.code, tuple(dict.fromkeys(plan.wallet for plan in plans)), left_out)


def _named(kind: str) -> str:
    return kind.replace("_", " ")
