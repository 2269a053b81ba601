"""Webhooks: the addresses that users want their events sent to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    union,
    update,
)

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.known_keys import require_known
from coffers.store.lookups import looked_up
from coffers.store.records import Mode
from coffers.store.statements import changed, held, next_id
from coffers.store.tables import users, webhooks
from coffers.vault.sealed import Sealed

_W, _U = webhooks.c, users.c


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a user's events are sent to. Without `kinds` all kinds are.

    `disabled_reason` tells why the server gave it up, None while it did not. `enqueued_to` is the
    newest event that deliveries were made of, and `numbered` how many deliveries there were in all.
    `failures` in a row began at `failing_since`. `next_at` is when a delivery that waits is to be
    tried, None where none waits.
    """

    user_id: int
    id: int
    url: str
    kinds: tuple[str, ...]
    mode: Mode
    sealed: Sealed
    is_active: bool
    enqueued_to: int
    created_at: Millis
    updated_at: Millis
    disabled_reason: str | None = None
    numbered: int = 0
    failures: int = 0
    failing_since: Millis | None = None
    next_at: Millis | None = None


@dataclass(frozen=True, slots=True)
class DueWebhook:
    """A webhook that there is something to do for."""

    user_id: int
    id: int
    url: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Who works at a webhook, from which moment and up to when."""

    holder: str
    now: Millis
    until: Millis


class Webhooks:
    """The webhooks of users, and who works at each now."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def new_id(self) -> int:
        """Return the id of a webhook to be added: its secret is sealed for it."""
        return await next_id(self._connection, "webhooks")

    async def add(self, webhook: Webhook) -> None:
        """Add a webhook with an id of `new_id`.

        Raises:
            UnknownMasterKey: when its secret was sealed under a key that the database does not
                know.
        """
        await require_known(self._connection, webhook.sealed)
        await self._connection.execute(webhooks.insert(), _columns_of(webhook))
        await self._note_unsent(webhook.user_id)

    async def get(self, user_id: int, webhook_id: int) -> Webhook | None:
        """Return a webhook of this user, or None."""
        statement = select(webhooks).where(_is(user_id, webhook_id))
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _webhook_of(row)

    async def held(self, user_id: int, webhook_id: int) -> Webhook | None:
        """Return a webhook that nobody else changes before the transaction ends, or None."""
        statement = select(webhooks).where(_is(user_id, webhook_id)).with_for_update()
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _webhook_of(row)

    async def page(self, user_id: int, limit: int, after: int = 0) -> list[Webhook]:
        """Return webhooks of a user in order of id."""
        statement = select(webhooks).where(_W.user_id == user_id, _W.id > after)
        rows = await self._connection.execute(statement.order_by(_W.id).limit(limit))
        return [_webhook_of(row) for row in rows]

    async def count(self, user_id: int) -> int:
        """Return how many webhooks a user has."""
        statement = select(func.count()).where(_W.user_id == user_id)
        return await self._connection.scalar(statement) or 0

    async def keep(self, webhook: Webhook) -> None:
        """Write a webhook as it is now, its secret as it was; who works at it stays as it is."""
        statement = update(webhooks).where(_is(webhook.user_id, webhook.id))
        await self._connection.execute(statement.values(**_columns_of(webhook)))
        await self._note_unsent(webhook.user_id)

    async def renew(self, webhook: Webhook) -> None:
        """Write a webhook as `keep` does, with a secret that was sealed anew.

        Raises:
            UnknownMasterKey: as `add`.
        """
        await require_known(self._connection, webhook.sealed)
        await self.keep(webhook)

    async def remove(self, user_id: int, webhook_id: int) -> bool:
        """Remove a webhook with its deliveries; False where there is none."""
        statement = delete(webhooks).where(_is(user_id, webhook_id))
        is_removed = await changed(self._connection, statement) > 0
        await self._note_unsent(user_id)
        return is_removed

    async def due(self, now: Millis, limit: int) -> Sequence[DueWebhook]:
        """Return webhooks that have something to send and that nobody works at."""
        since = func.coalesce(_W.next_at, 0).label("since")
        free = select(_W.user_id, _W.id, _W.url, since).where(_W.is_active, _is_free(now))
        news = select(_U.id, _U.last_event).where(_U.has_unsent).cte("news")
        # Left to itself, SQLite walks through all webhooks and looks each one's user up.
        news = news.prefix_with("MATERIALIZED")
        behind = free.where(
            _W.user_id == news.c.id, _W.failures == 0, _W.enqueued_to < news.c.last_event
        )
        unsent = looked_up(self._connection.dialect.name, news, behind, webhooks)
        waiting = free.where(_W.next_at <= now).order_by(_W.next_at)
        found = union(_some(unsent, limit), _some(waiting, limit)).subquery()
        statement = select(found.c.user_id, found.c.id, found.c.url)
        statement = statement.order_by(found.c.since, found.c.user_id, found.c.id).limit(limit)
        return [DueWebhook(*row) for row in await self._connection.execute(statement)]

    async def claim(self, user_id: int, webhook_id: int, claim: Claim) -> Webhook | None:
        """Claim a webhook; None where somebody else has, or where it sends nothing any more."""
        statement = update(webhooks).where(
            _is(user_id, webhook_id), _W.is_active, _is_free(claim.now)
        )
        values = {"claimed_by": claim.holder, "claimed_until": claim.until}
        if not await changed(self._connection, statement.values(**values)):
            return None
        return await self.get(user_id, webhook_id)

    async def hold_on(self, user_id: int, webhook_id: int, claim: Claim) -> Webhook | None:
        """Make a claim last longer, and lock the webhook; None where it was lost meanwhile."""
        statement = update(webhooks).where(
            _is(user_id, webhook_id), _W.claimed_by == claim.holder, _W.claimed_until >= claim.now
        )
        if not await changed(self._connection, statement.values(claimed_until=claim.until)):
            return None
        return await self.get(user_id, webhook_id)

    async def release(self, user_id: int, webhook_id: int, holder: str) -> None:
        """Give a claim back; another holder's claim stays."""
        statement = update(webhooks).where(_is(user_id, webhook_id), _W.claimed_by == holder)
        await self._connection.execute(statement.values(claimed_by=None, claimed_until=None))

    async def _note_unsent(self, user_id: int) -> None:
        """Note whether a user has active webhooks, and whether one lacks deliveries of new events.

        By it they are found without a look at all webhooks that there are. The lock lets those
        who change webhooks of a user, or write events, see each other's changes.
        """
        await self._connection.execute(held(select(_U.id).where(_U.id == user_id)))
        active = exists().where(_W.user_id == user_id, _W.is_active)
        values = {
            "has_webhooks": active,
            "has_unsent": active.where(_W.enqueued_to < _U.last_event),
        }
        is_other = or_(*(_U[name] != value for name, value in values.items()))
        statement = update(users).where(_U.id == user_id, is_other)
        await self._connection.execute(statement.values(values))


def _is(user_id: int, webhook_id: int) -> ColumnElement[bool]:
    return and_(_W.user_id == user_id, _W.id == webhook_id)


def _some(statement: Select[Any], limit: int) -> Select[Any]:
    return select(statement.limit(limit).subquery())


def _is_free(now: Millis) -> ColumnElement[bool]:
    return or_(_W.claimed_until.is_(None), _W.claimed_until < now)


def _columns_of(webhook: Webhook) -> dict[str, object]:
    plain = {name: getattr(webhook, name) for name in Webhook.__slots__ if name != "sealed"}
    return {**plain, "key_id": webhook.sealed.key_id, "blob": webhook.sealed.blob}


def _webhook_of(row: Row[Any]) -> Webhook:
    plain = {name: getattr(row, name) for name in Webhook.__slots__ if name != "sealed"}
    return Webhook(**plain, sealed=Sealed(row.key_id, row.blob))
