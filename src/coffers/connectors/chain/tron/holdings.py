"""What an address of Tron holds: coins, stakes, rewards and tokens."""

from collections.abc import Mapping

from coffers.connectors.chain.answers import together, units
from coffers.connectors.chain.holdings import Holdings
from coffers.connectors.chain.listed import ListedToken, listed_on
from coffers.connectors.chain.spam import APART
from coffers.connectors.chain.tron.memory import Memory
from coffers.connectors.chain.tron.node import Account, Node
from coffers.connectors.chain.tron.unlisted import shown, unlisted_positions
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import Position

TRIES = 3
"""How often an account is read that moves something between its parts meanwhile."""


class HoldingsReader:
    """Reads what an address owns.

    Args:
        chain: the chain, for its coin and the keys of tokens.
        node: whom to ask.
        memory: the notes on the wallet, which are changed.
    """

    def __init__(self, chain: Chain, node: Node, memory: Memory) -> None:
        self._chain = chain
        self._node = node
        self._memory = memory
        self._listed: Mapping[str, ListedToken] = listed_on("tron")

    async def read(self, address: str) -> Holdings | None:
        """Return all parts, None where the account would not stand still; some may be missing.

        Raises:
            ConnectorFailure: when the account itself could not be read.
        """
        account = await self._node.account(address)
        for _ in range(TRIES):
            holdings = await self._around(address, account)
            now = await self._node.account(address)
            if now == account:
                return holdings
            account = now
        return None

    async def _around(self, address: str, account: Account | None) -> Holdings:
        holdings = Holdings()
        known = account or Account(address)
        holdings.add("native", [self._coin("native", known.balance)])
        # Not activated, an address has no stakes and no rewards; tokens it can have.
        if account is None:
            holdings.add("staked", [])
        else:
            await self._staked(account, holdings)
        await together([self._tokens(address, holdings), self._unlisted(known, holdings)])
        return holdings

    async def _staked(self, account: Account, holdings: Holdings) -> None:
        try:
            reward = await self._node.reward(account.address)
        except ConnectorFailure as failure:
            holdings.missing["staked"] = str(failure)
            return
        holdings.add("staked", [self._coin("staked", account.staked + reward)])

    async def _tokens(self, address: str, holdings: Holdings) -> None:
        try:
            raw = await together(
                [self._node.balance_of(contract, address) for contract in self._listed]
            )
        except ConnectorFailure as failure:
            holdings.missing["tokens"] = str(failure)
            return
        rows = zip(self._listed.values(), raw, strict=True)
        holdings.add("tokens", [self._listed_position(token, amount) for token, amount in rows])

    async def _unlisted(self, account: Account, holdings: Holdings) -> None:
        try:
            found = await unlisted_positions(
                account.address, account, self._listed, self._node, self._memory
            )
        except ConnectorFailure as failure:
            holdings.missing |= dict.fromkeys(APART, str(failure))
            return
        apart = shown(found, self._memory, self._chain)
        for part in APART:
            holdings.add(part, [each for each in apart if each.wallet == part])

    def _coin(self, part: str, sun: int) -> Position:
        asset = self._chain.asset
        return Position(part, asset, asset, units(sun, self._chain.decimals))

    def _listed_position(self, token: ListedToken, raw: int) -> Position:
        asset = token.asset or f"{self._chain.id}:{token.contract}"
        return Position("tokens", asset, token.symbol, units(raw, token.decimals))
