"""What an account of the XRP Ledger holds: coins, tokens and debts, escrows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from coffers import money
from coffers.connectors.chain.answers import odd_answer, together, units
from coffers.connectors.chain.xrp.currencies import Token, token_of
from coffers.connectors.chain.xrp.ledger import Closed, Line, Server
from coffers.connectors.reading import ConnectorFailure
from coffers.errors import InvalidAmount
from coffers.markets.chains import Chain
from coffers.valuation.model import Position


@dataclass(slots=True)
class Holdings:
    """What was found; `missing` says which part was not, and why."""

    positions: list[Position] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, parts: Iterable[str], positions: Iterable[Position]) -> None:
        """Add parts that were read."""
        self.parts.update(parts)
        self.positions += positions


async def holdings_of(address: str, ledger: Closed, server: Server, chain: Chain) -> Holdings:
    """Return what an account holds in a ledger; all but the coins may be missing.

    Raises:
        ConnectorFailure: when the account itself could not be read.
    """
    data = await server.account(address, ledger)
    holdings = Holdings()
    drops = 0 if data is None else drops_of(data.get("Balance"))
    holdings.add(["native"], _coins("native", drops, chain))
    await together(
        [
            _add_tokens(address, ledger, server, chain, holdings),
            _add_escrows(address, ledger, server, chain, holdings),
        ]
    )
    return holdings


def drops_of(text: object) -> int:
    """Return an amount of drops, the millionth part of an XRP.

    Raises:
        ConnectorFailure: when it is none.
    """
    if not isinstance(text, str) or not text.isascii() or not text.isdigit():
        raise odd_answer("an amount")
    return int(text)


def value_of(text: object) -> Decimal:
    """Return an amount of a token, negative where it is owed; raises as `drops_of`."""
    if not isinstance(text, str):
        raise odd_answer("an amount")
    try:
        return money.parse(text)
    except InvalidAmount:
        raise odd_answer("an amount") from None


async def _add_tokens(
    address: str, ledger: Closed, server: Server, chain: Chain, holdings: Holdings
) -> None:
    try:
        positions = token_positions(address, await server.lines(address, ledger), chain)
    except ConnectorFailure as failure:
        holdings.missing["tokens"] = str(failure)
        return
    holdings.add(["tokens"], positions)


def token_positions(address: str, lines: Iterable[Line], chain: Chain) -> list[Position]:
    """Return what peers owe the account as held, what it owes them as borrowed."""
    held: dict[Token, Decimal] = {}
    owed: dict[Token, Decimal] = {}
    for line in lines:
        value = value_of(line.balance)
        if value > 0:
            token = token_of(line.account, line.currency, chain)
            held[token] = money.add(held.get(token, money.ZERO), value)
        elif value < 0:
            token = token_of(address, line.currency, chain)
            owed[token] = money.add(owed.get(token, money.ZERO), -value)
    return [
        Position(
            "tokens",
            token.asset,
            token.symbol,
            held.get(token, money.ZERO),
            borrowed=owed.get(token, money.ZERO),
        )
        for token in [*held, *(token for token in owed if token not in held)]
    ]


async def _add_escrows(
    address: str, ledger: Closed, server: Server, chain: Chain, holdings: Holdings
) -> None:
    """Count what the account set aside for itself; list what others set aside for it."""
    try:
        escrows = await server.escrows(address, ledger)
        own = [one for one in escrows if is_own_escrow(one, address)]
        coming = [one for one in escrows if one.get("Destination") == address and one not in own]
        positions = [*_set_aside("escrow", own, chain), *_coming(coming, chain)]
    except ConnectorFailure as failure:
        holdings.missing |= dict.fromkeys(("escrow", "pending"), str(failure))
        return
    holdings.add(["escrow", "pending"], positions)


def is_own_escrow(escrow: dict[str, Any], address: str) -> bool:
    """Whether an escrow can only ever go back to who made it."""
    return escrow.get("Account") == address == escrow.get("Destination")


def token_amount(amount: object, chain: Chain) -> tuple[Token, Decimal]:
    """Return an amount of a token of an issuer; raises as `drops_of`."""
    if not isinstance(amount, dict):
        raise odd_answer("an amount")
    issuer, currency = amount.get("issuer"), amount.get("currency")
    if not isinstance(issuer, str) or not isinstance(currency, str):
        raise odd_answer("an amount")
    return token_of(issuer, currency, chain), value_of(amount.get("value"))


def _set_aside(part: str, escrows: Iterable[dict[str, Any]], chain: Chain) -> list[Position]:
    amounts = [one.get("Amount") for one in escrows]
    drops = sum(drops_of(amount) for amount in amounts if not isinstance(amount, dict))
    tokens = [token_amount(amount, chain) for amount in amounts if isinstance(amount, dict)]
    return [
        *_coins(part, drops, chain),
        *(Position(part, token.asset, token.symbol, value) for token, value in tokens),
    ]


def _coming(escrows: Iterable[dict[str, Any]], chain: Chain) -> list[Position]:
    """Return the coins that others set aside for the account; anybody can set a token aside."""
    of_coins = [one for one in escrows if isinstance(one.get("Amount"), str)]
    return _set_aside("pending", of_coins, chain)


def _coins(part: str, drops: int, chain: Chain) -> list[Position]:
    amount = units(drops, chain.decimals)
    return [Position(part, chain.asset, chain.asset, amount)] if amount else []
