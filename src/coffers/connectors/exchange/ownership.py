"""Whose account a reading is of, and which of its wallets other markets read whole as well."""

from coffers.clock import DAY, Clock, Millis, is_recent
from coffers.connectors.exchange.account_rules import OwnershipRule, ownership_rules
from coffers.connectors.exchange.balances import Holdings, kinds_of
from coffers.connectors.exchange.credentials import fingerprint
from coffers.connectors.exchange.identity import hashed_identity, told_identity
from coffers.connectors.exchange.rules import first
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.subaccounts import Subaccount, subaccount_called
from coffers.connectors.reading import ConnectorFailure, Credentials, FailureKind
from coffers.markets.catalogue import Market

OWNER_AGE = DAY
"""How long a venue's word on whose a key is, and which sub-accounts it has, is believed."""

MOST_OWNERS = 10_000
"""How many keys' owners are remembered."""


class Owners:
    """Remembers whose account a key opens, so that readings need not ask each time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str, str | None], tuple[Millis, str | None]] = {}

    async def of_key(self, session: VenueSession, credentials: Credentials) -> str | None:
        """Return what names a key's account, None where the venue has no call that tells it.

        Ask it after the reading: in it the library finds out what kind of account there is.

        Raises:
            ConnectorFailure: when the venue asks for a pause; nothing else that fails here is a
                reason to lose a reading.
        """
        rule = first(ownership_rules(), session.venue.family)
        if rule is None:
            return None
        known = self._remembered(session, credentials)
        if known is not None:
            return known
        asked = rule if rule.sharing is None or not _is_sharing(session, rule) else rule.sharing
        try:
            await session.ask(asked.method)
        except ConnectorFailure as failure:
            if failure.kind is FailureKind.RATE_LIMITED:
                raise
            return None
        told = told_identity(session.venue, session.heard.answer, asked.number)
        return self._keep(session, credentials, told)

    async def of_subaccount(self, session: VenueSession, credentials: Credentials) -> str | None:
        """Return what names the sub-account that the credentials name.

        Raises:
            ConnectorFailure: where the key's account has no such one; as `list_subaccounts`.
        """
        known = self._remembered(session, credentials)
        if known is not None:
            return known
        found = await subaccount_called(session, credentials.subaccount_name or "")
        told = hashed_identity(session.venue, _number(found))
        return self._keep(session, credentials, told)

    def _remembered(self, session: VenueSession, credentials: Credentials) -> str | None:
        asked_at, told = self._known.get(_key(session, credentials), (None, None))
        is_fresh = asked_at is not None and is_recent(asked_at, OWNER_AGE, self._clock.now())
        return told if is_fresh else None

    def _keep(
        self, session: VenueSession, credentials: Credentials, told: str | None
    ) -> str | None:
        if len(self._known) >= MOST_OWNERS:
            self._known.clear()
        self._known[_key(session, credentials)] = self._clock.now(), told
        return told


def shared_wallet(session: VenueSession, market: Market, holdings: Holdings) -> str | None:
    """Return the name of a wallet that this reading has and other markets of the venue too.

    Ask it after the reading: in it the library finds out what kind of account there is.
    """
    rule = first(ownership_rules(), session.venue.family)
    if rule is None or set(kinds_of(market)).isdisjoint(rule.shared.kinds):
        return None
    return rule.shared.name if _is_sharing(session, rule) and holdings.wallets else None


def _is_sharing(session: VenueSession, rule: OwnershipRule) -> bool:
    options = rule.shared.options
    return not options or any(session.exchange.options.get(name) is True for name in options)


def _number(found: Subaccount) -> str:
    return found.number or f"sub-account {found.id}"


def _key(session: VenueSession, credentials: Credentials) -> tuple[str, str, str | None]:
    return session.venue.id, fingerprint(credentials), credentials.subaccount_name
