"""A venue's name of an asset -> ours: "BTC.F" and "ETH2.S" at Kraken, "LDBTC" at Binance.

ccxt has already put its own common names in place (`commonCurrencies`), so those are not applied
again: at Kraken LUNA2 becomes LUNA and LUNA becomes LUNC, and a second pass would spoil the first.
"""

from collections.abc import Container, Sequence

from coffers.connectors.exchange.rules import EVERY_VENUE, SymbolRule, first, symbol_rules

SHORTEST_BUNDLED = 2
"""Letters that must be left of a bundle's name: 1000X is a coin."""


def asset_of(family: Sequence[str], code: str, known: Container[str]) -> str:
    """Return our name of what a venue calls `code`.

    Args:
        family: the venue's ccxt id and those of the classes it derives from.
        code: the name as ccxt gives it.
        known: the venue's currencies; a prefix is taken off only where the whole is not one of
            them and the rest is: LDO is a coin of its own.
    """
    rule = first(symbol_rules(), family) or symbol_rules()[EVERY_VENUE]
    bare = _without_prefix(_without_suffix(code, rule, known), rule, known)
    return rule.aliases.get(bare) or symbol_rules()[EVERY_VENUE].aliases.get(bare, bare)


def bundle_of(family: Sequence[str], code: str) -> tuple[str, int]:
    """Return the asset that a contract is on and how many of it are one unit of the contract.

    "1000SHIB" at Binance and "SHIB1000" at Bybit are 1000 SHIB. Only contracts are named so: a
    spot asset of that name is an asset of its own.
    """
    rule = first(symbol_rules(), family)
    common = symbol_rules()[EVERY_VENUE]
    if code in (*common.whole, *(rule.whole if rule else ())):
        return code, 1
    marks = {**common.bundles, **(rule.bundles if rule else {})}
    for mark in sorted(marks, key=len, reverse=True):
        for bare in (code.removeprefix(mark), code.removesuffix(mark)):
            if bare != code and len(bare) >= SHORTEST_BUNDLED and bare.isalpha():
                return bare, marks[mark]
    return code, 1


def _without_suffix(code: str, rule: SymbolRule, known: Container[str]) -> str:
    for suffix in rule.suffixes:
        if code.endswith(suffix) and len(code) > len(suffix):
            bare = _without_term(code.removesuffix(suffix), rule, known)
            return rule.dressed.get(bare, bare)
    return code


def _without_term(code: str, rule: SymbolRule, known: Container[str]) -> str:
    digits = rule.term_digits
    if not digits or code in known or len(code) <= digits:
        return code
    bare, term = code[:-digits], code[-digits:]
    is_known = bare in known or bare in rule.dressed
    return bare if term.isdigit() and is_known else code


def _without_prefix(code: str, rule: SymbolRule, known: Container[str]) -> str:
    if code in known:
        return code
    for prefix in rule.prefixes:
        bare = code.removeprefix(prefix)
        if bare != code and bare in known:
            return bare
    return code
