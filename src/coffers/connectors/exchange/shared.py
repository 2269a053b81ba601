"""What all readings of one venue share: its market table, its throttler and its HTTP session.

A market table takes 5 to 20 MB and seconds to load, so it is loaded once, on a prototype that
never holds a credential. Every reading gets an instance of its own: swapping credentials on a
shared one can sign for the wrong account at any await. Throttler and SSL context are attributes
that ccxt does not document; a test holds them to ccxt 4.5.90.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from coffers.clock import DAY, MINUTE, Clock, Millis, is_ahead, is_recent
from coffers.connectors.exchange.blank import Blank
from coffers.connectors.exchange.credentials import hidden_texts, set_credentials
from coffers.connectors.exchange.failures import Venue, unexpected
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure, Credentials, FailureKind
from coffers.logs import seldom
from coffers.memory import settle

MARKETS_AGE = DAY
"""Age at which a market table is loaded anew, unless said otherwise."""

MARKETS_RETRY = Millis(10 * MINUTE)
"""The pause after a failed refresh, during which the old table stays in use."""

LEU, RONIN = "RON", "RONIN"
"""The code of Romania's money, which is a coin's symbol at most venues, and what that coin is
called here, as at Binance, which has both."""

SHARED_OPTIONS = frozenset({"timeDifference", "networkNamesByChainIds", "networkChainIdsByNames"})
"""What ccxt keeps with its settings once it has the time or the market table.

Without HTX's table of networks it raises at the first deposit or withdrawal.
"""

Maker = Callable[[dict[str, object]], Any]
"""Makes a ccxt instance, with some of its parts given."""

_log = seldom("coffers.connectors")


class SharedVenue:
    """One venue's prototype, and the instances that share its parts.

    `loaded_at` is the age of its market table, 0 without one; `lent` how many use it now.
    """

    def __init__(
        self, make: Maker, family: tuple[str, ...], clock: Clock, markets_age: Millis
    ) -> None:
        self._clock = clock
        self._markets_age = markets_age
        self.prototype = make({})
        # It goes by the names that the market table has, and where that has none by ccxt's own.
        self._blank = Blank(self.prototype)
        self._names = self.prototype.commonCurrencies
        self._trades_lei = "binance" in family
        self.venue = Venue(family[0], str(self.prototype.name), family)
        self.loaded_at = self._tried_at = self._holds_for = Millis(0)
        self._failure: ConnectorFailure | None = None
        self.lent = 0
        self._loading: asyncio.Task[None] | None = None

    async def ready(self) -> None:
        """Load the market table where there is none or it is old; one load for all who wait.

        Raises:
            ConnectorFailure: when there is no table at all.
        """
        is_settled = is_recent(self._tried_at, self._holds_for, self._clock.now())
        if self.prototype.markets and is_settled:
            return
        await self._loaded_once()

    async def renew(self, oldest: Millis) -> None:
        """Load the market table if it is older than a moment.

        Raises:
            ConnectorFailure: when there is no table that is not older.
        """
        is_ahead_of_us = is_ahead(self.loaded_at, self._clock.now())
        if not self.prototype.markets or self.loaded_at < oldest or is_ahead_of_us:
            await self._loaded_once()
        if self.loaded_at < oldest and self._failure is not None:
            raise self._failure

    async def _loaded_once(self) -> None:
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
            self._loading.add_done_callback(self._loaded)
        await asyncio.shield(self._loading)

    def session(self, credentials: Credentials | None) -> VenueSession:
        """Return a session on a fresh instance, with the credentials set on it alone."""
        shared = self.prototype
        exchange = self._blank.copied()
        exchange.own_session, exchange.session = False, shared.session
        exchange.asyncio_loop = shared.asyncio_loop
        exchange.ssl_context = shared.ssl_context
        exchange.throttler = shared.throttler
        exchange.set_markets_from_exchange(shared)
        for name in SHARED_OPTIONS & shared.options.keys():
            exchange.options[name] = shared.options[name]
        if credentials is not None:
            set_credentials(exchange, credentials)
        return self._session(exchange, hidden_texts(credentials))

    async def close(self) -> None:
        """Give back the connections."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)
        await self.prototype.close()

    def _session(self, exchange: Any, hidden: tuple[str, ...]) -> VenueSession:  # noqa: ANN401  # ccxt has no types
        return VenueSession(self.venue, exchange, self.prototype, self._clock, hidden)

    async def _load(self) -> None:
        self.prototype.open()
        try:
            await self._load_markets()
            self.loaded_at = self._tried_at = self._clock.now()
            self._holds_for = self._markets_age
            self._failure = None
            # The table stays for a day.
            settle()
        except ConnectorFailure as failure:
            if not self.prototype.markets:
                raise
            self._tried_at, self._holds_for = self._clock.now(), MARKETS_RETRY
            self._failure = failure
            _log.warning("markets not refreshed", venue=self.venue.id, reason=str(failure))

    async def _load_markets(self) -> None:
        markets = await self._asked_markets()
        if not self._trades_lei and any(each.get("quote") == RONIN for each in markets.values()):
            # No venue quotes pairs in the coin: what it calls so is the money.
            self._trades_lei = True
            # ccxt names by what it knows already.
            self.prototype.markets, self.prototype.currencies = {}, {}
            self.prototype.currencies_by_id = {}
            await self._asked_markets()

    async def _asked_markets(self) -> dict[str, Any]:
        coin = {} if self._trades_lei else {LEU: RONIN}
        self.prototype.commonCurrencies = coin | self._names
        try:
            markets: dict[str, Any] = await self._session(self.prototype, ()).ask(
                "load_markets", True
            )  # ccxt's own
        except ConnectorFailure as failure:
            if failure.kind in {FailureKind.KEY_REFUSED, FailureKind.PERMISSION_DENIED}:
                # Nobody's key was used: a refusal must not lock anybody's account.
                reason = "it keeps its list of markets to itself"
                raise unexpected(self.venue, reason, failure.code) from None
            raise
        if not markets:
            raise unexpected(self.venue, "its list of markets is empty", "no_markets")
        return markets

    def _loaded(self, task: asyncio.Task[None]) -> None:
        self._loading = None
        if not task.cancelled():
            task.exception()  # those who wait raise it; asyncio need not complain when none does
