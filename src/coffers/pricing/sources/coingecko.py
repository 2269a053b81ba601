"""CoinGecko's `/simple/price`: what a coin is worth, by its id there.

Documented at https://docs.coingecko.com/v3.0.1/reference/simple-price. Without a key it allows 5 to
15 calls a minute, and its prices are a minute old.
"""

from collections.abc import Mapping, Sequence

from coffers.clock import HOUR, MINUTE, Millis
from coffers.pricing.sources.coins import coin_id, coin_ids, is_coin_key
from coffers.pricing.sources.dialect import fields_of, told_of
from coffers.pricing.sources.limiter import Pace
from coffers.pricing.sources.source import SourcePrice

MOST_GIVEN = 60
"""Ids beside the table that one question holds: about 1 KB."""


class CoinGecko:
    """How CoinGecko is asked.

    Every call asks for the whole table of coins, one of which is wanted: so the question is always
    the same, and tells nothing about what somebody holds. It only grows by the ids that users gave
    for assets of theirs, `MOST_GIVEN` at a time.
    """

    name = "coingecko"
    host = "api.coingecko.com"
    pace = Pace(per_minute=5, apart=MINUTE)
    lasts: Millis = HOUR
    most = len(coin_ids())
    passes_on = None

    def knows(self, asset: str) -> bool:
        """Tell whether the asset is in the table, or named by an id."""
        return coin_id(asset) is not None

    def target(self, assets: Sequence[str]) -> str:
        """Return the question: 3 KB long without ids that users gave."""
        given = [asset for asset in assets if is_coin_key(asset)][:MOST_GIVEN]
        ids = ",".join(dict.fromkeys((*coin_ids().values(), *map(str, map(coin_id, given)))))
        return (
            f"/api/v3/simple/price?ids={ids}&vs_currencies=usd"
            "&include_last_updated_at=true&precision=full"
        )

    def told(self, answer: object, assets: Sequence[str]) -> Mapping[str, SourcePrice]:
        """Return what the answer says of the assets."""
        coins = fields_of(answer, self.name)
        found = {
            asset: told_of(coins.get(coin_id(asset) or ""), "usd", "last_updated_at")
            for asset in assets
        }
        return {asset: told for asset, told in found.items() if told is not None}
