"""CoinGecko's `/simple/token_price`: what a token is worth, by its chain and contract.

Documented at https://docs.coingecko.com/v3.0.1/reference/simple-token-price. CoinGecko lists a
contract after somebody looked at it. Without a key one call may name one contract, so tokens take
turns; together with the calls for the table of coins these stay below five a minute. Unlike those,
such a call tells that somebody holds the token.
"""

from collections.abc import Mapping, Sequence

from coffers.clock import HOUR, SECOND, Millis
from coffers.markets.assets import token_of
from coffers.pricing.sources.coins import is_coin_key
from coffers.pricing.sources.dialect import fields_of, told_of
from coffers.pricing.sources.limiter import Pace
from coffers.pricing.sources.source import SourcePrice

PLATFORMS = {
    "ethereum": "ethereum",
    "bsc": "binance-smart-chain",
    "polygon": "polygon-pos",
    "arbitrum": "arbitrum-one",
    "optimism": "optimistic-ethereum",
    "base": "base",
    "avalanche": "avalanche",
    "gnosis": "xdai",
    "scroll": "scroll",
    "linea": "linea",
    "solana": "solana",
    "tron": "tron",
}
"""What CoinGecko calls the chains."""


class CoinGeckoTokens:
    """How CoinGecko is asked for a token; in prices it is one source with `CoinGecko`."""

    name = "coingecko"
    host = "api.coingecko.com"
    pace = Pace(per_minute=3, apart=Millis(20 * SECOND))
    lasts: Millis = HOUR
    most = 1
    passes_on = None

    def knows(self, asset: str) -> bool:
        """Tell whether the asset is a token by its contract on one of the chains."""
        token = token_of(asset)
        return token is not None and not is_coin_key(asset) and token[0] in PLATFORMS

    def target(self, assets: Sequence[str]) -> str:
        """Return the question for the first of the assets."""
        chain, contract = _token(assets[0])
        return (
            f"/api/v3/simple/token_price/{PLATFORMS[chain]}?contract_addresses={contract}"
            "&vs_currencies=usd&include_last_updated_at=true&precision=full"
        )

    def told(self, answer: object, assets: Sequence[str]) -> Mapping[str, SourcePrice]:
        """Return what the answer says of the assets."""
        # The letters of addresses of Ethereum's kind come back as CoinGecko writes them.
        tokens = {key.lower(): entry for key, entry in fields_of(answer, self.name).items()}
        found = {
            asset: told_of(tokens.get(_token(asset)[1].lower()), "usd", "last_updated_at")
            for asset in assets
        }
        return {asset: told for asset, told in found.items() if told is not None}


def _token(asset: str) -> tuple[str, str]:
    return token_of(asset) or ("", asset)
