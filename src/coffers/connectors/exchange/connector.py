"""Reads exchange accounts through ccxt: balances, what the key may do, deposits and withdrawals."""

from collections.abc import Iterable
from dataclasses import replace

from coffers.clock import DAY, SECOND, Clock, Millis, is_recent
from coffers.connectors.exchange.balances import Holdings, plans_of, read_holdings
from coffers.connectors.exchange.credentials import fingerprint
from coffers.connectors.exchange.doubts import Doubts
from coffers.connectors.exchange.fiat import FiatOrders
from coffers.connectors.exchange.flows import FoundFlows, read_flows
from coffers.connectors.exchange.open_orders import count_open_orders
from coffers.connectors.exchange.ownership import Owners, shared_wallet
from coffers.connectors.exchange.past_flows import read_past_flows
from coffers.connectors.exchange.rights import read_rights
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.subaccounts import (
    Subaccount,
    list_subaccounts,
    subaccount_plans,
)
from coffers.connectors.exchange.trades import read_trades
from coffers.connectors.exchange.venues import Venues, family_of
from coffers.connectors.past import PastConnector, PastFlows, PastRequest
from coffers.connectors.reading import (
    Connector,
    ConnectorFailure,
    Credentials,
    FailureKind,
    Reading,
    ReadRequest,
)
from coffers.connectors.trades import FoundTrades, TradesConnector, TradesRequest
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from coffers.markets.catalogue import Market
from coffers.valuation.model import Flow

RIGHTS_AGE = DAY
"""How long a venue's word on a key is believed between readings."""

MOST_LOOKS = 6
"""How often balances are read for one reading while new flows go on coming; then the flows count as
unknown."""

RECENT = Millis(14 * DAY)
"""How far back flows are asked for once more: one may be dated long before it is told."""

UNSURE = Millis(10 * SECOND)
"""How far a venue's clock may be ahead of what is thought: as long as it took to tell the time."""

MOST_RIGHTS = 10_000
"""How many keys' rights are remembered."""


class ExchangeConnector(Connector, PastConnector, TradesConnector):
    """Reads accounts at venues that ccxt knows.

    Within one reading the calls follow one another. The caller sees to it that one credential is
    never read twice at once: some venues number their requests.
    """

    def __init__(self, venues: Venues, clock: Clock) -> None:
        self._venues = venues
        self._clock = clock
        self._fiat = FiatOrders()
        self._owners = Owners(clock)
        self._rights: dict[tuple[str, str], tuple[Millis, KeyRights]] = {}

    async def read(self, market: Market, credentials: Credentials, request: ReadRequest) -> Reading:
        """Return what the venue says about the account; see `Connector.read`."""
        async with self._venues.session(_venue(market), credentials) as session:
            if credentials.subaccount_name:
                return await self._read_subaccount(session, market, credentials, self._clock.now())
            doubts = Doubts.opened(request.memory)
            asked = doubts.widened(request)
            at, holdings, flows = await self._balances_and_flows(session, market, asked)
            rights = await self._remembered_rights(session, credentials)
            owner = await self._owners.of_key(session, credentials)
        left = doubts.after(asked, flows)
        late = {
            _known_as(flow): None for flow in flows.flows if doubts.is_cleared_by(left, flow.at)
        }
        return Reading(
            at=at,
            wallets=holdings.wallets,
            positions=holdings.positions,
            missing=holdings.missing,
            flows=flows.flows,
            flows_known=flows.is_whole and not left,
            flows_until=at if flows.is_read else flows.read_until,
            flows_asked_before={**flows.asked_before, **late},
            rights=rights,
            hedge_mode=holdings.hedge_mode,
            contracts=holdings.contracts,
            identity=owner or holdings.identity,
            shared_wallet=shared_wallet(session, market, holdings),
            memory=left.closed() if left or doubts else None,
        )

    async def _balances_and_flows(
        self, session: VenueSession, market: Market, request: ReadRequest
    ) -> tuple[Millis, Holdings, FoundFlows]:
        """Return balances, from when they are, and new flows: all of them are in the balances.

        A flow that is new may have come before the balances were read or after, and its date does
        not tell: many venues date a deposit when they first saw it. So the balances are read once
        more, until no flow has come since the flows were asked for before.
        """
        found = FoundFlows((), is_whole=True, is_read=True)
        is_settled = False
        fiat: FiatOrders | None = self._fiat
        for _ in range(MOST_LOOKS):
            at = self._clock.now()
            holdings = await read_holdings(session, market)
            thought = session.clock_ahead
            until = Millis(self._clock.now() - thought + UNSURE)
            told = await read_flows(session, request, until, holdings, fiat)
            # The venue dates by its own clock: what it says happened is put on ours. Where ours was
            # set meanwhile, flows were asked for up to a wrong moment.
            ahead = session.clock_ahead
            found = found.joined_by(told.on_our_clock(ahead))
            was_set = request.flows_since is not None and abs(ahead - thought) >= UNSURE
            is_settled = not told.flows and not was_set
            if is_settled:
                break
            request = _again(request, found.flows, Millis(until - RECENT))
            # Its one call is too dear to be made twice in a reading.
            fiat = None
        if not is_settled:
            return at, holdings, replace(found, is_whole=False, is_read=False)
        flows = tuple(replace(flow, at=min(flow.at, at)) for flow in found.flows)
        return at, holdings, replace(found, flows=flows)

    async def _read_subaccount(
        self, session: VenueSession, market: Market, credentials: Credentials, at: Millis
    ) -> Reading:
        """Read a sub-account with the main account's key, which tells nothing of its flows."""
        plans = subaccount_plans(session, market, credentials.subaccount_name or "")
        identity = await self._owners.of_subaccount(session, credentials)
        holdings = await read_holdings(session, market, plans)
        return Reading(
            at=at,
            wallets=holdings.wallets,
            positions=holdings.positions,
            missing=holdings.missing,
            flows_known=False,
            rights=await self._remembered_rights(session, credentials),
            identity=identity,
            shared_wallet=shared_wallet(session, market, holdings),
        )

    async def past_flows(
        self, market: Market, credentials: Credentials, request: PastRequest
    ) -> PastFlows:
        """Walk one step back into the past; see `PastConnector.past_flows`."""
        if credentials.subaccount_name:
            # The main account's key tells the main account's flows.
            return PastFlows((), request.before, request.before, None, is_whole=False)
        venue = _venue(market)
        plans, _ = plans_of(family_of(venue), market)
        wallets = {plan.wallet for plan in plans}
        async with self._venues.session(venue, credentials) as session:
            return await read_past_flows(session, request, wallets, self._fiat)

    async def trades(
        self, market: Market, credentials: Credentials, request: TradesRequest
    ) -> FoundTrades:
        """Walk one step through the account's trades; see `TradesConnector.trades`."""
        if credentials.subaccount_name:
            # The main account's key tells the main account's trades.
            return FoundTrades((), None, is_resting=True, has_gaps=True, is_untold=True)
        async with self._venues.session(_venue(market), credentials) as session:
            return await read_trades(session, market, request)

    async def open_orders(self, market: Market, credentials: Credentials) -> int | None:
        """Return how many orders wait at the venue; see `TradesConnector.open_orders`."""
        if credentials.subaccount_name:
            # The main account's key tells the main account's orders.
            return None
        async with self._venues.session(_venue(market), credentials) as session:
            return await count_open_orders(session, market)

    async def rights(self, market: Market, credentials: Credentials) -> KeyRights:
        """Return what the key may do, asked anew; see `Connector.rights`."""
        async with self._venues.session(_venue(market), credentials) as session:
            return await self._fresh_rights(session, credentials)

    async def subaccounts(self, market: Market, credentials: Credentials) -> tuple[Subaccount, ...]:
        """Return the sub-accounts that the key lists; raises as `list_subaccounts`."""
        async with self._venues.session(_venue(market), credentials) as session:
            return await list_subaccounts(session)

    async def close(self) -> None:
        """Give back every connection."""
        await self._venues.close()

    async def _remembered_rights(
        self, session: VenueSession, credentials: Credentials
    ) -> KeyRights:
        asked_at, known = self._rights.get(_key(session, credentials), (None, UNKNOWN_RIGHTS))
        if asked_at is not None and is_recent(asked_at, RIGHTS_AGE, self._clock.now()):
            return known
        try:
            return await self._fresh_rights(session, credentials)
        except ConnectorFailure as failure:
            # The balances are there: that the venue does not tell the rights just now is no reason
            # to lose them. A venue that asks for a pause is obeyed all the same.
            if failure.kind is FailureKind.RATE_LIMITED:
                raise
            return known

    async def _fresh_rights(self, session: VenueSession, credentials: Credentials) -> KeyRights:
        rights = await read_rights(session)
        if len(self._rights) >= MOST_RIGHTS:
            self._rights.clear()
        self._rights[_key(session, credentials)] = (self._clock.now(), rights)
        return rights


def _again(request: ReadRequest, found: Iterable[Flow], recent: Millis) -> ReadRequest:
    """Return what is asked when flows were found: for those that have come since."""
    known = {_known_as(flow) for flow in found}
    since = max(request.flows_since or recent, recent)
    return replace(request, flows_since=since, known_flows=request.known_flows | known)


def _known_as(flow: Flow) -> tuple[str, str]:
    return flow.direction, flow.external_id


def _key(session: VenueSession, credentials: Credentials) -> tuple[str, str]:
    return session.venue.id, fingerprint(credentials)


def _venue(market: Market) -> str:
    if market.venue is None:
        message = f"The exchange library has no access to {market.name}."
        raise ConnectorFailure(FailureKind.UNSUPPORTED, message, code="no_venue")
    return market.venue
