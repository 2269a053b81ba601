"""Taking accounts over from another service: connected here, with their values from before.

Every step is stored before the next one begins, under the source's own ids: a run that ended
anywhere is gone on with by the next one, and nothing comes twice.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from coffers.clock import DAY, Clock, Millis, iso
from coffers.connectors.reading import ConnectorFailure
from coffers.errors import CoffersError, InvalidRecord
from coffers.markets.catalogue import Catalogue
from coffers.portfolio.connecting import Connection
from coffers.portfolio.import_plan import Here, Planned, credentials_of, plan
from coffers.portfolio.import_source import Source, SourceStopped
from coffers.portfolio.loose import Also, HandKept
from coffers.portfolio.wallets import Wallet
from coffers.store.engine import Store, Transaction
from coffers.store.errors import AlreadyConnected
from coffers.store.records import Account, AuditEvent
from coffers.valuation.model import Snapshot

WINDOW = Millis(365 * DAY)
"""How much of a history is asked for at once: services answer a year in a point a day."""

EARLIEST = Millis(1_483_228_800_000)
"""2017, where a history begins of which the source does not tell when it does."""

State = Literal["done", "left", "skipped", "failed"]
"""What became of an account; `left` waits for its secrets, for another run."""


class Connects(Protocol):
    """What connects exchange accounts."""

    async def connect(self, asked: Connection) -> Account:
        """Check a key at its venue and store the account."""
        ...


class ConnectsWallets(Protocol):
    """What connects wallets."""

    async def connect(self, asked: Wallet) -> Account:
        """Check an address and store the wallet."""
        ...


class KeepsByHand(Protocol):
    """What makes hand-kept accounts."""

    async def create(self, user_id: int, asked: HandKept, also: Also | None = None) -> Account:
        """Add an account that holds what is said."""
        ...


@dataclass(frozen=True, slots=True)
class Hands:
    """What the accounts are connected by."""

    exchanges: Connects
    wallets: ConnectsWallets
    loose: KeepsByHand


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of an account: where it is here, what was told, how many values came with it."""

    planned: Planned
    state: State
    account_id: int | None = None
    told: str = ""
    values: int = 0


class LinkTaken(CoffersError):
    """Another one's history is in the account."""

    def __init__(self, account_id: int) -> None:
        super().__init__(f"account {account_id} here has taken over another one's history")


class BroughtMeanwhile(CoffersError):
    """Another run took the account over at the same time, into another account here."""

    def __init__(self, account_id: int) -> None:
        super().__init__(f"another run brought it at the same time, as account {account_id} here")
        self.account_id = account_id


Given = Callable[[Planned], Mapping[str, str] | None]
"""Returns the credentials that a planned account asks for; None leaves it for another run."""

OnProgress = Callable[[str], None]
"""Hears what is being done now."""

Seen = Callable[[Account], Awaitable[None]]
"""Called for an account that has just been connected."""


class Importing:
    """Takes over the accounts of one source for one user."""

    def __init__(
        self, store: Store, catalogue: Catalogue, clock: Clock, source: Source, user_id: int
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._source = source
        self._user_id = user_id

    async def plan(self) -> list[Planned]:
        """Return what is to be done with each account of the source; nothing is changed by it.

        Raises:
            SourceFailed: when the source does not tell its accounts.
        """
        found = await self._source.accounts()
        async with self._store.reading() as tx:
            here = Here(
                await tx.accounts.of_user(self._user_id),
                await tx.imports.of_source(self._user_id, self._source.name),
                await tx.imports.linked(self._user_id),
            )
        return plan(found, here, self._catalogue)

    async def bring(
        self, planned: Planned, hands: Hands, given: Given, seen: Seen, told: OnProgress
    ) -> Brought:
        """Take one account over, as far as it has not been; a fault is told, not raised.

        Raises:
            SourceStopped: when the source tells nothing more for now. What was done stays.
        """
        if planned.way == "skip":
            return Brought(planned, "skipped", told=planned.reason)
        try:
            account_id = await self._settled(planned, hands, given, seen, told)
        except SourceStopped:
            raise
        except (CoffersError, ConnectorFailure) as fault:
            return Brought(planned, "failed", told=_reason(fault))
        if account_id is None:
            return Brought(planned, "left", told=f"needs {', '.join(planned.asks)}")
        return await self._with_history(planned, account_id, told)

    async def _settled(
        self, planned: Planned, hands: Hands, given: Given, seen: Seen, told: OnProgress
    ) -> int | None:
        """Return the account here, linked to the source's; None where its secrets are not given."""
        match planned.way:
            case "go_on":
                return planned.account_id
            case "adopt":
                return await self._linked(planned, planned.account_id or 0)
            case "manual":
                return await self._by_hand(planned, hands)
            case _:
                secrets = given(planned) if planned.asks else {}
        if secrets is None:
            return None
        told("connecting")
        try:
            account = await self._connected(planned, hands, secrets)
        except AlreadyConnected as same:
            # By a run that ended right after it, or under a key that nothing public names.
            return await self._linked(planned, same.account_id)
        account_id = await self._linked(planned, account.id)
        told("reading")
        await seen(account)
        return account_id

    async def _connected(
        self, planned: Planned, hands: Hands, secrets: Mapping[str, str]
    ) -> Account:
        source, whose = planned.source, (self._user_id, planned.source.market_code, planned.name)
        counts = source.include_in_summary
        if planned.way == "wallet":
            return await hands.wallets.connect(Wallet(*whose, source.address or "", counts))
        credentials = credentials_of(planned, secrets)
        return await hands.exchanges.connect(Connection(*whose, credentials, counts))

    async def _by_hand(self, planned: Planned, hands: Hands) -> int:
        held = await self._source.holdings(planned.source.id)
        asked = HandKept(
            codes=list(held),
            amounts=[f"{amount:f}" for amount in held.values()],
            name=planned.name,
            include_in_summary=planned.source.include_in_summary,
        )

        async def link(tx: Transaction, account: Account) -> None:
            await self._link(tx, planned, account.id)

        # Nothing else would tell the next run that this account is there already.
        try:
            return (await hands.loose.create(self._user_id, asked, link)).id
        except BroughtMeanwhile as other:
            return other.account_id

    async def _linked(self, planned: Planned, account_id: int) -> int:
        async with self._store.transaction() as tx:
            await self._link(tx, planned, account_id)
        return account_id

    async def _link(self, tx: Transaction, planned: Planned, account_id: int) -> None:
        source = self._source.name
        if not await tx.imports.link(self._user_id, source, planned.source.id, account_id):
            known = await tx.imports.of_source(self._user_id, source)
            same = known.get(planned.source.id)
            if same is None:
                raise LinkTaken(account_id)
            if same.account_id == account_id:
                # Another run linked the two at the same time.
                return
            raise BroughtMeanwhile(same.account_id)
        told = f"from {source}, account {planned.source.id}"
        event = AuditEvent(
            self._user_id, self._clock.now(), "account_imported", str(account_id), told
        )
        await tx.audit.add(event)

    async def _with_history(self, planned: Planned, account_id: int, told: OnProgress) -> Brought:
        if planned.has_history:
            return Brought(planned, "done", account_id, "was brought before")
        count = 0
        since = Millis(planned.history_until or planned.source.created_at or EARLIEST)
        since = Millis(max(since, EARLIEST) // DAY * DAY)
        now = self._clock.now()
        try:
            while since <= now:
                until = Millis(min(since + WINDOW, now))
                told(f"its past up to {iso(until)[:10]}")
                found = await self._source.history(planned.source.id, since, until)
                count += await self._keep(planned, account_id, found, until, is_last=until == now)
                since = Millis(until + 1)
        except SourceStopped:
            raise
        except CoffersError as fault:
            return Brought(planned, "failed", account_id, f"its past: {fault}", count)
        return Brought(planned, "done", account_id, values=count)

    async def _keep(
        self,
        planned: Planned,
        account_id: int,
        found: Sequence[Snapshot],
        until: Millis,
        *,
        is_last: bool,
    ) -> int:
        own = self._user_id, self._source.name, planned.source.id
        async with self._store.transaction() as tx:
            if await tx.accounts.get(self._user_id, account_id) is None:
                raise InvalidRecord({"account": ["was removed meanwhile"]})
            new = await tx.imports.add_values(self._user_id, account_id, found)
            await tx.imports.advance(*own, until, is_complete=is_last)
        return new


def _reason(fault: CoffersError | ConnectorFailure) -> str:
    # A reason of a venue is a sentence by itself, which a field's name would not begin.
    if isinstance(fault, InvalidRecord):
        told = [(field, each) for field, why in fault.attributes.items() for each in why]
        return "; ".join(each if each[:1].isupper() else f"{field} {each}" for field, each in told)
    return str(fault)
