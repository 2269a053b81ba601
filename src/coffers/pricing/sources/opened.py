"""The sources that the settings allow, opened for a worker and closed at its end."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from coffers.clock import Clock
from coffers.pricing.fallbacks import Fallbacks
from coffers.pricing.sources.asked import WebSource
from coffers.pricing.sources.coingecko import CoinGecko
from coffers.pricing.sources.coingecko_tokens import CoinGeckoTokens
from coffers.pricing.sources.defillama import DefiLlama
from coffers.pricing.sources.dialect import Dialect
from coffers.pricing.sources.frankfurter import Frankfurter
from coffers.pricing.sources.web import Web

LONGEST_CALL = 5.0
"""Seconds that a source may take: a price book waits for it."""

DIALECTS: Mapping[str, Sequence[Callable[[], Dialect]]] = {
    "coingecko": (CoinGecko, CoinGeckoTokens),
    "defillama": (DefiLlama,),
    "frankfurter": (Frankfurter,),
}
"""How each source is asked; all ways of one are one source in prices."""


@asynccontextmanager
async def opened_fallbacks(
    names: Sequence[str], gateway: str | None, clock: Clock
) -> AsyncIterator[Fallbacks]:
    """Open the named sources, the first of which counts most where two contradict each other.

    Without names nothing outside is ever asked.
    """
    if not names:
        yield Fallbacks((), clock)
        return
    web = Web(gateway, LONGEST_CALL, clock)
    try:
        sources = [WebSource(way(), web, clock) for name in names for way in DIALECTS[name]]
        yield Fallbacks(sources, clock)
    finally:
        await web.close()
