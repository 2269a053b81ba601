"""Sending events to webhooks: at least once, in order, tried for a day.

One worker at a time works at a webhook, by a claim that runs out if the worker dies. It makes
deliveries of new events, tries the oldest, and writes how that ended before it tries the next. A
receiver that cannot be reached holds up its own deliveries, which wait in their order. One that
answers, and refuses an event three times, gets those after it, and that one again later.
"""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Protocol, get_args

from coffers import metrics
from coffers.clock import DAY, HOUR, MINUTE, SECOND, Clock, Millis, SettledClock, iso
from coffers.logs import logger
from coffers.outbound.guard import place_of
from coffers.outbound.sender import Answer, Fault
from coffers.outbound.signing import signature
from coffers.portfolio.events import KEPT, EventLog, encoded
from coffers.portfolio.tokens import forget_over
from coffers.portfolio.webhooks import context_of, delivery_id
from coffers.store.deliveries import Delivery
from coffers.store.engine import Store, Transaction
from coffers.store.events import EventFilter, NewEvent
from coffers.store.webhooks import Claim, DueWebhook, Webhook
from coffers.sync.loops import Loops, guarded
from coffers.sync.policy import BackOff, Jitter
from coffers.vault.vault import Vault

LOOK_EVERY: Final = 1.0
"""Seconds between two looks for webhooks that have something to send."""

CLEAN_EVERY: Final = 900.0
"""Seconds between two rounds of forgetting what is old; the clock has settled by the second."""

MAX_CONCURRENT: Final = 16
"""Webhooks that a worker works at at the same time."""

PER_HOST: Final = 4
"""Of those, how many lead to the same host."""

PER_USER: Final = 4
"""Of those, how many are the same user's, wherever they lead."""

IN_A_TURN: Final = 50
"""Deliveries of one webhook before others get their turn."""

TURN: Final = Millis(15 * SECOND)
"""How long a webhook may send before that: a slow receiver takes its time for each of them."""

CLAIM: Final = Millis(MINUTE)
"""How long a webhook stays claimed by a worker that died; longer than any call takes."""

RETRIES: Final = BackOff(Millis(5 * SECOND), HOUR)
"""The pause after a failed try, doubling; each is made up to a fifth shorter or longer."""

LONGEST: Final = DAY
"""After this without a success a webhook is disabled, and an event that is refused is given up."""

DISABLED_AFTER: Final = 3
"""The least failures in a row after which a webhook is disabled."""

KEPT_ENDED: Final = Millis(7 * DAY)
"""How long it can be looked up how a delivery ended."""

_LOOKED_AT: Final = (160, 1_600, 16_000)
"""Webhooks that are looked at for some that may be sent to: more only where these leave places
free, since their hosts and users have theirs already. A host that hangs has many that wait."""

_READ_AT_ONCE: Final = 500
_FORGOTTEN_AT_ONCE: Final = 1_000
_BETWEEN_PORTIONS: Final = 0.02
"""Seconds in which others get their turn, and the write lock of SQLite."""

_GONE: Final = 410
_NOT_NOW: Final = frozenset({408, 425, 429, 502, 503, 504})
"""Answers that say nothing of the event: the receiver is busy, or what is before it is."""

_log = logger("coffers.webhooks")


class Post(Protocol):
    """Where deliveries are sent through."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body and return how that ended."""
        ...


class DeliveryDesk:
    """Sends what is to be sent until it is stopped, and forgets what is old."""

    def __init__(
        self, store: Store, vault: Vault, sender: Post, clock: Clock, jitter: Jitter = random.random
    ) -> None:
        self._store = store
        self._vault = vault
        self._sender = sender
        self._clock = clock
        self._jitter = jitter
        self._settled = SettledClock(clock)
        self._log_of_events = EventLog(store)
        self._loops = Loops()
        self._is_stopping = False
        self._busy: Counter[str] = Counter()
        self._busy_users: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        metrics.from_nothing(metrics.webhook_deliveries, ["delivered", *get_args(Fault)])

    async def run(self) -> None:
        """Send until `stop`; what is being sent then is finished first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loops.every(LOOK_EVERY, self.look))
            group.create_task(self._loops.every(CLEAN_EVERY, self.forget_old))
        await self.finished()

    def stop(self) -> None:
        """Come to an end."""
        self._is_stopping = True
        self._loops.stop()

    async def look(self) -> None:
        """Begin to work at the webhooks that have something to send, as far as there is room."""
        begun: set[DueWebhook] = set()
        for most in _LOOKED_AT:
            async with self._store.reading() as tx:
                due = await tx.webhooks.due(self._clock.now(), most)
            for each in due:
                host = place_of(each.url)
                if each not in begun and self._has_place(each.user_id, host):
                    begun.add(each)
                    self._busy[host] += 1
                    self._busy_users[each.user_id] += 1
                    task = asyncio.create_task(self._begin(each, host))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            if len(due) < most or self._busy.total() >= MAX_CONCURRENT:
                return

    def _has_place(self, user_id: int, host: str) -> bool:
        return (
            self._busy.total() < MAX_CONCURRENT
            and self._busy[host] < PER_HOST
            and self._busy_users[user_id] < PER_USER
        )

    async def finished(self) -> None:
        """Wait until nothing is being sent any more."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def forget_old(self) -> None:
        """Forget old events, deliveries and tokens, in portions that hold nobody up."""
        now = self._settled.now()
        if now is None:
            return
        while not self._is_stopping:
            events = await self._log_of_events.forget_old(now)
            await asyncio.sleep(_BETWEEN_PORTIONS)
            async with self._store.transaction() as tx:
                ended, made = Millis(now - KEPT_ENDED), Millis(now - KEPT)
                deliveries = await tx.deliveries.forget(ended, made, _FORGOTTEN_AT_ONCE)
            if not events and not deliveries:
                break
            await asyncio.sleep(_BETWEEN_PORTIONS)
        await forget_over(self._store, now)

    async def _begin(self, due: DueWebhook, host: str) -> None:
        try:
            await guarded(lambda: self._work(due.user_id, due.id), webhook=due.id)
        finally:
            self._busy[host] -= 1
            self._busy_users[due.user_id] -= 1
            if not self._busy[host]:
                del self._busy[host]
            if not self._busy_users[due.user_id]:
                del self._busy_users[due.user_id]

    async def _work(self, user_id: int, webhook_id: int) -> None:
        holder = uuid.uuid4().hex
        async with self._store.transaction() as tx:
            if await tx.webhooks.claim(user_id, webhook_id, self._claim(holder)) is None:
                return
        began = self._clock.now()
        try:
            for _ in range(IN_A_TURN):
                if not await self._send_next(user_id, webhook_id, holder) or self._is_stopping:
                    break
                if self._clock.now() - began >= TURN:
                    break
        finally:
            async with self._store.transaction() as tx:
                await tx.webhooks.release(user_id, webhook_id, holder)

    def _claim(self, holder: str) -> Claim:
        now = self._clock.now()
        return Claim(holder, now, Millis(now + CLAIM))

    async def _send_next(self, user_id: int, webhook_id: int, holder: str) -> bool:
        """Try one delivery; return whether another one may be tried at once."""
        async with self._store.transaction() as tx:
            webhook = await tx.webhooks.hold_on(user_id, webhook_id, self._claim(holder))
            if webhook is None or not webhook.is_active:
                return False
            webhook, delivery = await self._taken(tx, webhook)
            await tx.webhooks.keep(webhook)
        if delivery is None:
            return False
        answer = await self._tried(webhook, delivery)
        metrics.webhook_deliveries.labels(answer.fault or "delivered").inc()
        async with self._store.transaction() as tx:
            held = await tx.webhooks.hold_on(user_id, webhook_id, self._claim(holder))
            if held is None:
                return False
            if answer.fault is not None and held.url != webhook.url:
                # It says nothing of the address that the webhook has got meanwhile.
                return True
            return await self._record(tx, held, delivery, answer)

    async def _taken(self, tx: Transaction, webhook: Webhook) -> tuple[Webhook, Delivery | None]:
        now = self._clock.now()
        if webhook.failures and (webhook.next_at or 0) > now:
            return webhook, None
        delivery = await tx.deliveries.next(webhook.user_id, webhook.id, now)
        if delivery is None or delivery.is_aside:
            webhook = await _enqueued(tx, webhook, now)
            delivery = await tx.deliveries.next(webhook.user_id, webhook.id, now)
        if delivery is None:
            # The line is free: what comes next is tried at once, whatever stepped aside.
            next_at = await tx.deliveries.next_at(webhook.user_id, webhook.id)
            return replace(webhook, failures=0, next_at=next_at), None
        return replace(webhook, next_at=now), delivery

    async def _tried(self, webhook: Webhook, delivery: Delivery) -> Answer:
        """Return how a try ended. What goes wrong here counts, or it would be made at each look."""
        try:
            return await self._sent(webhook, delivery)
        except Exception as error:  # noqa: BLE001 - a try's boundary: counted and logged
            metrics.worker_failures.labels(type(error).__name__).inc()
            _log.exception("delivery failed", webhook=webhook.id)
            return Answer(None, "failed")

    async def _sent(self, webhook: Webhook, delivery: Delivery) -> Answer:
        secret = self._vault.open(webhook.sealed, context_of(webhook.user_id, webhook.id))
        body, timestamp = delivery.body.encode(), self._clock.now() // SECOND
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Coffers",
            "Coffers-Delivery": delivery_id(delivery),
            "Coffers-Event": delivery.kind,
            "Coffers-Timestamp": str(timestamp),
            "Coffers-Signature": signature(secret, timestamp, body),
        }
        return await self._sender.post(webhook.url, body, headers)

    async def _record(
        self, tx: Transaction, webhook: Webhook, delivery: Delivery, answer: Answer
    ) -> bool:
        now = self._clock.now()
        after = self._after(delivery, answer, now)
        await tx.deliveries.keep(after)
        if answer.fault is None:
            good = replace(webhook, failures=0, failing_since=None, next_at=now)
            await tx.webhooks.keep(good)
            return True
        failures, since = webhook.failures + 1, min(webhook.failing_since or now, now)
        pause = self._pause(failures)
        bad = replace(webhook, failures=failures, failing_since=since, next_at=Millis(now + pause))
        if answer.status == _GONE:
            await _disable(tx, bad, "gone", now)
        elif delivery.is_aside:
            await tx.webhooks.keep(replace(webhook, next_at=now))
            return True
        elif failures >= DISABLED_AFTER and now - since >= LONGEST:
            await _disable(tx, bad, "failing", now)
        else:
            await tx.webhooks.keep(bad)
        return False

    def _after(self, delivery: Delivery, answer: Answer, now: Millis) -> Delivery:
        tries, first = delivery.tries + 1, min(delivery.first_tried_at or now, now)
        tried = replace(
            delivery, tries=tries, first_tried_at=first, status=answer.status, error=answer.fault
        )
        if answer.fault is None:
            return replace(tried, state="delivered", ended_at=now)
        if answer.fault == "refused" and answer.status not in _NOT_NOW:
            tried = replace(tried, refusals=delivery.refusals + 1)
        if tried.is_aside and now - first >= LONGEST:
            return replace(tried, state="given_up", ended_at=now)
        return replace(tried, next_at=Millis(now + self._pause(tries)))

    def _pause(self, failures: int) -> Millis:
        return Millis(round(RETRIES.after(failures) * (0.8 + 0.4 * self._jitter())))


async def _enqueued(tx: Transaction, webhook: Webhook, now: Millis) -> Webhook:
    """Make deliveries of the events that are new to a webhook."""
    events = await tx.events.after(webhook.user_id, webhook.enqueued_to, _READ_AT_ONCE)
    wanted = EventFilter(webhook.mode, webhook.kinds)
    meant = [event for event in events if wanted.takes(event)]
    await tx.deliveries.add(
        [
            Delivery(
                user_id=webhook.user_id,
                webhook_id=webhook.id,
                number=number,
                event=event.number,
                kind=event.kind,
                body=encoded(event).decode(),
                created_at=now,
                next_at=now,
            )
            for number, event in enumerate(meant, webhook.numbered + 1)
        ]
    )
    enqueued_to = events[-1].number if events else webhook.enqueued_to
    return replace(webhook, numbered=webhook.numbered + len(meant), enqueued_to=enqueued_to)


async def _disable(tx: Transaction, webhook: Webhook, reason: str, now: Millis) -> None:
    """Give a webhook up until its owner makes it active again; what waits for it is kept."""
    off = replace(webhook, is_active=False, disabled_reason=reason, updated_at=now)
    await tx.webhooks.keep(off)
    told = {
        "webhook_id": webhook.id,
        "reason": reason,
        "failing_since": iso(webhook.failing_since or now),
    }
    await tx.events.add(webhook.user_id, [NewEvent("webhook_disabled", now, told)])
    metrics.webhooks_disabled.inc()
    _log.warning("webhook disabled", webhook=webhook.id, reason=reason)
