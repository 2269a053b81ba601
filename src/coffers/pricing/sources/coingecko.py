"""CoinGecko's `/simple/price`: what a coin is worth, by its id there.

Documented at https://docs.coingecko.com/v3.0.1/reference/simple-price. Without a key it allows 5 to
15 calls a minute, and its prices are a minute old.
"""

from collections.abc import Mapping, Sequence

from coffers.clock import HOUR, MINUTE, Millis
from coffers.pricing.sources.coins import coin_ids
from coffers.pricing.sources.dialect import fields_of, told_of
from coffers.pricing.sources.limiter import Pace
from coffers.pricing.sources.source import Told


class CoinGecko:
    """How CoinGecko is asked.

    Every call asks for the whole table of coins, one of which is wanted: so the question is always
    the same, and tells nothing about what somebody holds.
    """

    name = "coingecko"
    host = "api.coingecko.com"
    pace = Pace(per_minute=5, apart=MINUTE)
    lasts: Millis = HOUR
    most = len(coin_ids())

    def knows(self, asset: str) -> bool:
        """Tell whether the asset is in the table."""
        return asset in coin_ids()

    def target(self, assets: Sequence[str]) -> str:  # noqa: ARG002 - the same for all, on purpose
        """Return the one question that is asked: 3 KB long."""
        ids = ",".join(coin_ids().values())
        return (
            f"/api/v3/simple/price?ids={ids}&vs_currencies=usd"
            "&include_last_updated_at=true&precision=full"
        )

    def told(self, answer: object, assets: Sequence[str]) -> Mapping[str, Told]:
        """Return what the answer says of the assets."""
        coins = fields_of(answer, self.name)
        found = {
            asset: told_of(coins.get(coin_ids()[asset]), "usd", "last_updated_at")
            for asset in assets
        }
        return {asset: told for asset, told in found.items() if told is not None}
