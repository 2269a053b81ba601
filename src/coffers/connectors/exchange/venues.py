"""All venues of ccxt, each made once and shared by every account that is read there."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from coffers.clock import Clock, Millis
from coffers.connectors.exchange.candles import read_past_quotes
from coffers.connectors.exchange.client import NOTHING_HEARD, Listening
from coffers.connectors.exchange.entering import entering
from coffers.connectors.exchange.failures import failure_of
from coffers.connectors.exchange.library import ccxt
from coffers.connectors.exchange.listing import pairs_of
from coffers.connectors.exchange.networks import currencies_of
from coffers.connectors.exchange.quotes import read_quotes
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.shared import MARKETS_AGE, SharedVenue
from coffers.connectors.exchange.throttle import shared_throttler
from coffers.connectors.listings import Listed
from coffers.connectors.reading import ConnectorFailure, Credentials, FailureKind
from coffers.markets.quote import Quote
from coffers.memory import resettle
from coffers.valkey.server import SharedServer

RENAMED = {"huobi": "htx", "okex": "okx", "gateio": "gate", "coinbasepro": "coinbaseexchange"}
"""Names that ccxt had once, and what it calls the venue now."""

# Else Binance's market table asks signed endpoints too, and each reading of positions a table of
# margins, of which nothing is kept here.
_BINANCE_OPTIONS: dict[str, object] = {
    "fetchCurrencies": False,
    "fetchMargins": False,
    "leverageBrackets": {},
}
_BINANCE_SPOT = {"fetchMarkets": {"types": ["spot"]}}
"""Else the table holds futures too, which the library has as venues of their own."""
_BITFINEX_COLLATERAL = {"USTF0": "USDTF0", "EUTF0": "EURTF0"}
"""Else collateral of derivatives gets the code of what is no collateral, and in a balance one of
the two takes the other's place. The library cuts F0 off where it names markets."""


def family_of(name: str) -> tuple[str, ...]:
    """Return a venue's ccxt id and those of the classes that it derives from, the nearest first."""
    classes = getattr(ccxt, RENAMED.get(name, name)).__mro__
    return tuple(cls.__name__ for cls in classes if cls.__name__ in ccxt.exchanges)


class Venues:
    """Gives out sessions with venues; holds what they share. Belongs to one event loop.

    Args:
        gateway: where all calls go instead, as `<gateway>/<ccxt id>/<host><path>`; None for the
            venues themselves.
        timeout: seconds that one HTTP call may take.
        clock: the time.
        server: where processes share the pace at which each venue is asked; None to keep it alone.
        is_paced: whether calls keep to the venue's pace; not needed where it is simulated.
        markets_age: the age at which a venue's market table is loaded anew.
    """

    def __init__(
        self,
        gateway: str | None,
        timeout: float,
        clock: Clock,
        server: SharedServer | None = None,
        *,
        is_paced: bool = True,
        markets_age: Millis = MARKETS_AGE,
    ) -> None:
        self._gateway = gateway
        self._timeout = timeout
        self._clock = clock
        self._server = server
        self._is_paced = is_paced
        self._markets_age = markets_age
        self._shared: dict[str, SharedVenue] = {}
        # At debug level ccxt logs every request with its key and its signature.
        logging.getLogger("ccxt").setLevel(logging.WARNING)

    async def quotes(self, venue: str) -> list[Quote]:
        """Return the spot tickers of a venue, from one call.

        Raises:
            ConnectorFailure: when the venue gave none.
        """
        async with self.session(venue) as session:
            return await read_quotes(session)

    async def past_quotes(self, venue: str, asset: str, at: Millis) -> list[Quote]:
        """Return what the venue's candles say of an asset's pairs at a past moment.

        Raises:
            ConnectorFailure: when the venue gave no usable answer.
        """
        async with self.session(venue) as session:
            return await read_past_quotes(session, asset, at)

    async def listed(self, venue: str, oldest: Millis) -> Listed:
        """Return what a venue lists, not older than a moment.

        Raises:
            ConnectorFailure: when the venue did not tell it.
        """
        shared = self._of(venue)
        with _lent(shared):
            await shared.renew(oldest)
            # A table of some thousand pairs takes a tenth of a second: other readings go on.
            return await asyncio.to_thread(_listed, shared)

    def is_open(self, venue: str) -> bool:
        """Return whether something of a venue is held."""
        return RENAMED.get(venue, venue) in self._shared

    async def let_go(self, venue: str) -> None:
        """Give back what is held of a venue, unless somebody uses it now."""
        shared = self._shared.get(RENAMED.get(venue, venue))
        if shared is not None and not shared.lent:
            del self._shared[RENAMED.get(venue, venue)]
            await shared.close()
            del shared
            resettle()

    @asynccontextmanager
    async def session(
        self, venue: str, credentials: Credentials | None = None
    ) -> AsyncIterator[VenueSession]:
        """Lend a session on a fresh instance.

        Whatever is raised within, by ccxt or over what it returned, leaves as a
        `ConnectorFailure`; only a cancellation passes as it is.
        """
        shared = self._of(venue)
        with _lent(shared):
            await shared.ready()
            session = self._opened(shared, credentials)
            try:
                yield session
            except Exception as error:  # noqa: BLE001  # the connector's edge: all becomes one type
                raise session.failure(error) from None
            finally:
                await session.exchange.close()

    async def close(self) -> None:
        """Give back every connection."""
        while self._shared:
            _, shared = self._shared.popitem()
            await shared.close()

    def _opened(self, shared: SharedVenue, credentials: Credentials | None) -> VenueSession:
        try:
            return shared.session(credentials)
        except Exception as error:  # noqa: BLE001  # the same edge: ccxt's constructors fail too
            raise failure_of(error, shared.venue, NOTHING_HEARD, self._clock.now()) from None

    def _of(self, venue: str) -> SharedVenue:
        name = RENAMED.get(venue, venue)
        if name not in ccxt.exchanges:
            raise ConnectorFailure(
                FailureKind.UNSUPPORTED,
                f"The exchange library knows no venue named {venue!r}.",
                code="unknown_venue",
            )
        if name not in self._shared:
            self._shared[name] = self._new(name)
        return self._shared[name]

    def _new(self, name: str) -> SharedVenue:
        base, family = getattr(ccxt, name), family_of(name)
        listening = type(name, (Listening, *entering(name), base), {"clock": self._clock})

        def make(parts: dict[str, object]) -> Any:  # noqa: ANN401  # ccxt has no types
            config = {
                "number": str,
                "enableRateLimit": self._is_paced,
                "timeout": self._timeout * 1000,
            }
            exchange = listening({**config, **parts})
            exchange.gateway = self._gateway
            _configure(exchange, family)
            return exchange

        shared = SharedVenue(make, family, self._clock, self._markets_age)
        if self._server is not None:
            own = shared.prototype.throttler
            shared.prototype.throttler = shared_throttler(
                self._server, name, self._gateway, own.config
            )
        return shared


@contextmanager
def _lent(shared: SharedVenue) -> Iterator[None]:
    shared.lent += 1
    try:
        yield
    finally:
        shared.lent -= 1


def _listed(shared: SharedVenue) -> Listed:
    exchange = shared.prototype
    return Listed(
        tuple(pairs_of(exchange)), tuple(currencies_of(exchange.currencies)), shared.loaded_at
    )


def _configure(exchange: Any, family: tuple[str, ...]) -> None:  # noqa: ANN401  # ccxt has no types
    if "adjustForTimeDifference" in exchange.options:
        exchange.options["adjustForTimeDifference"] = True
    if "builderFee" in exchange.options:
        # Else Aster and GRVT approve a broker's fee for the account before they read its balance.
        exchange.options.update(builderFee=False, approvedBuilderFee=True)
    # ccxt reckons with it as a float, which exact numbers are not; its own default is the same.
    exchange.options.pop("accessTokenRefreshRatio", None)
    if "binance" in family:
        exchange.options.update(_BINANCE_OPTIONS)
        if exchange.has.get("spot"):
            exchange.options.update(_BINANCE_SPOT)
    if "bitfinex" in family:
        exchange.commonCurrencies.update(_BITFINEX_COLLATERAL)
    if exchange.has.get("spot") and exchange.options.get("defaultType"):
        exchange.options["defaultType"] = "spot"
    # On close ccxt waits so long for connections; here they are shared and stay open.
    exchange.timeout_on_exit = 0
