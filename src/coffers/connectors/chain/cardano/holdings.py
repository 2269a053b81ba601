"""What a wallet of Cardano holds: coins, native tokens, rewards, and the deposit of its key."""

import re
from dataclasses import replace

from coffers.connectors.chain.answers import units
from coffers.connectors.chain.cardano.address import is_stake
from coffers.connectors.chain.cardano.koios import Account, Koios, Output
from coffers.connectors.chain.holdings import Holdings
from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.spam import APART, apart
from coffers.markets.chains import Chain
from coffers.valuation.model import Position

TRIES = 3
"""How often a wallet is read that changes meanwhile."""

MOST_UNLISTED = 100
"""Unlisted tokens of each part that are shown: collectibles are tokens too."""

_SYMBOL = 32
_MOST_DECIMALS = 30
_ODD = re.compile(r"[^\x21-\x7e]+")
_LABELS = ("000643b0", "000de140", "0014df10", "001bc280")
"""What CIP-67 puts before the names of tokens."""


async def holdings_of(address: str, koios: Koios, chain: Chain) -> Holdings | None:
    """Return what a canonical address holds, None where it would not stand still.

    Raises:
        ConnectorFailure: when no service gave a usable answer.
    """
    for _ in range(TRIES):
        if not is_stake(address):
            outputs = await koios.outputs_at(address)
            if outputs is not None:
                return _holdings(outputs, None, chain)
            continue
        account = await koios.account(address)
        unspent = await koios.outputs_of(address)
        told = 0 if account is None else int(account.utxo)
        if told == sum(int(each.value) for each in unspent):
            return _holdings(unspent, account, chain, is_account=True)
    return None


def parts_of(address: str) -> tuple[str, ...]:
    """Return the parts that a canonical address has."""
    return ("native", "tokens", *APART, *(("rewards", "deposit") if is_stake(address) else ()))


def _holdings(
    outputs: list[Output], account: Account | None, chain: Chain, *, is_account: bool = False
) -> Holdings:
    holdings = Holdings()
    holdings.add("native", [_coin("native", sum(int(each.value) for each in outputs), chain)])
    if is_account:
        rewards, deposit = (account.rewards_available, account.deposit) if account else ("0", "0")
        holdings.add("rewards", [_coin("rewards", int(rewards), chain)])
        holdings.add("deposit", [_coin("deposit", int(deposit), chain)])
    listed, unlisted = _tokens(outputs, chain)
    holdings.add("tokens", listed)
    for part in APART:
        holdings.add(part, [each for each in unlisted if each.wallet == part][:MOST_UNLISTED])
    return holdings


def _coin(part: str, lovelace: int, chain: Chain) -> Position:
    return Position(part, chain.asset, chain.asset, units(lovelace, chain.decimals))


def _tokens(outputs: list[Output], chain: Chain) -> tuple[list[Position], list[Position]]:
    """Return listed and other tokens, the latter in what the registry says they are counted in."""
    amounts: dict[str, int] = {}
    decimals: dict[str, int] = {}
    for asset in (asset for output in outputs for asset in output.asset_list or ()):
        amounts[asset.id] = amounts.get(asset.id, 0) + int(asset.quantity)
        decimals[asset.id] = asset.decimals or 0
    known = {chain.asset, *(token.symbol for token in listed_on("cardano").values())}
    listed, unlisted = [], []
    for id_, raw in sorted(amounts.items()):
        token, key = listed_on("cardano").get(id_), f"{chain.id}:{id_}"
        if token is not None:
            amount = units(raw, token.decimals)
            listed.append(Position("tokens", token.asset or key, token.symbol, amount))
        elif 0 <= decimals[id_] <= _MOST_DECIMALS:
            amount = units(raw, decimals[id_])
            found = apart(key, _symbol(id_), _short(id_), amount, known)
            # No places may mean that nobody told them, and no price is one of a smallest unit.
            unlisted.append(found if decimals[id_] else replace(found, wallet="spam"))
    return listed, unlisted


def _symbol(id_: str) -> str:
    name = id_.partition(".")[2]
    letters = name[8:] if name.startswith(_LABELS) else name
    text = _ODD.sub("", bytes.fromhex(letters).decode(errors="ignore"))[:_SYMBOL]
    return text or _short(id_)


def _short(id_: str) -> str:
    policy = id_.partition(".")[0]
    return f"{policy[:4]}…{policy[-4:]}"
