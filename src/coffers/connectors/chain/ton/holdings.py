"""What an address of TON holds: coins and tokens."""

import re
from collections.abc import Iterable

from coffers.connectors.chain.answers import MOST_BITS, odd_answer, units
from coffers.connectors.chain.holdings import Holdings
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.spam import APART, apart
from coffers.connectors.chain.ton.center import Center, Jetton, Token
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import Position

MOST_UNLISTED = 100
"""Unlisted tokens of each part that are shown."""

_SYMBOL = 32
_ODD = re.compile(r"[^\x21-\x7e]+")


async def holdings_of(raw: str, center: Center, chain: Chain) -> Holdings:
    """Return what a raw address holds; its tokens may be missing.

    Raises:
        ConnectorFailure: when the account itself could not be read.
    """
    holdings = Holdings()
    account = await center.account(raw)
    coins = units(int(account.balance), chain.decimals)
    holdings.add("native", [Position("native", chain.asset, chain.asset, coins)])
    try:
        found, told = await center.jettons(raw)
        amounts = _sums(found)
    except ConnectorFailure as failure:
        holdings.missing |= dict.fromkeys(("tokens", *APART), str(failure))
        return holdings
    holdings.add("tokens", _listed(amounts, chain))
    unlisted = _unlisted(amounts, told, chain)
    for part in APART:
        holdings.add(part, [each for each in unlisted if each.wallet == part][:MOST_UNLISTED])
    return holdings


def _sums(found: Iterable[Jetton]) -> dict[str, int]:
    """Return raw amounts by master; of tokens on no list without those that no token can have.

    Raises:
        ConnectorFailure: when there cannot be so much of a listed token.
    """
    raw: dict[str, int] = {}
    for each in found:
        master = each.jetton.lower()
        raw[master] = raw.get(master, 0) + int(each.balance)
    absurd = {master for master, amount in raw.items() if not 0 <= amount < 1 << MOST_BITS}
    if absurd & listed_on("ton").keys():
        raise odd_answer("tokens")
    return {master: amount for master, amount in raw.items() if master not in absurd}


def _listed(amounts: dict[str, int], chain: Chain) -> list[Position]:
    positions = []
    for master, raw in sorted(amounts.items()):
        token = listed_on("ton").get(master)
        if token is not None:
            asset = token.asset or f"{chain.id}:{master}"
            positions.append(Position("tokens", asset, token.symbol, units(raw, token.decimals)))
    return positions


def _unlisted(amounts: dict[str, int], told: dict[str, Token], chain: Chain) -> list[Position]:
    """Return the other tokens, but those that do not tell how they are counted."""
    positions = []
    known = {chain.asset, *(token.symbol for token in listed_on("ton").values())}
    for master, raw in sorted(amounts.items()):
        token = told.get(master)
        if master in listed_on("ton") or token is None or token.decimals is None:
            continue
        short = f"{master[:6]}…{master[-4:]}"
        symbol = _ODD.sub("", token.symbol)[:_SYMBOL] or short
        amount = units(raw, token.decimals)
        positions.append(apart(f"{chain.id}:{master}", symbol, short, amount, known))
    return positions
