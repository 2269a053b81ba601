"""A source that is asked over the web, behind its limiter."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from coffers.clock import DAY, MINUTE, Clock, Millis, is_recent
from coffers.pricing.sources.dialect import Dialect
from coffers.pricing.sources.limiter import Limiter
from coffers.pricing.sources.source import SourceFailure, SourcePrice
from coffers.pricing.sources.web import Web


@dataclass(frozen=True, slots=True)
class _Silence:
    """How often in a row nothing was told of an asset, and how long it is not asked for since."""

    times: int
    since: Millis
    wait: Millis


class WebSource:
    """A `FallbackSource` that speaks a dialect. At most one call goes out for each `prices`.

    What the source tells nothing of is asked for again after a minute, two, four and so on up to a
    day. Where a call cannot name all, those that were told before have every other place, so that
    hundreds of tokens that nobody prices take no price away; of the others those go first that were
    asked for in vain the fewest times.
    """

    def __init__(self, dialect: Dialect, web: Web, clock: Clock) -> None:
        self._dialect = dialect
        self._web = web
        self._clock = clock
        self._limiter = Limiter(dialect.pace, clock)
        self._silent: dict[str, _Silence] = {}
        self._failure: str | None = None
        self._begins_with_told = True

    @property
    def name(self) -> str:
        """What the source is called."""
        return self._dialect.name

    @property
    def lasts(self) -> Millis:
        """The age up to which what it told counts."""
        return self._dialect.lasts

    @property
    def passes_on(self) -> str | None:
        """The source whose word some of what it tells is."""
        return self._dialect.passes_on

    async def prices(
        self, assets: Sequence[str], told: Collection[str] = ()
    ) -> Mapping[str, SourcePrice]:
        """Return what the source tells anew, nothing while it must not be asked.

        Raises:
            SourceFailure: when it gave no usable answer; it is then left alone for a while, in
                which each round that would ask it has that failure again.
        """
        known = [asset for asset in assets if self._dialect.knows(asset) and self._may_tell(asset)]
        asked = self._in_turn(known, told)[: self._dialect.most]
        if not asked:
            return {}
        if not self._limiter.may_ask():
            if self._failure is not None:
                # Else one that is down for a day would be seen to fail once an hour.
                raise SourceFailure(self._failure)
            return {}
        self._limiter.count()
        self._begins_with_told = not self._begins_with_told
        try:
            anew = await self._ask(asked)
        except SourceFailure as failure:
            self._limiter.failed(failure.retry_after)
            self._failure = str(failure)
            raise
        self._limiter.succeeded()
        self._failure = None
        self._note_silent(asked, anew)
        return anew

    def _in_turn(self, assets: Sequence[str], told: Collection[str]) -> list[str]:
        before = [asset for asset in assets if asset in told]
        others = [asset for asset in assets if asset not in told]
        others.sort(key=self._times_silent)
        queues = (before, others) if self._begins_with_told else (others, before)
        return [asset for turn in zip_longest(*queues) for asset in turn if asset is not None]

    def _times_silent(self, asset: str) -> int:
        silence = self._silent.get(asset)
        return 0 if silence is None else silence.times

    def _may_tell(self, asset: str) -> bool:
        silence = self._silent.get(asset)
        return silence is None or not is_recent(silence.since, silence.wait, self._clock.now())

    def _note_silent(self, asked: Sequence[str], told: Mapping[str, SourcePrice]) -> None:
        for asset in asked:
            before = self._silent.pop(asset, None)
            if asset not in told:
                times = 0 if before is None else before.times
                wait = Millis(min(MINUTE << min(times, 16), DAY))
                self._silent[asset] = _Silence(times + 1, self._clock.now(), wait)

    async def _ask(self, assets: Sequence[str]) -> Mapping[str, SourcePrice]:
        dialect = self._dialect
        answer = await self._web.get(dialect.name, dialect.host, dialect.target(assets))
        now = self._clock.now()
        # A source whose clock is ahead must not make a price younger than it is. One that is too
        # old to count is none: else the source would be asked for it at every turn.
        return {
            asset: replace(told, at=min(told.at, now))
            for asset, told in dialect.told(answer, assets).items()
            if now - told.at <= dialect.lasts
        }
