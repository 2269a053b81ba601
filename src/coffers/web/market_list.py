"""The markets that somebody can choose from, in groups, and those that a search finds."""

from collections.abc import Iterable
from dataclasses import dataclass

from coffers.markets.catalogue import MANUAL, PAPER, Catalogue, Market
from coffers.portfolio.markets import can_connect


@dataclass(frozen=True, slots=True)
class Choice:
    """A market to choose. `words` are what a search looks through."""

    code: str
    name: str
    about: str
    words: str


@dataclass(frozen=True, slots=True)
class Group:
    """Markets of one sort."""

    id: str
    title: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a search found. `known` are markets of that name which cannot be connected here.

    `meant` is the market that was perhaps meant, where nothing was found.
    """

    groups: tuple[Group, ...]
    known: tuple[str, ...]
    meant: Market | None


def choices_of(catalogue: Catalogue, text: str) -> Choices:
    """Return the markets whose names have all words of a text in them; all of them for none."""
    words = text.casefold().split()
    found = [each for each in catalogue if _has(_words(each), words)]
    groups = (
        Group("exchanges", "Exchanges", _chosen(each for each in found if _is_exchange(each))),
        Group("wallets", "Wallets, by address", _chosen(each for each in found if each.chain)),
        Group("own", "Without an exchange", _chosen(each for each in found if each.is_kept)),
    )
    shown = tuple(group for group in groups if group.choices)
    known = tuple(
        each.name for each in found if words and not can_connect(each) and not each.is_kept
    )
    code = None if shown or known or not words else catalogue.suggest(text)
    meant = None if code is None else catalogue.get(code)
    return Choices(shown, known, meant if meant is not None and can_connect(meant) else None)


def _is_exchange(market: Market) -> bool:
    return market.chain is None and can_connect(market)


def _chosen(markets: Iterable[Market]) -> tuple[Choice, ...]:
    found = [
        Choice(each.code, _name(each), _about(each), " ".join(_words(each))) for each in markets
    ]
    return tuple(sorted(found, key=lambda choice: choice.name.casefold()))


def _name(market: Market) -> str:
    match market.code:
        case code if code == MANUAL:
            return "By hand"
        case code if code == PAPER:
            return "Paper account"
    return market.name.removesuffix(" Wallet") if market.chain else market.name


def _about(market: Market) -> str:
    match market.code:
        case code if code == MANUAL:
            return "you say what is in it"
        case code if code == PAPER:
            return "made-up money at real prices"
    if market.chain is not None:
        return "address"
    return ", ".join(market.market_types)


def _words(market: Market) -> tuple[str, ...]:
    told = (market.code, market.name, market.exchange_name, market.pretty_display_type)
    also = (market.venue or "", market.chain or "", _name(market), _about(market))
    return tuple(dict.fromkeys(text.casefold() for text in (*told, *also) if text))


def _has(words: Iterable[str], wanted: Iterable[str]) -> bool:
    whole = " ".join(words)
    return all(word in whole for word in wanted)
