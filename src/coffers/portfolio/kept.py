"""What a user says is in an account that is kept here: known assets, and amounts that can be."""

import difflib
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.errors import InvalidAmount, InvalidRecord
from coffers.markets.assets import is_of_one_venue, spellings
from coffers.portfolio.secrecy import secret_fault, told
from coffers.portfolio.token_keys import asset_named, known_token
from coffers.portfolio.visibility import visible
from coffers.pricing.sources.coins import KEY, coin_ids
from coffers.store.engine import Transaction
from coffers.sync.kept import Amounts, Kept
from coffers.valuation.model import PriceBook

MOST_ASSETS = 300
"""Assets of one account."""

LARGEST = 30
"""Digits before the point that an amount may have."""

PLACES = 30
"""Digits after it."""

_LONGEST_CODE = 140
_SUGGESTED_FOR = 5
_NEAR_ENOUGH = 0.6


Look = Callable[[Amounts], None]
"""Looks at what an account holds right before that changes; raises where it is not to change."""


def why_no_number(text: str) -> str:
    """Return what is wrong with a text that is no number."""
    if not text.strip():
        return "is missing"
    if "," in text:
        return "must have a point before decimals and no comma, such as 0.5"
    return "is invalid"


def amount_of(text: str, places: int = PLACES) -> Decimal:
    """Return an amount that somebody has.

    Raises:
        ValueError: saying why it is none.
    """
    try:
        amount = money.parse(text)
    except InvalidAmount:
        raise ValueError(why_no_number(text)) from None
    if amount <= 0:
        raise ValueError("must be more than zero")
    if amount.adjusted() >= LARGEST:
        raise ValueError("is too large")
    if money.quotient_down(amount, Decimal(1), places) != amount:
        raise ValueError(f"has more than {places} decimal places")
    return amount


def amount_in(name: str, text: str, places: int = PLACES) -> Decimal:
    """Return the amount that a parameter says.

    Raises:
        InvalidRecord: naming the parameter.
    """
    try:
        return amount_of(text, places)
    except ValueError as fault:
        raise InvalidRecord({name: [str(fault)]}) from None


@dataclass(frozen=True, slots=True)
class Said:
    """Assets as a user wrote them, with their amounts; `name` is the parameter of the assets.

    `adds_up` tells whether an asset may be there twice.
    """

    pairs: tuple[tuple[str, Decimal], ...]
    name: str
    adds_up: bool = True


def said_of(
    codes: Sequence[str], amounts: Sequence[str], names: tuple[str, str], places: int = PLACES
) -> Said:
    """Return what was written under the names of two parameters, one of codes, one of amounts.

    Raises:
        InvalidRecord: where the two are not as many, or too many, or not amounts.
    """
    if len(codes) != len(amounts):
        raise InvalidRecord({names[1]: [f"has {len(amounts)} values for {len(codes)} assets"]})
    if len(codes) > MOST_ASSETS:
        raise InvalidRecord({names[0]: [f"has more than {MOST_ASSETS} values"]})
    pairs: list[tuple[str, Decimal]] = []
    faults: list[str] = []
    for code, text in zip(codes, amounts, strict=True):
        try:
            pairs.append((code.strip(), amount_of(text, places)))
        except ValueError as fault:
            faults.append(f"of {told(code)} {fault}")
    if faults:
        raise InvalidRecord({names[1]: faults})
    return Said(tuple(pairs), names[0])


async def amounts_said(
    tx: Transaction, kept: Kept, said: Said, added: Collection[str] = ()
) -> dict[str, Decimal]:
    """Return amounts by the assets' own codes; of one that is there twice, the sum if it may be.

    They are said of the account `kept`. `added` are the ids of the operator's own chains.

    Raises:
        InvalidRecord: for codes of no known asset, with the ones that were likely meant, and for an
            asset that is there twice and may not be.
    """
    codes = {code for code, _ in said.pairs}
    user_id = kept.account.user_id
    found = await known_assets(tx, user_id, kept.book, codes, said.name, added)
    held: dict[str, Decimal] = {}
    for code, amount in said.pairs:
        if found[code] in held and not said.adds_up:
            raise InvalidRecord({said.name: [f"{told(found[code])} is there twice"]})
        held[found[code]] = money.add(held.get(found[code], money.ZERO), amount)
    return held


async def known_assets(
    tx: Transaction,
    user_id: int,
    book: PriceBook | None,
    codes: Collection[str],
    name: str,
    added: Collection[str] = (),
) -> dict[str, str]:
    """Return the assets that codes mean: "btc" means BTC, "ethereum:0xDAC1..." a token.

    A token that is an asset which exchanges trade counts as that, as it does in a wallet. Any other
    token of a known chain need not have been met, where its chain could name one so; `added` are
    the ids of the operator's own chains. Any other asset is one that the user may know of, but for
    what one venue alone means by a symbol: nobody prices that once the venue is not asked any more.

    Raises:
        InvalidRecord: naming the parameter `name`, for codes that mean none.
    """
    usable = {code for code in codes if len(code) <= _LONGEST_CODE and code.isprintable()}
    written = {text for code in usable for text in spellings(code)}
    known = await visible(tx, user_id, book, written)
    found: dict[str, str] = {}
    for code in usable:
        if token := known_token(code, added):
            found[code] = asset_named(token)
        elif (meant := known.named(code)) and _can_be_kept(meant):
            found[code] = meant
    if unknown := sorted(set(codes) - found.keys()):
        codes_seen = (await visible(tx, user_id, book)).codes()
        suggested = {code for code in codes_seen if not is_of_one_venue(code)}
        raise InvalidRecord({name: _faults(unknown, suggested)})
    return found


def _can_be_kept(code: str) -> bool:
    # What begins so is the key of a price, and no asset.
    return not (code.startswith(KEY) or is_of_one_venue(code))


def _faults(unknown: Sequence[str], known: Collection[str]) -> list[str]:
    symbols = sorted(code for code in known if ":" not in code)
    faults = []
    for place, code in enumerate(unknown):
        if secret := secret_fault(code):
            faults.append(secret)
            continue
        if not code:
            faults.append("an asset is not named")
            continue
        near = _nearest(code[:20], symbols) if place < _SUGGESTED_FOR else None
        hint = f"; did you mean {near}?" if near else ""
        faults.append(f"{told(code)} is no known asset{hint}")
    return faults


def _nearest(code: str, symbols: Sequence[str]) -> str | None:
    """Return the symbol of a coin of this name, or the one most like a code.

    That is one with its first letter, which few mistype; of several that are as like, one that has
    its second letter too.
    """
    if (named := _symbols().get(code.lower().replace(" ", "-"))) in symbols:
        return named
    code = code.upper()
    likeness = difflib.SequenceMatcher()
    likeness.set_seq2(code)
    best, nearest = (_NEAR_ENOUGH, False), None
    for symbol in symbols:
        if symbol[:1] != code[:1]:
            continue
        likeness.set_seq1(symbol)
        found = likeness.ratio(), symbol[1:2] == code[1:2]
        if found > best:
            best, nearest = found, symbol
    return nearest


@functools.cache
def _symbols() -> Mapping[str, str]:
    """Return the symbols of coins by their names, as CoinGecko's ids write them."""
    return {name: symbol for symbol, name in coin_ids().items()}
