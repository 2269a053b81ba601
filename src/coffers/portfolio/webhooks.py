"""Webhooks of a user: made, changed, tried out and removed. A secret is told once."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from coffers.clock import Clock, Millis, iso
from coffers.errors import InvalidRecord, NotFound
from coffers.outbound.guard import Networks, place_of, target_of
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.events import EventForm
from coffers.secret import Secret
from coffers.store.deliveries import Delivery
from coffers.store.engine import Store, Transaction
from coffers.store.events import EventKind
from coffers.store.records import AuditEvent, Mode
from coffers.store.webhooks import Webhook
from coffers.vault.sealed import Sealed
from coffers.vault.vault import Vault

MOST_WEBHOOKS: Final = 20
"""Webhooks that one user can have."""

TEST_KIND: Final = "test"
MOST_TESTS: Final = 5
"""Tests of one webhook that wait at the same time."""

_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class WebhookWanted:
    """What a user says of a webhook; None is left as it is. Without kinds all kinds are sent."""

    url: str | None = None
    kinds: tuple[EventKind, ...] | None = None
    mode: Mode | None = None
    is_active: bool | None = None
    renews_secret: bool = False


@dataclass(frozen=True, slots=True)
class WebhookWithSecret:
    """A webhook, with its secret where that is new."""

    webhook: Webhook
    secret: Secret | None = None


class Webhooks:
    """Keeps webhooks; another user's webhook is not found."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, networks: Networks) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._networks = networks

    async def create(self, user_id: int, asked: WebhookWanted, mode: Mode) -> WebhookWithSecret:
        """Make a webhook for what happens from now on, in `mode` where nothing else is asked.

        Raises:
            InvalidRecord: for an address that nothing is sent to, or one webhook too many.
        """
        if asked.url is None:
            raise InvalidRecord({"url": ["is missing"]})
        target_of(asked.url, self._networks)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            webhook_id = await tx.webhooks.new_id()
            if await tx.webhooks.count(user_id) >= MOST_WEBHOOKS:
                told = f"cannot be added: there are {MOST_WEBHOOKS} webhooks already"
                raise InvalidRecord({"url": [told]})
            secret, sealed = self._new_secret(user_id, webhook_id)
            webhook = Webhook(
                user_id=user_id,
                id=webhook_id,
                url=asked.url,
                kinds=asked.kinds or (),
                mode=asked.mode or mode,
                sealed=sealed,
                is_active=asked.is_active is not False,
                enqueued_to=(await tx.events.span(user_id)).last,
                created_at=now,
                updated_at=now,
            )
            await tx.webhooks.add(webhook)
            await self._note(tx, webhook, "webhook_added")
        return WebhookWithSecret(webhook, secret)

    async def page(self, user_id: int, limit: int, after: int) -> list[Webhook]:
        """Return webhooks of a user in order of id."""
        async with self._store.reading() as tx:
            return await tx.webhooks.page(user_id, limit, after)

    async def get(self, user_id: int, webhook_id: int) -> Webhook:
        """Return a webhook.

        Raises:
            NotFound: when this user has none of this id.
        """
        async with self._store.reading() as tx:
            return _found(await tx.webhooks.get(user_id, _usable(webhook_id)), webhook_id)

    async def change(
        self, user_id: int, webhook_id: int, asked: WebhookWanted
    ) -> WebhookWithSecret:
        """Change what is given, and nothing else.

        One that is made active, or gets another address, is tried at once with what waits.

        Raises:
            InvalidRecord: for an address that nothing is sent to.
            NotFound: when this user has none of this id.
        """
        if asked.url is not None:
            target_of(asked.url, self._networks)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            before = _found(await tx.webhooks.held(user_id, _usable(webhook_id)), webhook_id)
            secret, sealed = None, before.sealed
            if asked.renews_secret:
                secret, sealed = self._new_secret(user_id, webhook_id)
            after = replace(
                before,
                url=asked.url or before.url,
                kinds=before.kinds if asked.kinds is None else asked.kinds,
                mode=asked.mode or before.mode,
                sealed=sealed,
                is_active=before.is_active if asked.is_active is None else asked.is_active,
                updated_at=now,
            )
            if asked.is_active or after.url != before.url:
                after = await _awake(tx, after, now)
            await (tx.webhooks.renew(after) if secret else tx.webhooks.keep(after))
            await self._note(tx, after, "webhook_changed")
        return WebhookWithSecret(after, secret)

    async def remove(self, user_id: int, webhook_id: int) -> None:
        """Remove a webhook with what waits for it.

        Raises:
            NotFound: when this user has none of this id.
        """
        async with self._store.transaction() as tx:
            found = _found(await tx.webhooks.held(user_id, _usable(webhook_id)), webhook_id)
            await tx.webhooks.remove(user_id, webhook_id)
            await self._note(tx, found, "webhook_removed")

    async def test(self, user_id: int, webhook_id: int) -> Delivery:
        """Have a made-up event sent, after what waits already.

        Raises:
            InvalidRecord: for a webhook that is not active, or whose tests of before wait.
            NotFound: when this user has none of this id.
        """
        now = self._clock.now()
        async with self._store.transaction() as tx:
            webhook = _found(await tx.webhooks.held(user_id, _usable(webhook_id)), webhook_id)
            if not webhook.is_active:
                raise InvalidRecord({"is_active": ["must be true, or nothing is sent"]})
            if await tx.deliveries.count_of_kind(user_id, webhook_id, TEST_KIND) >= MOST_TESTS:
                raise InvalidRecord({"webhook_id": [f"has {MOST_TESTS} tests that wait already"]})
            number = webhook.numbered + 1
            data = msgspec.Raw(b'{"webhook_id":%d}' % webhook_id)
            form = EventForm(None, TEST_KIND, None, None, iso(now), data)
            body = msgspec.json.encode(form).decode()
            made = Delivery(user_id, webhook_id, number, None, TEST_KIND, body, now, now)
            await tx.deliveries.add([made])
            await tx.webhooks.keep(replace(webhook, numbered=number, next_at=now))
        return made

    async def deliveries(
        self, user_id: int, webhook_id: int, limit: int, before: int | None
    ) -> Sequence[Delivery]:
        """Return deliveries of a webhook from the newest on.

        Raises:
            NotFound: when this user has none of this id.
        """
        await self.get(user_id, webhook_id)
        async with self._store.reading() as tx:
            return await tx.deliveries.page(user_id, webhook_id, limit, before)

    def _new_secret(self, user_id: int, webhook_id: int) -> tuple[Secret, Sealed]:
        secret = Secret(secrets.token_hex(_SECRET_BYTES))
        return secret, self._vault.seal(secret, context_of(user_id, webhook_id))

    async def _note(self, tx: Transaction, webhook: Webhook, kind: str) -> None:
        # Path and query may be what a receiver lets callers in by.
        host = place_of(webhook.url)
        now = self._clock.now()
        await tx.audit.add(AuditEvent(webhook.user_id, now, kind, str(webhook.id), host))


def context_of(user_id: int, webhook_id: int) -> str:
    """Return what the secret of a webhook is bound to."""
    return f"webhook:{user_id}:{webhook_id}"


def delivery_id(delivery: Delivery) -> str:
    """Return the name of a delivery, the same at each try."""
    return f"{delivery.webhook_id}-{delivery.number}"


def plain_webhook(told: WebhookWithSecret) -> dict[str, object]:
    """Return the form that programs read; `docs/webhooks.md` tells its fields."""
    webhook = told.webhook
    since = webhook.failing_since
    plain: dict[str, object] = {
        "id": webhook.id,
        "url": webhook.url,
        "kinds": list(webhook.kinds),
        "mode": webhook.mode,
        "is_active": webhook.is_active,
        "disabled_reason": webhook.disabled_reason,
        "failing_since": None if since is None else iso(since),
        "created_at": iso(webhook.created_at),
        "updated_at": iso(webhook.updated_at),
    }
    return plain if told.secret is None else {**plain, "secret": told.secret.reveal()}


def plain_delivery(delivery: Delivery) -> dict[str, object]:
    """Return the form that programs read; `docs/webhooks.md` tells its fields."""
    is_open, ended = delivery.state == "pending", delivery.ended_at
    return {
        "id": delivery_id(delivery),
        "event_id": delivery.event,
        "kind": delivery.kind,
        "state": delivery.state,
        "tries": delivery.tries,
        "status": delivery.status,
        "error": delivery.error,
        "created_at": iso(delivery.created_at),
        "next_try_at": iso(delivery.next_at) if is_open else None,
        "ended_at": None if ended is None else iso(ended),
    }


async def _awake(tx: Transaction, webhook: Webhook, now: Millis) -> Webhook:
    waits = await tx.deliveries.hurry(webhook.user_id, webhook.id, now) > 0
    return replace(
        webhook,
        disabled_reason=None,
        failures=0,
        failing_since=None,
        next_at=now if waits else None,
    )


def _usable(webhook_id: int) -> int:
    if webhook_id > MOST_ID:
        raise _none(webhook_id)
    return webhook_id


def _found(webhook: Webhook | None, webhook_id: int) -> Webhook:
    if webhook is None:
        raise _none(webhook_id)
    return webhook


def _none(webhook_id: int) -> NotFound:
    return NotFound(f"there is no webhook {webhook_id}")
