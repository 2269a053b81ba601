"""A source that is asked over the web, behind its limiter."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coffers.clock import Clock, Millis
from coffers.pricing.sources.dialect import Dialect
from coffers.pricing.sources.limiter import Limiter
from coffers.pricing.sources.source import SourceFailure, Told
from coffers.pricing.sources.web import Web


class WebSource:
    """A `FallbackSource` that speaks a dialect. At most one call goes out for each `prices`."""

    def __init__(self, dialect: Dialect, web: Web, clock: Clock) -> None:
        self._dialect = dialect
        self._web = web
        self._clock = clock
        self._limiter = Limiter(dialect.pace, clock)

    @property
    def name(self) -> str:
        """What the source is called."""
        return self._dialect.name

    @property
    def lasts(self) -> Millis:
        """The age up to which what it told counts."""
        return self._dialect.lasts

    async def prices(self, assets: Sequence[str]) -> Mapping[str, Told]:
        """Return what the source tells anew, nothing while it must not be asked.

        Raises:
            SourceFailure: when it gave no usable answer; it is then left alone for a while.
        """
        known = [asset for asset in assets if self._dialect.knows(asset)][: self._dialect.most]
        if not known or not self._limiter.may_ask():
            return {}
        self._limiter.count()
        try:
            told = await self._ask(known)
        except SourceFailure as failure:
            self._limiter.failed(failure.retry_after)
            raise
        self._limiter.succeeded()
        return told

    async def _ask(self, assets: Sequence[str]) -> Mapping[str, Told]:
        dialect = self._dialect
        answer = await self._web.get(dialect.name, dialect.host, dialect.target(assets))
        now = self._clock.now()
        # A source whose clock is ahead must not make a price younger than it is.
        return {
            asset: replace(told, at=min(told.at, now))
            for asset, told in dialect.told(answer, assets).items()
        }
