"""What an address of a Cosmos chain holds: coins, tokens, stakes and rewards, at one height."""

from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from coffers.connectors.chain.answers import odd_answer, together
from coffers.connectors.chain.cosmos.denoms import MOST, known, known_on, learn, unlisted
from coffers.connectors.chain.cosmos.lcd import Coin, Lcd
from coffers.connectors.chain.holdings import Holdings
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain
from coffers.valuation.model import Position


@dataclass(frozen=True, slots=True)
class HoldingsReader:
    """Reads what an address owns at a height; `origins` of tokens are changed."""

    chain: Chain
    lcd: Lcd
    height: int
    origins: dict[str, str]

    async def read(self, address: str) -> Holdings:
        """Return all parts; stakes or rewards may be missing.

        Raises:
            ConnectorFailure: when the balances could not be read.
        """
        holdings = Holdings()
        coins = await self.lcd.balances(address, self.height, known_on(self.chain))
        await self._add_balances(_sums(coins), holdings)
        staked, rewards = self._staked(address), self._rewards(address)
        await together(
            [_part("staked", staked, holdings), _part("rewards", rewards, holdings)],
        )
        return holdings

    async def _add_balances(self, raw: dict[str, int], holdings: Holdings) -> None:
        own = str(self.chain.parameters["denom"])
        others = sorted(raw.keys() - {own})
        apart = [denom for denom in others if known(denom, self.chain) is None][:MOST]
        await learn(apart, self.lcd, self.origins)
        holdings.add("native", self._positions("native", {own: raw.get(own, 0)}))
        holdings.add("tokens", self._positions("tokens", {each: raw[each] for each in others}))
        holdings.add("spam", [self._apart(denom, raw[denom]) for denom in apart])

    async def _staked(self, address: str) -> list[Position]:
        """Return what is staked and what waits for its release; that is all of the own coin."""
        staked = await self.lcd.delegations(address, self.height)
        leaving = await self.lcd.unbondings(address, self.height)
        own = str(self.chain.parameters["denom"])
        if any(each.balance.denom != own for each in staked):
            raise odd_answer("stakes")
        raw = sum(int(each.balance.amount) for each in staked)
        raw += sum(int(entry.balance) for each in leaving for entry in each.entries)
        return self._positions("staked", {own: raw})

    async def _rewards(self, address: str) -> list[Position]:
        """Return what a claim would pay: each validator pays whole units."""
        owed = await self.lcd.rewards(address, self.height)
        coins = [
            Coin(coin.denom, coin.amount.partition(".")[0]) for each in owed for coin in each.reward
        ]
        return self._positions("rewards", _sums(coins))

    def _positions(self, part: str, raw: dict[str, int]) -> list[Position]:
        """Return positions of the tokens that are known."""
        positions = []
        for denom, amount in sorted(raw.items()):
            told = known(denom, self.chain)
            if told is not None:
                positions.append(Position(part, told.asset, told.symbol, told.amount(amount)))
        return positions

    def _apart(self, denom: str, raw: int) -> Position:
        told = unlisted(denom, self.chain, self.origins)
        return Position("spam", told.asset, told.symbol, told.amount(raw))


async def _part(name: str, read: Coroutine[Any, Any, list[Position]], holdings: Holdings) -> None:
    try:
        holdings.add(name, await read)
    except ConnectorFailure as failure:
        holdings.missing[name] = str(failure)


def _sums(coins: Iterable[Coin]) -> dict[str, int]:
    raw: dict[str, int] = {}
    for coin in coins:
        raw[coin.denom] = raw.get(coin.denom, 0) + int(coin.amount)
    return raw
