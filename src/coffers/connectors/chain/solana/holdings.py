"""What a wallet of Solana holds: coins, tokens of both programs, stakes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from coffers.connectors.chain.answers import odd_answer, together, units
from coffers.connectors.chain.listed import ListedToken, listed_on
from coffers.connectors.chain.solana import layout
from coffers.connectors.chain.solana.cluster import Cluster, FoundAccount
from coffers.connectors.chain.solana.memory import Memory
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import UNLISTED, Position

MOST_UNLISTED = 200
"""Unlisted mints that are shown; some wallets are sent thousands."""

MOST_PLACES = 77
"""Places after the point that an amount is told with. A mint may have up to 255, and with as many
all that there can be of it is nothing."""


@dataclass(frozen=True, slots=True)
class TokenHolding:
    """A token account of the wallet."""

    address: str
    mint: str
    amount: int
    lamports: int

    @property
    def deposit(self) -> int:
        """The lamports in it that are no wrapped ones: its rent."""
        is_wrapped = self.mint == layout.WRAPPED_SOL
        return max(self.lamports - self.amount, 0) if is_wrapped else self.lamports


@dataclass(slots=True)
class Holdings:
    """What was found; `missing` says which part was not, and why. `slot` is the last one seen."""

    slot: int
    tokens: tuple[TokenHolding, ...] = ()
    positions: list[Position] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)


class HoldingsReader:
    """Reads what an address owns at one moment.

    Args:
        chain: the chain, for its coin and the keys of tokens.
        cluster: whom to ask.
        memory: the notes on the wallet, which are changed.
    """

    def __init__(self, chain: Chain, cluster: Cluster, memory: Memory) -> None:
        self._chain = chain
        self._cluster = cluster
        self._memory = memory
        self._listed: Mapping[str, ListedToken] = listed_on("solana")

    async def read(self, owner: str, slot: int, lamports: int) -> Holdings:
        """Return all parts; one that fails is missing, and the others stand."""
        holdings = Holdings(slot)
        self._add(holdings, "native", [self._coin("native", lamports)])
        await together([self._tokens(owner, holdings), self._stakes(owner, slot, holdings)])
        return holdings

    async def _tokens(self, owner: str, holdings: Holdings) -> None:
        slot = holdings.slot
        try:
            answers = await together(
                [
                    self._cluster.tokens(owner, program, slot)
                    for program in (layout.TOKEN, layout.TOKEN_2022)
                ]
            )
            found = [account for answer in answers for account in answer.accounts]
            tokens = tuple(_token(account, owner) for account in found)
        except ConnectorFailure as failure:
            holdings.missing |= dict.fromkeys(("tokens", "rent", UNLISTED), str(failure))
            return
        holdings.tokens = tokens
        holdings.slot = max(slot, *(answer.slot for answer in answers))
        held = _by_mint(tokens)
        listed = {mint: raw for mint, raw in held.items() if mint in self._listed}
        self._add(holdings, "tokens", [self._listed_position(*row) for row in listed.items()])
        self._add(holdings, "rent", [self._coin("rent", sum(token.deposit for token in tokens))])
        await self._unlisted({mint: held[mint] for mint in held.keys() - listed.keys()}, holdings)

    async def _unlisted(self, held: Mapping[str, int], holdings: Holdings) -> None:
        try:
            await self._learn_places(sorted(held), holdings.slot)
        except ConnectorFailure as failure:
            holdings.missing[UNLISTED] = str(failure)
            return
        places = self._memory.places
        known = [(mint, places.get(mint)) for mint in sorted(held)]
        shown = [(mint, decimals) for mint, decimals in known if decimals is not None]
        positions = [
            Position(UNLISTED, f"{self._chain.id}:{mint}", short(mint), units(held[mint], decimals))
            for mint, decimals in shown[:MOST_UNLISTED]
        ]
        self._add(holdings, UNLISTED, positions)

    async def _learn_places(self, mints: list[str], slot: int) -> None:
        """Ask unlisted mints for their decimals, once."""
        places = self._memory.places
        for gone in places.keys() - set(mints):
            del places[gone]
        unknown = [mint for mint in mints if mint not in places][: MOST_UNLISTED - len(places)]
        for address, account in zip(
            unknown, await self._cluster.accounts(unknown, slot), strict=True
        ):
            made = None if account is None else layout.mint(account.data)
            if made is None:
                raise odd_answer("a mint")
            is_left_out = made.is_unique or made.decimals > MOST_PLACES
            places[address] = None if is_left_out else made.decimals

    async def _stakes(self, owner: str, slot: int, holdings: Holdings) -> None:
        try:
            answer = await self._cluster.stakes(owner, slot)
        except ConnectorFailure as failure:
            holdings.missing["staked"] = str(failure)
            return
        for account in answer.accounts:
            if account.program != layout.STAKE or layout.withdrawer(account.data) != owner:
                holdings.missing["staked"] = str(odd_answer("stake accounts"))
                return
        seen = {account.address for account in answer.accounts}
        self._memory.stakes = sorted(seen.union(self._memory.stakes))
        lamports = sum(account.lamports for account in answer.accounts)
        self._add(holdings, "staked", [self._coin("staked", lamports)])

    def _add(self, holdings: Holdings, part: str, positions: Iterable[Position]) -> None:
        holdings.parts.add(part)
        holdings.positions += [position for position in positions if position.free]

    def _coin(self, part: str, lamports: int) -> Position:
        asset = self._chain.asset
        return Position(part, asset, asset, units(lamports, self._chain.decimals))

    def _listed_position(self, mint: str, raw: int) -> Position:
        token = self._listed[mint]
        asset = token.asset or f"{self._chain.id}:{mint}"
        return Position("tokens", asset, token.symbol, units(raw, token.decimals))


def short(mint: str) -> str:
    """Return a mint's address as it is shown where no symbol can be trusted."""
    return f"{mint[:4]}…{mint[-4:]}"


def _by_mint(tokens: Iterable[TokenHolding]) -> dict[str, int]:
    held: dict[str, int] = {}
    for token in tokens:
        if token.amount:
            held[token.mint] = held.get(token.mint, 0) + token.amount
    return held


def _token(account: FoundAccount, owner: str) -> TokenHolding:
    """Return a token account, after making sure that it is one and the owner's."""
    held = layout.token_account(account.data)
    is_program = account.program in {layout.TOKEN, layout.TOKEN_2022}
    if held is None or held.owner != owner or not is_program:
        raise odd_answer("token accounts")
    return TokenHolding(account.address, held.mint, held.amount, account.lamports)
