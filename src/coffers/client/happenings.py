"""Events, and the webhooks that they are sent to; forms and calls."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.json import Decoder

from coffers.client.accounts import Answered
from coffers.client.call import Call, Parameter


class Event(Answered, frozen=True, kw_only=True):
    """Something that changed; be ready for new kinds, and for new keys of `data`."""

    id: int
    kind: str
    at: datetime
    account_id: int | None = None
    mode: str | None = None
    data: Mapping[str, Any] = {}


class Events(Answered, frozen=True, kw_only=True):
    """A page of events, oldest first."""

    events: tuple[Event, ...] = ()
    next_after: int
    has_more: bool
    is_complete: bool


class Webhook(Answered, frozen=True, kw_only=True):
    """Where events are sent to; `secret` is told when it is made or renewed."""

    id: int
    url: str
    kinds: tuple[str, ...] = ()
    mode: str | None = None
    is_active: bool | None = None
    disabled_reason: str | None = None
    failing_since: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    secret: str | None = None

    def __repr__(self) -> str:
        return f"Webhook(id={self.id}, url={self.url!r}, is_active={self.is_active})"


class Webhooks(Answered, frozen=True, kw_only=True):
    """A page of webhooks, by id."""

    webhooks: tuple[Webhook, ...] = ()
    next_cursor: str | None = None


class Delivery(Answered, frozen=True, kw_only=True):
    """An event on its way to a webhook: `pending`, `delivered` or `given_up`."""

    id: str
    kind: str
    state: str
    event_id: int | None = None
    tries: int | None = None
    status: int | None = None
    error: str | None = None
    created_at: datetime | None = None
    next_try_at: datetime | None = None
    ended_at: datetime | None = None


class Deliveries(Answered, frozen=True, kw_only=True):
    """A page of deliveries, newest first."""

    deliveries: tuple[Delivery, ...] = ()
    next_cursor: str | None = None


_true = Decoder(bool).decode
_events = Decoder(Events).decode
_webhook = Decoder(Webhook).decode
_webhooks = Decoder(Webhooks).decode
_delivery = Decoder(Delivery).decode
_deliveries = Decoder(Deliveries).decode


def event_page(
    after: int | None = None,
    *,
    limit: int | None = None,
    kinds: Sequence[str] = (),
    account_id: int | None = None,
) -> Call[Events]:
    """One page of events after one, oldest first."""
    asked: dict[str, Parameter] = {"after": after, "limit": limit, "account_id": account_id}
    asked["kind"] = ",".join(kinds) or None
    return Call("GET", "/v1/events", _events, asked)


def webhook_page(*, limit: int | None = None, cursor: str | None = None) -> Call[Webhooks]:
    """One page of webhooks, by id."""
    return Call("GET", "/v1/webhooks", _webhooks, {"limit": limit, "cursor": cursor})


def create_webhook(
    url: str,
    kinds: Sequence[str] | None = None,
    *,
    mode: str | None = None,
    is_active: bool | None = None,
) -> Call[Webhook]:
    """Have events sent to an address; the answer has the secret, this once."""
    asked: dict[str, Parameter] = {"url": url, "kinds": kinds}
    asked |= {"mode": mode, "is_active": is_active}
    return Call("POST", "/v1/webhooks", _webhook, asked)


def webhook(webhook_id: int) -> Call[Webhook]:
    """A webhook."""
    return Call("GET", f"/v1/webhooks/{webhook_id}", _webhook)


def update_webhook(webhook_id: int, **said: str | bool | Sequence[str]) -> Call[Webhook]:
    """Change a webhook: `url`, `kinds`, `mode`, `is_active`, `renew_secret`."""
    return Call("PUT", f"/v1/webhooks/{webhook_id}", _webhook, said)


def remove_webhook(webhook_id: int) -> Call[bool]:
    """Remove a webhook with what waits for it."""
    return Call("DELETE", f"/v1/webhooks/{webhook_id}", _true)


def test_webhook(webhook_id: int) -> Call[Delivery]:
    """Have a made-up event sent."""
    return Call("POST", f"/v1/webhooks/{webhook_id}/test", _delivery)


def delivery_page(
    webhook_id: int, *, limit: int | None = None, cursor: str | None = None
) -> Call[Deliveries]:
    """One page of what was sent to a webhook, or waits; newest first."""
    asked = {"limit": limit, "cursor": cursor}
    return Call("GET", f"/v1/webhooks/{webhook_id}/deliveries", _deliveries, asked)
