"""Write docs/exchanges.md: what is read of each exchange, what is not, and how that is tested.

Run it after every change of the rules in `connectors/exchange/data`, of the answers that tests
replay, or of the exchange library; `--check` writes nothing and exits with 1 where the page is not
current. It asks no exchange anything. What it says is worked out from that data and the library.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ccxt

from coffers.connectors.exchange.account_rules import subaccount_rules
from coffers.connectors.exchange.balances import plans_of
from coffers.connectors.exchange.coverage import Coverage, coverage_of
from coffers.connectors.exchange.flow_pages import histories
from coffers.connectors.exchange.rights import READERS
from coffers.connectors.exchange.rules import EVERY_VENUE, FlowRule, first, flow_rules
from coffers.connectors.exchange.venues import family_of
from coffers.markets.catalogue import Market, load_catalogue
from exchange_evidence import Evidence, Evidences
from exchange_words import DEPOSITS, HEAD, UNREAD

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/exchanges.md"

LARGE = (
    *("binance", "okx", "bybit", "coinbase", "kraken", "krakenfutures", "kucoin", "gate", "bitget"),
    *("mexc", "htx", "bingx", "cryptocom", "bitfinex", "bitstamp", "deribit", "hyperliquid"),
    *("upbit", "bithumb"),
)
"""Exchanges with a section of their own, with those that derive from them or share their keys."""

RELATIVES = {"binanceusdm": "binance", "binancecoinm": "binance", "kucoinfutures": "kucoin"}

UNTOLD = "unknown"
LETTERS = {"balances": "B", "positions": "O", "flows": "D", "prices": "P"}


@dataclass(frozen=True, slots=True)
class Told:
    """All that the page says of one market."""

    market: Market
    name: str
    family: tuple[str, ...]
    coverage: Coverage
    contracts: frozenset[str]
    flows: FlowRule
    deposits: str
    key: str
    subaccounts: str
    tested: str

    @property
    def venue(self) -> str:
        """The exchange's id in the library."""
        return self.family[0]

    @property
    def read(self) -> str:
        """The parts of a reading, in words."""
        parts = (
            f"*{part}*" if part in self.contracts else part
            for part in (name.replace("_", " ") for name in self.coverage.covered)
        )
        return ", ".join(parts) or "**nothing**"


def told_of(market: Market, evidences: Evidences) -> Told:
    """Return what the rules, the tests' data and the library say of a market."""
    family, exchange = family_of(str(market.venue)), getattr(ccxt, str(market.venue))()
    plans, _ = plans_of(family, market)
    listing = {plan.wallet.replace("_", " ") for plan in plans if plan.contracts is not None}
    rule = first(flow_rules(), family) or flow_rules()[EVERY_VENUE]
    coverage = coverage_of(market, family)
    return Told(
        market=market,
        name=str(exchange.name),
        family=family,
        coverage=coverage,
        contracts=frozenset(listing),
        flows=rule,
        deposits=_deposits(exchange, rule, coverage),
        key="told" if family[0] in READERS else "-",
        subaccounts=_subaccounts(family),
        tested=_tested(
            market,
            evidences,
            has_contracts=bool(listing),
            has_flows=_deposits(exchange, rule, coverage) != UNTOLD,
        ),
    )


def _deposits(exchange: Any, rule: FlowRule, coverage: Coverage) -> str:  # noqa: ANN401 - ccxt
    asked: Any = SimpleNamespace(can=lambda name: bool(exchange.has.get(name)))
    names, is_whole = histories(asked, rule)
    if not names or not set(rule.wallets) <= set(coverage.covered):
        return UNTOLD
    if not is_whole:
        return "one direction only, so unknown"
    untold = f", but for {', '.join(rule.untold)}" if rule.untold else ""
    return f"told{untold}"


def _subaccounts(family: Sequence[str]) -> str:
    rule = first(subaccount_rules(), family)
    if rule is None or rule.listed is None:
        return "-"
    return "listed and read" if rule.read else "listed"


def _tested(market: Market, evidences: Evidences, *, has_contracts: bool, has_flows: bool) -> str:
    found: dict[str, list[str]] = {}
    asked = {"positions": has_contracts, "flows": has_flows}
    for subject, letter in LETTERS.items():
        if not asked.get(subject, True):
            continue
        evidence, relative = evidences.of(market, subject)
        if evidence is not Evidence.INTERFACE:
            of = f" of `{relative}`" if relative else ""
            found.setdefault(evidence.words + of, []).append(letter)
    parts = (f"{words} ({', '.join(letters)})" for words, letters in found.items())
    return "; ".join(parts) or Evidence.INTERFACE.words


def page_text(all_told: Sequence[Told]) -> str:
    """Return the page."""
    venues = {told.venue for told in all_told}
    readable = {told.venue for told in all_told if told.coverage.is_readable}
    head = HEAD.format(
        ccxt=ccxt.__version__, markets=len(all_told), venues=len(venues), readable=len(readable)
    )
    sections = "".join(_section(venue, all_told) for venue in LARGE)
    flows = DEPOSITS + _table(_flow_rows(all_told))
    return head + _table(map(_row, all_told)) + sections + _unread(all_told) + flows


def _row(told: Told) -> tuple[str, ...]:
    left_out = ", ".join(told.coverage.not_covered)
    code = f"`{told.market.code}`"
    large = _large_of(told)
    linked = f"[{code}](#{_anchor(large)})" if large else code
    return linked, told.read, left_out, told.deposits, told.key, told.subaccounts, told.tested


def _large_of(told: Told) -> str | None:
    related = RELATIVES.get(told.venue, told.venue)
    members = (related, *told.family)
    return next((name for name in members if name in LARGE), None)


def _section(venue: str, all_told: Sequence[Told]) -> str:
    lines = [f"\n## {_title(venue)}\n"]
    for told in all_told:
        if _large_of(told) == venue:
            lines += [f"\n### {told.market.exchange_name}\n\n", _facts(told)]
            lines += ["\nNot read:\n\n", *_sentences(told)]
    return "".join(lines)


def _facts(told: Told) -> str:
    facts = {
        "Market": f"`{told.market.code}`",
        "Read": told.read,
        "Deposits and withdrawals": told.deposits,
        "Rights of a key": "not told" if told.key == "-" else told.key,
        "Sub-accounts": "not told" if told.subaccounts == "-" else told.subaccounts,
        "Tested with": told.tested,
    }
    return "".join(f"- {name}: {fact}\n" for name, fact in facts.items())


def _sentences(told: Told) -> Iterator[str]:
    for name, sentence in told.coverage.not_covered.items():
        yield f"- *{name}*: {sentence}\n"


def _title(venue: str) -> str:
    return str(getattr(ccxt, venue)().name)


def _anchor(venue: str) -> str:
    kept = (letter for letter in _title(venue).lower() if letter.isalnum() or letter in " -_")
    return "".join(kept).replace(" ", "-")


def _unread(all_told: Sequence[Told]) -> str:
    general = _general(all_told)
    lines = [UNREAD.format(general=general)]
    for told in all_told:
        own = [line for line in _sentences(told) if general not in line]
        if own and _large_of(told) is None:
            lines += [f"\n`{told.market.code}`, {told.market.exchange_name}:\n\n", *own]
    return "".join(lines)


def _general(all_told: Sequence[Told]) -> str:
    sentences = [text for told in all_told for text in told.coverage.not_covered.values()]
    return max(sorted(set(sentences)), key=sentences.count)


def _flow_rows(all_told: Iterable[Told]) -> Iterator[tuple[str, ...]]:
    seen: dict[str, Told] = {}
    for told in all_told:
        if told.deposits != UNTOLD:
            seen.setdefault(told.venue, told)
    for venue, told in sorted(seen.items()):
        rule = told.flows
        yield (
            f"`{venue}`",
            str(rule.since),
            f"{rule.window_days} d",
            str(rule.page),
            _pages(rule),
            ", ".join(rule.untold),
        )


def _pages(rule: FlowRule) -> str:
    if rule.number:
        return "numbered"
    return "by offset" if rule.offset else "by time"


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> int:
    """Write the page where it is not current, or only tell it. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the page of exchanges.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if not current")
    is_check = parser.parse_args().check
    evidences = Evidences()
    text = page_text([told_of(market, evidences) for market in load_catalogue() if market.venue])
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE.relative_to(ROOT)} {'is not current' if is_check else 'written'}")
    if not is_check:
        PAGE.write_text(text, encoding="utf-8")
    return 1 if is_check else 0


if __name__ == "__main__":
    sys.exit(main())
