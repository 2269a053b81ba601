"""DefiLlama's `/prices/current`: what a token is worth, by its chain and contract.

Documented at https://api-docs.defillama.com. An asset of ours that is a token without a symbol that
can be trusted is named `chain:address` ("ethereum:0xdac1..."), as DefiLlama names it; a coin of the
table is asked for by CoinGecko's id, which DefiLlama knows as `coingecko:id`.

Much of what it tells is CoinGecko's word. It keeps CoinGecko's price of every id with a confidence
of 0.99, and for every contract that CoinGecko lists it points there, unless it has a price with
more confidence (`coins/src/scripts/coingecko.ts` in its repository, DefiLlama/defillama-server). An
answer tells the confidence of the price that was pointed to. So one of its own is above that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from coffers.clock import HOUR, SECOND, Millis
from coffers.markets.assets import token_of
from coffers.pricing.sources.coins import KEY, coin_ids
from coffers.pricing.sources.dialect import fields_of, told_of, worth_of
from coffers.pricing.sources.limiter import Pace
from coffers.pricing.sources.source import SourcePrice

CHAINS = {"avalanche": "avax", "gnosis": "xdai"}
"""Chains that DefiLlama knows under another name than we do."""

LEAST_CONFIDENCE = Decimal("0.8")
"""DefiLlama says from 0 to 1 how far it trusts a price; what is below tells none."""

COINGECKOS = Decimal("0.99")
"""What is trusted no more than this may be CoinGecko's price."""


class DefiLlama:
    """How DefiLlama is asked: for the assets that are wanted, which it thereby learns of."""

    name = "defillama"
    host = "coins.llama.fi"
    pace = Pace(per_minute=30, apart=Millis(20 * SECOND))
    lasts: Millis = HOUR
    most = 60
    passes_on = "coingecko"

    def knows(self, asset: str) -> bool:
        """Tell whether the asset is a token by its contract, or a coin of the table."""
        return asset in coin_ids() or token_of(asset) is not None

    def target(self, assets: Sequence[str]) -> str:
        """Return the question: up to 6 KB long."""
        return f"/prices/current/{','.join(map(_key, assets))}?searchWidth=1h"

    def told(self, answer: object, assets: Sequence[str]) -> Mapping[str, SourcePrice]:
        """Return what the answer says of the assets."""
        coins = fields_of(answer, self.name, "coins")
        keys = {asset: _key(asset) for asset in assets}
        found = {asset: _told(key, coins.get(key)) for asset, key in keys.items()}
        return {asset: told for asset, told in found.items() if told is not None}


def _key(asset: str) -> str:
    coin, token = coin_ids().get(asset), token_of(asset)
    if coin is not None:
        return f"coingecko:{coin}"
    if token is None:
        return asset
    chain, contract = token
    if chain == "cardano":
        # There is no dot there between a policy and a name.
        contract = contract.replace(".", "")
    return f"{CHAINS.get(chain, chain)}:{contract}"


def _told(key: str, entry: object) -> SourcePrice | None:
    if not isinstance(entry, dict):
        return None
    confidence = worth_of(entry.get("confidence"))
    if confidence is None or confidence < LEAST_CONFIDENCE:
        return None
    told = told_of(entry, "price", "timestamp")
    is_own = confidence > COINGECKOS and not key.startswith(KEY)
    return told if told is None or is_own else replace(told, of=DefiLlama.passes_on)
