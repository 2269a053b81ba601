"""Tokens of Tron that are on no list: what an address has of them, and what they say they are."""

import re
from collections.abc import Mapping
from typing import Any

from coffers.connectors.chain.answers import MOST_BITS, odd_answer, units
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.spam import apart
from coffers.connectors.chain.tron.memory import Memory, TokenFacts
from coffers.connectors.chain.tron.node import Account, Contract, Node
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import Position

MOST = 100
"""Unlisted tokens of each kind (TRC-20 and TRC-10) that are shown."""

LEARNED_AT_ONCE = 10
"""Unlisted tokens that a reading asks what they are."""

_MOST_DECIMALS = 77
_MOST_DIGITS = 78
_SYMBOL = 32
_TEXT_AT = 64
_ODD = re.compile(r"[^\x21-\x7e]+")


async def unlisted_positions(
    address: str, account: Account, listed: Mapping[str, object], node: Node, memory: Memory
) -> list[tuple[str, int]]:
    """Return TRC-10 and unlisted TRC-20 tokens by id or contract, with raw amounts.

    Raises:
        ConnectorFailure: when the index gave no usable answer.
    """
    found = [(asset.key, asset.value) for asset in account.assets if asset.value]
    page = await node.grid(f"/v1/accounts/{address}", {})
    if page is not None:
        found += [row for row in _indexed(page.data) if row[0] not in listed]
    for gone in memory.told.keys() - {key for key, _ in found}:
        del memory.told[gone]
    unknown = [key for key, _ in found if key not in memory.told]
    for key in _first_of(unknown, memory):
        memory.told[key] = await _told(key, address, node)
    return found


def _first_of(unknown: list[str], memory: Memory) -> list[str]:
    """Return those that are asked now what they are.

    Contracts come first: addresses are sent many TRC-10 tokens, which hardly anybody trades.
    """
    chosen: list[str] = []
    for is_id in False, True:
        room = MOST - sum(key.isdigit() == is_id for key in memory.told)
        chosen += [key for key in unknown if key.isdigit() == is_id][: max(room, 0)]
    return chosen[:LEARNED_AT_ONCE]


def shown(found: list[tuple[str, int]], memory: Memory, chain: Chain) -> list[Position]:
    """Return positions of the tokens that told how they are counted."""
    positions = []
    known = {chain.asset, *(token.symbol for token in listed_on(chain.id).values())}
    for key, raw in found:
        told = memory.told.get(key)
        if told is not None and told.decimals is not None:
            amount = units(raw, told.decimals)
            name = f"{chain.id}:{key}"
            positions.append(apart(name, told.symbol, _short(key), amount, known))
    return positions


def _indexed(data: list[dict[str, Any]]) -> list[tuple[str, int]]:
    rows = [row for account in data for row in _rows(account.get("trc20"))]
    found = []
    for row in rows:
        for contract, amount in row.items():
            if not isinstance(amount, str) or not amount.isascii() or not amount.isdigit():
                raise odd_answer("the index")
            # Whoever makes a token makes it log what he likes, more than there can be too.
            if len(amount) <= _MOST_DIGITS and 0 < int(amount) < 1 << MOST_BITS:
                found.append((contract, int(amount)))
    return found


def _rows(told: object) -> list[dict[str, object]]:
    if told is None:
        return []
    if not isinstance(told, list) or not all(isinstance(row, dict) for row in told):
        raise odd_answer("the index")
    return told


async def _told(key: str, owner: str, node: Node) -> TokenFacts:
    """Return what a token tells of itself; nothing usable where it answers oddly."""
    short = _short(key)
    try:
        if key.isdigit():
            return _of_asset(await node.asset(key), short)
        decimals = int.from_bytes(await node.ask(Contract(key, "decimals()"), owner), "big")
        symbol = _text(await node.ask(Contract(key, "symbol()"), owner))
    except ConnectorFailure:
        return TokenFacts(short, None)
    return TokenFacts(symbol or short, decimals if decimals <= _MOST_DECIMALS else None)


def _short(key: str) -> str:
    return f"{key[:4]}…{key[-4:]}" if len(key) > _SYMBOL else key


def _of_asset(told: dict[str, Any], short: str) -> TokenFacts:
    precision, letters = told.get("precision", 0), told.get("abbr")
    if not isinstance(precision, int) or "id" not in told:
        return TokenFacts(short, None)
    try:
        symbol = bytes.fromhex(letters).decode() if isinstance(letters, str) else ""
    except ValueError:
        symbol = ""
    return TokenFacts(_cleaned(symbol) or short, precision)


def _text(data: bytes) -> str:
    """Return a text as contracts answer it: its place, its length and its bytes."""
    length = int.from_bytes(data[32:64], "big")
    is_old = len(data) <= _TEXT_AT
    letters = data.rstrip(b"\0") if is_old else data[_TEXT_AT : _TEXT_AT + length]
    return _cleaned(letters.decode(errors="ignore"))


def _cleaned(text: str) -> str:
    return _ODD.sub("", text)[:_SYMBOL]
