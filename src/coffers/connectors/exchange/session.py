"""A talk with one venue on behalf of one credential: every call ends in an answer or a failure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coffers.clock import Clock, Millis
from coffers.connectors.exchange.client import NOTHING_HEARD, Heard, heard_by
from coffers.connectors.exchange.failures import Venue, failure_of, was_unsent
from coffers.connectors.exchange.symbols import asset_of
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.logs import logger

_log = logger("coffers.connectors")


@dataclass(slots=True)
class VenueSession:
    """Holds a ccxt instance that nobody else uses; its calls follow one another, never overlap.

    `prototype` is the venue's shared instance: a clock that was found off is set there too.
    `hidden` are texts that no message may show. `raised` has the names of the exception that the
    last call ended in, and of those that it derives from; `is_unsent` says that the library itself
    refused that call, before anything left this server.
    """

    venue: Venue
    exchange: Any
    prototype: Any
    clock: Clock
    hidden: Sequence[str] = field(default=(), repr=False)
    raised: frozenset[str] = frozenset()
    is_unsent: bool = False

    async def ask(self, method: str, *args: object) -> Any:  # noqa: ANN401  # ccxt has no types
        """Call a method of ccxt; when the venue finds the time off, set the clock and ask again.

        Raises:
            ConnectorFailure: when no answer came that ccxt could read.
        """
        try:
            return await self.ask_once(method, *args)
        except ConnectorFailure as failure:
            if failure.kind is not FailureKind.CLOCK_DRIFT:
                raise
        await self._set_clock()
        return await self.ask_once(method, *args)

    def failure(self, error: BaseException) -> ConnectorFailure:
        """Return what an exception means, in the light of the last answer."""
        heard = heard_by(error, self.heard)
        return failure_of(error, self.venue, heard, self.clock.now(), self.hidden)

    @property
    def heard(self) -> Heard:
        """What the venue answered last."""
        heard: Heard = self.exchange.heard
        return heard

    def can(self, method: str) -> bool:
        """Return whether ccxt offers a call, by its unified name ("fetchDeposits")."""
        return bool(self.exchange.has.get(method))

    def asset(self, code: str) -> str:
        """Return our name of an asset."""
        return asset_of(self.venue.family, code, self.exchange.currencies)

    def venue_code(self, code: str) -> str:
        """Return the venue's own name of what ccxt calls `code`; the same where it has none."""
        currency = self.exchange.currencies.get(code) or {}
        return str(currency.get("id") or code)

    def code(self, venue_code: str) -> str:
        """Return what ccxt calls an asset that the venue calls so."""
        return str(self.exchange.safe_currency_code(venue_code))

    @property
    def clock_ahead(self) -> int:
        """How many milliseconds our clock is ahead of the venue's, as far as it was found out."""
        return int(self.exchange.options.get("timeDifference") or 0)

    def now(self) -> Millis:
        """Return the present moment."""
        return self.clock.now()

    async def ask_once(self, method: str, *args: object) -> Any:  # noqa: ANN401  # as in `ask`
        """Call a method of ccxt, once: what changes something must not be sent twice unasked.

        Raises:
            ConnectorFailure: as `ask`; `raised` has the names of what ccxt raised, and `is_unsent`
                tells whether it was sent at all.
        """
        self.raised, self.is_unsent = frozenset(), False
        self.exchange.heard = NOTHING_HEARD
        try:
            return await getattr(self.exchange, method)(*args)
        except Exception as error:  # noqa: BLE001  # ccxt raises anything; here it gets its kind
            failure = self.failure(error)
            self.raised = frozenset(cls.__name__ for cls in type(error).__mro__)
            self.is_unsent = was_unsent(error, heard_by(error, self.heard))
            _log.debug(
                "call failed",
                venue=self.venue.id,
                method=method,
                kind=failure.kind.value,
                code=failure.code,
                error=type(error).__name__,
            )
            raise failure from None

    async def _set_clock(self) -> None:
        if "adjustForTimeDifference" not in self.exchange.options or not self.can("fetchTime"):
            return
        await self.ask_once("load_time_difference")
        self.prototype.options["timeDifference"] = self.exchange.options["timeDifference"]
