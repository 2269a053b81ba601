"""How the reading of each exchange is tested, worked out from the answers that tests replay."""

import json
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any

from coffers.connectors.exchange.venues import family_of
from coffers.markets.catalogue import Market, load_catalogue

ANSWERS = Path(__file__).resolve().parent.parent / "tests/data/connectors"

FLOWS = frozenset({"fetch_deposits", "fetch_withdrawals", "fetch_ledger"})
PRICES = frozenset({"fetch_ticker", "fetch_tickers"})
SUBJECTS = {
    "fetch_balance": "balances",
    "fetch_positions": "positions",
    **dict.fromkeys(FLOWS, "flows"),
    **dict.fromkeys(PRICES, "prices"),
}
"""The library's calls, by what they are asked for."""

Key = tuple[str, str]
"""An exchange's id in the library or a market's code, and a subject."""


class Evidence(IntEnum):
    """What stands behind a reading; more is better."""

    INTERFACE = 0
    EXAMPLES = 1
    RECORDED = 2

    @property
    def words(self) -> str:
        """How the page says it."""
        return ("interface only", "example answers", "recorded values")[self]


class Evidences:
    """What the tests' data hold of each exchange and market."""

    def __init__(self) -> None:
        self._found: dict[Key, Evidence] = {}
        for key, evidence in _all():
            self._found[key] = max(evidence, self._found.get(key, evidence))

    def of(self, market: Market, subject: str) -> tuple[Evidence, str | None]:
        """Return the evidence for a market, and the relative whose answers it is of, if not its.

        Args:
            market: one that the library can reach.
            subject: one of `SUBJECTS`.
        """
        family = family_of(str(market.venue))
        # Answers that are kept by exchange are of its main account.
        by_venue = family if subject in {"flows", "prices"} or _is_main(market) else ()
        for name in (market.code, *(_wallet(each, market) for each in family), *by_venue):
            if (name, subject) in self._found:
                relative = name.partition("/")[0]
                return self._found[name, subject], None if relative in _own(market) else relative
        return Evidence.INTERFACE, None


def _own(market: Market) -> set[str | None]:
    return {market.code, market.venue}


def _wallet(venue: str, market: Market) -> str:
    return f"{venue}/{market.wallet or ' '.join(market.market_types)}"


def _is_main(market: Market) -> bool:
    others = (each for each in load_catalogue() if each.venue == market.venue)
    return "spot" in market.market_types or all("spot" not in each.market_types for each in others)


def _all() -> Iterator[tuple[Key, Evidence]]:
    for venue, samples in _data("static_samples.json").items():
        for call in samples if isinstance(samples, dict) else ():
            if subject := SUBJECTS.get(_snake(call)):
                yield (venue, subject), Evidence.RECORDED
    for key in (*_replayed(), *_histories(), *_margined()):
        yield key, Evidence.EXAMPLES


def _replayed() -> Iterator[Key]:
    cases = [*_data("bodies.json")["cases"], *_data("further_bodies.json")["cases"]]
    for case in cases:
        # What is unusable proves nothing; what ccxt parsed or what was read by hand does.
        if "unusable" not in case and "replayed_in" not in case:
            yield case["venue"], SUBJECTS[case["method"]]
    for venue in _data("balances.json")["exchanges"]:
        yield venue, "balances"


def _histories() -> Iterator[Key]:
    for method, by_venue in _data("history.json").items():
        for venue in by_venue if method in FLOWS else ():
            yield venue, "flows"


def _margined() -> Iterator[Key]:
    for code, case in _data("derivatives.json").items():
        market = load_catalogue().get(code)
        if market is not None:
            for name in (code, _wallet(str(market.venue), market)):
                yield name, "balances"
                if case["contracts"]:
                    yield name, "positions"


def _snake(call: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in call)


def _data(name: str) -> dict[str, Any]:
    return json.loads((ANSWERS / name).read_text(encoding="utf-8"))
