"""What an address holds in tokens: listed ones, and apart from them those that are on no list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from coffers import money
from coffers.clock import DAY, Millis
from coffers.connectors.chain.evm import codec
from coffers.connectors.chain.evm.blocks import lacks_block
from coffers.connectors.chain.evm.calls import Caller
from coffers.connectors.chain.evm.codec import Call
from coffers.connectors.chain.evm.memory import Memory, UnlistedToken
from coffers.connectors.chain.evm.tokens import Listed
from coffers.connectors.chain.nodes import NodeRefused
from coffers.connectors.chain.spam import pretends
from coffers.connectors.reading import ConnectorFailure
from coffers.errors import InvalidAmount
from coffers.markets.chains import Chain
from coffers.valuation.model import UNLISTED, Position

MOST_SPAM = 200
"""Unlisted tokens that are shown; those that pretend to be another one are left out first."""

PATIENT = 7 * DAY
"""How long a token that told a balance before may tell none before it is given up. Counted in time:
whoever asks for readings makes as many as they like while a node is broken."""

MANY = 3
"""Listed tokens of which at least one must tell a balance, were it zero, for the rest to count."""

NAME = bytes.fromhex("06fdde03")


@dataclass(frozen=True, slots=True)
class Holdings:
    """What was found. `missing` says which part or token was not read, and why.

    `others` are tokens on no list: in the part `unlisted`, or in `spam` if they pretend.
    """

    tokens: tuple[Position, ...] = ()
    others: tuple[Position, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)


class TokenReader:
    """Reads the tokens of one address at one block.

    Args:
        chain: the chain, for the keys of tokens.
        caller: asks the contracts.
        listed: the tokens that are known.
        memory: the notes on the wallet, which are changed.
    """

    def __init__(
        self, chain: Chain, caller: Caller, listed: Mapping[str, Listed], memory: Memory
    ) -> None:
        self._chain = chain
        self._caller = caller
        self._listed = listed
        self._memory = memory

    async def read(self, owner: str, at: Millis) -> Holdings:
        """Return what the owner holds at the moment `at`; what fails is missing, the rest stands.

        Raises:
            NodeRefused: when the node does not have the block.
        """
        missing: dict[str, str] = {}
        tokens: tuple[Position, ...] = ()
        others: tuple[Position, ...] = ()
        try:
            tokens = await self._of_the_list(owner, at, missing)
        except (NodeRefused, ConnectorFailure) as failure:
            missing["tokens"] = reason_of(failure)
        try:
            others = await self._of_nobody(owner)
        except (NodeRefused, ConnectorFailure) as failure:
            missing |= dict.fromkeys((UNLISTED, "spam"), reason_of(failure))
        return Holdings(tokens, others, missing)

    async def _of_the_list(
        self, owner: str, at: Millis, missing: dict[str, str]
    ) -> tuple[Position, ...]:
        raw = await self._balances(owner, list(self._listed))
        held = {contract: amount for contract, amount in raw.items() if amount}
        if len(raw) >= MANY and all(amount is None for amount in raw.values()):
            # It is the node that is broken: nothing is learnt of any token, nor forgotten.
            missing["tokens"] = f"None of the {len(raw)} listed tokens told a balance."
            return ()
        self._note_silent(raw, at, missing)
        await self._learn_places(held)
        positions = []
        for contract, amount in held.items():
            token = self._listed[contract]
            units = in_units(amount, self._places(token))
            if units is None:
                missing[f"token {token.symbol}"] = f"{token.symbol} tells no usable decimals."
            else:
                asset = token.asset or self._key(contract)
                positions.append(Position("tokens", asset, token.symbol, units))
        return tuple(positions)

    async def _of_nobody(self, owner: str) -> tuple[Position, ...]:
        for contract in self._listed.keys() & self._memory.found.keys():
            del self._memory.found[contract]
        raw = await self._balances(owner, list(self._memory.found))
        for contract, amount in raw.items():
            if amount == 0:
                # It makes room: should the address get some again, that is found like the first.
                del self._memory.found[contract]
        held = {contract: amount for contract, amount in raw.items() if amount}
        await self._learn_what(
            [contract for contract in held if self._memory.found[contract] is None]
        )
        shown = [(contract, self._memory.found[contract], held[contract]) for contract in held]
        shown.sort(key=lambda row: row[1] is not None and row[1].pretends)
        positions = [self._unlisted(contract, told, amount) for contract, told, amount in shown]
        return tuple(position for position in positions if position is not None)[:MOST_SPAM]

    def _unlisted(self, contract: str, told: UnlistedToken | None, amount: int) -> Position | None:
        """Return a token that nobody knows, None where it cannot be told how much it is."""
        units = in_units(amount, None if told is None else told.decimals)
        if told is None or units is None:
            return None
        hidden = f"{contract[:6]}…{contract[-4:]}"
        symbol = hidden if told.pretends or told.symbol is None else told.symbol
        part = "spam" if told.pretends else UNLISTED
        return Position(part, self._key(contract), symbol, units)

    async def _balances(self, owner: str, contracts: Sequence[str]) -> dict[str, int | None]:
        """Return raw balances, None for what tells none: it reverts, or is no token at all."""
        calls = [codec.balance_of(contract, owner) for contract in contracts]
        answers = await self._caller.ask(calls) if calls else []
        return dict(zip(contracts, map(codec.number, answers), strict=True))

    def _note_silent(
        self, raw: Mapping[str, int | None], at: Millis, missing: dict[str, str]
    ) -> None:
        """Miss the tokens while one that was held tells no balance; give it up in the end."""
        before = self._memory.silent_since
        silent = {
            contract: before.get(contract, at)
            for contract in self._memory.held
            if contract in raw and raw[contract] is None
        }
        waited_for = [contract for contract, since in silent.items() if at - since < PATIENT]
        if waited_for:
            symbols = ", ".join(self._listed[contract].symbol for contract in waited_for)
            missing["tokens"] = f"{symbols} told no balance."
        self._memory.silent_since = {contract: silent[contract] for contract in waited_for}
        self._memory.held = [contract for contract in raw if raw[contract]] + waited_for

    async def _learn_places(self, held: Mapping[str, int]) -> None:
        unknown = [contract for contract in held if self._places(self._listed[contract]) is None]
        if not unknown:
            return
        answers = await self._caller.ask([Call(contract, codec.DECIMALS) for contract in unknown])
        for contract, answer in zip(unknown, answers, strict=True):
            places = codec.decimals(answer)
            if places is not None:
                self._memory.places[contract] = places

    async def _learn_what(self, contracts: Sequence[str]) -> None:
        """Ask unlisted tokens what they are, once."""
        if not contracts:
            return
        questions = (codec.SYMBOL, NAME, codec.DECIMALS)
        answers = await self._caller.ask(
            [Call(contract, question) for contract in contracts for question in questions]
        )
        known = {*(token.symbol for token in self._listed.values()), self._chain.asset}
        for index, contract in enumerate(contracts):
            symbol, name, places = answers[3 * index : 3 * index + 3]
            told = codec.symbol(symbol)
            is_false = pretends(told, codec.symbol(name), known)
            self._memory.found[contract] = UnlistedToken(told, codec.decimals(places), is_false)

    def _places(self, token: Listed) -> int | None:
        if token.decimals is not None:
            return token.decimals
        return self._memory.places.get(token.contract)

    def _key(self, contract: str) -> str:
        return f"{self._chain.id}:{contract}"


def reason_of(failure: NodeRefused | ConnectorFailure) -> str:
    """Return why a part is missing; a block that the node lacks spoils more than a part.

    Raises:
        NodeRefused: the failure itself, where the node does not have the block.
    """
    if isinstance(failure, ConnectorFailure):
        return str(failure)
    if lacks_block(failure):
        raise failure
    return f"The node refused: {failure}."


def in_units(raw: int, decimals: int | None) -> Decimal | None:
    """Return a raw amount in units of the token, exactly; None where it cannot be told."""
    if decimals is None:
        return None
    try:
        return money.parse(f"{raw}E-{decimals}")
    except InvalidAmount:
        return None
