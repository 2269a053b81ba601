"""Events sent to real receivers, on both databases: order, retries, claims, what is given up."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

import pytest

from coffers.clock import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    SETTLED_AFTER,
    ManualClock,
    Millis,
    SettledClock,
)
from coffers.errors import InvalidRecord, NotFound
from coffers.outbound.sender import Sender
from coffers.portfolio import deliveries, events
from coffers.portfolio.deliveries import (
    CLAIM,
    DISABLED_AFTER,
    KEPT_ENDED,
    LONGEST,
    PER_HOST,
    PER_USER,
    RETRIES,
    DeliveryDesk,
)
from coffers.portfolio.tokens import Tokens, Wanted
from coffers.portfolio.webhooks import (
    MOST_TESTS,
    MOST_WEBHOOKS,
    Webhooks,
    WebhookWanted,
    WebhookWithSecret,
)
from coffers.secret import Secret
from coffers.store.deliveries import Delivery
from coffers.store.engine import Store
from coffers.store.events import NewEvent
from coffers.store.records import User
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW, settled
from receiver import Received, Receiver, receiving

HERE = (ip_network("127.0.0.0/8"),)


@dataclass
class House:
    """A user, their webhooks, and workers that send to them."""

    store: Store
    clock: ManualClock
    vault: Vault
    user: User
    receiver: Receiver
    senders: list[Sender] = field(default_factory=list)

    @property
    def webhooks(self) -> Webhooks:
        return Webhooks(self.store, self.vault, self.clock, HERE)

    def desk(self, **settings: Any) -> DeliveryDesk:
        sender = Sender(HERE, **settings)
        self.senders.append(sender)
        made = DeliveryDesk(self.store, self.vault, sender, self.clock, lambda: 0.5)
        made._settled = settled(self.clock)
        return made

    async def webhook(self, **wanted: Any) -> WebhookWithSecret:
        asked = WebhookWanted(**{"url": self.receiver.url, **wanted})
        return await self.webhooks.create(self.user.id, asked, "real")

    async def happened(self, *kinds: Any, **of: Any) -> None:
        about = {"account_id": 7, "mode": "real", **of}
        async with self.store.transaction() as tx:
            found = [NewEvent(kind, self.clock.now(), {"n": 1}, **about) for kind in kinds]
            await tx.events.add(self.user.id, found)

    async def send(self, desk: DeliveryDesk | None = None) -> None:
        """Look once, and wait until all that can be sent now is."""
        desk = desk or self.desk()
        await desk.look()
        await desk.finished()

    async def keep_sending(self, span: int, step: int = 5 * SECOND) -> None:
        desk = self.desk()
        for _ in range(0, span, step):
            await self.send(desk)
            self.clock.advance(step)

    async def deliveries(self, told: WebhookWithSecret) -> list[Delivery]:
        found = await self.webhooks.deliveries(self.user.id, told.webhook.id, 100, None)
        return list(reversed(found))

    async def now(self, told: WebhookWithSecret) -> Any:
        return await self.webhooks.get(self.user.id, told.webhook.id)


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    ring = KeyRing([new_key()])
    clock = ManualClock(NOW)
    async with store.transaction() as tx:
        user = await tx.users.add("ann", clock.now())
    async with receiving() as receiver:
        made = House(store, clock, Vault(lambda: ring), user, receiver)
        yield made
        for sender in made.senders:
            await sender.close()


async def test_what_happens_from_now_on_arrives_in_order_and_signed(house: House) -> None:
    await house.happened("deposit")
    told = await house.webhook()
    await house.happened("balances_changed", "deposit")
    await house.send()
    assert house.receiver.ids() == [2, 3]
    got = house.receiver.got[0]
    assert got.event == {
        "id": 2,
        "kind": "balances_changed",
        "account_id": 7,
        "mode": "real",
        "at": "2025-10-09T08:53:20.000Z",
        "data": {"n": 1},
    }
    assert got.headers["content-type"] == "application/json"
    assert got.headers["coffers-event"] == "balances_changed"
    assert got.headers["coffers-delivery"] == f"{told.webhook.id}-1"
    assert got.headers["coffers-timestamp"] == str(NOW // 1000)
    assert told.secret is not None
    text = got.headers["coffers-timestamp"].encode() + b"." + got.body
    digest = hmac.new(told.secret.reveal().encode(), text, hashlib.sha256).hexdigest()
    assert got.headers["coffers-signature"] == f"v1={digest}"
    one, two = await house.deliveries(told)
    assert (one.state, one.status, one.tries, one.error) == ("delivered", 200, 1, None)
    assert two.event == 3
    await house.send()
    assert len(house.receiver.got) == 2


async def test_kinds_and_modes_are_chosen(house: House) -> None:
    told = await house.webhook(kinds=("deposit",), mode="paper")
    await house.happened("deposit")
    await house.happened("deposit", "withdrawal", mode="paper")
    await house.happened("webhook_disabled", mode=None)
    await house.send()
    assert house.receiver.ids() == [2]
    await house.webhooks.change(house.user.id, told.webhook.id, WebhookWanted(kinds=()))
    await house.happened("withdrawal", mode="paper")
    await house.happened("webhook_disabled", mode=None)
    await house.send()
    assert house.receiver.ids() == [2, 5, 6]


async def test_while_a_receiver_is_away_its_events_wait_in_their_order(house: House) -> None:
    told = await house.webhook()
    house.receiver.status = 503
    await house.happened("deposit", "deposit", "deposit")
    await house.keep_sending(10 * MINUTE)
    assert set(house.receiver.ids()) == {1}
    # 5, 10, 20, ... seconds: not more often, and not given up.
    assert len(house.receiver.got) == 7
    assert (await house.now(told)).failing_since == NOW
    house.receiver.status = 200
    house.receiver.got.clear()
    await house.keep_sending(HOUR, step=MINUTE)
    assert house.receiver.ids() == [1, 2, 3]
    assert (await house.now(told)).failing_since is None
    first, *_ = await house.deliveries(told)
    assert (first.state, first.tries, first.refusals) == ("delivered", 8, 0)


async def test_an_event_that_is_refused_steps_aside_and_is_given_up_after_a_day(
    house: House,
) -> None:
    told = await house.webhook()

    def odd(got: Received) -> int:
        return 422 if got.event["id"] == 2 else 200

    house.receiver.status = odd
    await house.happened("deposit", "deposit", "deposit", "deposit")
    await house.keep_sending(2 * MINUTE)
    assert house.receiver.ids()[:4] == [1, 2, 2, 2]
    assert [number for number in house.receiver.ids() if number != 2] == [1, 3, 4]
    await house.happened("deposit")
    await house.send()
    assert house.receiver.ids()[-1] == 5
    await house.keep_sending(LONGEST + 2 * HOUR, step=10 * MINUTE)
    states = [(each.event, each.state, each.status) for each in await house.deliveries(told)]
    assert states == [
        (1, "delivered", 200),
        (2, "given_up", 422),
        (3, "delivered", 200),
        (4, "delivered", 200),
        (5, "delivered", 200),
    ]
    count = len(house.receiver.got)
    await house.keep_sending(2 * HOUR, step=10 * MINUTE)
    assert len(house.receiver.got) == count < 50
    assert (await house.now(told)).is_active


async def test_a_refused_event_that_is_taken_later_arrives_then(house: House) -> None:
    await house.webhook()
    house.receiver.status = lambda got: 500 if got.event["id"] == 1 else 200
    await house.happened("deposit", "deposit")
    await house.keep_sending(2 * MINUTE)
    house.receiver.got.clear()
    house.receiver.status = 200
    await house.keep_sending(HOUR, step=MINUTE)
    assert house.receiver.ids() == [1]


@pytest.mark.parametrize("status", [pytest.param(404, marks=pytest.mark.long), 503])
async def test_a_webhook_that_fails_for_a_day_is_disabled_and_can_go_on_later(
    house: House, status: int
) -> None:
    told = await house.webhook()
    async with receiving() as other:
        watcher = await house.webhook(url=other.url, kinds=("webhook_disabled",))
        house.receiver.status = status
        for _ in range(30):
            await house.happened("deposit")
            await house.keep_sending(HOUR, step=10 * MINUTE)
        now = await house.now(told)
        assert (now.is_active, now.disabled_reason) == (False, "failing")
        assert [got.event["data"]["webhook_id"] for got in other.got] == [told.webhook.id]
        assert other.got[0].event["data"]["reason"] == "failing"
    assert (await house.now(watcher)).is_active
    count = len(house.receiver.got)
    await house.keep_sending(2 * HOUR, step=10 * MINUTE)
    assert len(house.receiver.got) == count
    house.receiver.status = 200
    house.receiver.got.clear()
    await house.webhooks.change(house.user.id, told.webhook.id, WebhookWanted(is_active=True))
    await house.keep_sending(2 * HOUR, step=10 * MINUTE)
    now = await house.now(told)
    assert (now.is_active, now.disabled_reason, now.failing_since) == (True, None, None)
    given_up = {each.event for each in await house.deliveries(told) if each.state == "given_up"}
    events = range(1, max(number or 0 for number in house.receiver.ids()) + 1)
    assert set(house.receiver.ids()) == set(events) - given_up
    if status == 503:
        assert house.receiver.ids() == list(events)


async def test_one_that_says_that_it_is_gone_is_asked_no_more(house: House) -> None:
    told = await house.webhook()
    house.receiver.status = 410
    await house.happened("deposit", "deposit")
    await house.keep_sending(MINUTE)
    assert len(house.receiver.got) == 1
    assert (await house.now(told)).disabled_reason == "gone"


async def test_one_that_says_so_of_an_event_that_stepped_aside_is_gone_too(house: House) -> None:
    told = await house.webhook()
    house.receiver.status = 500
    await house.happened("deposit")
    await house.keep_sending(30 * SECOND)
    house.receiver.status = 410
    before = len(house.receiver.got)
    await house.keep_sending(2 * MINUTE)
    assert len(house.receiver.got) == before + 1
    assert (await house.now(told)).disabled_reason == "gone"


async def test_what_goes_wrong_here_is_a_try_and_holds_up_nobody_else(house: House) -> None:
    bad, good = await house.webhook(), await house.webhook()
    async with house.store.transaction() as tx:
        # As an earlier release, or another Python, may have taken it.
        await tx.webhooks.keep(replace(bad.webhook, url="https://[::1/"))
    await house.happened("deposit")
    await house.send(house.desk())
    assert (await house.deliveries(bad))[0].error == "blocked"
    assert (await house.deliveries(good))[0].state == "delivered"

    async def broken(_host: str, _port: int) -> list[str]:
        raise RuntimeError("nobody thought of this")

    await house.happened("deposit")
    desk = house.desk(resolve=broken)
    for _ in range(3):
        await house.send(desk)
    last = (await house.deliveries(good))[-1]
    assert (last.error, last.tries, last.state) == ("failed", 1, "pending")
    assert (await house.now(good)).next_at > house.clock.now()


async def test_a_short_failure_after_a_quiet_day_disables_nothing(house: House) -> None:
    told = await house.webhook()
    house.receiver.status = 500
    await house.happened("deposit")
    await house.send()
    house.clock.advance(2 * LONGEST)
    await house.send()
    assert (await house.now(told)).is_active
    house.receiver.status = 200
    house.clock.advance(HOUR)
    await house.send()
    assert (await house.now(told)).failing_since is None
    assert DISABLED_AFTER > 2


async def test_several_workers_share_the_work_and_send_nothing_twice(house: House) -> None:
    hooks = [await house.webhook() for _ in range(3)]
    desks = [house.desk() for _ in range(3)]
    await house.happened(*["deposit"] * 10)
    for desk in desks:
        await desk.look()
    for desk in desks:
        await desk.finished()
    by_hook: dict[str, list[int]] = {}
    for got in house.receiver.got:
        hook, _, number = got.headers["coffers-delivery"].partition("-")
        by_hook.setdefault(hook, []).append(int(number))
    assert by_hook == {str(hook.webhook.id): list(range(1, 11)) for hook in hooks}


async def test_what_a_dead_worker_had_in_hand_is_sent_again_by_another(house: House) -> None:
    told = await house.webhook()
    await house.happened("deposit", "deposit")
    house.receiver.holds.clear()
    dying = house.desk()
    await dying.look()
    await house.receiver.until(1)
    # It hangs amid the call; its claim runs out, and it must not spoil what another one does.
    await house.send()
    assert house.receiver.ids() == [1]
    house.clock.advance(CLAIM + 1)
    house.receiver.holds.set()
    await house.send()
    await dying.finished()
    assert house.receiver.ids() == [1, 1, 2]
    names = [got.headers["coffers-delivery"] for got in house.receiver.got]
    assert names[0] == names[1]
    assert house.receiver.got[0].body == house.receiver.got[1].body
    assert [each.state for each in await house.deliveries(told)] == ["delivered"] * 2


async def test_a_worker_that_is_told_to_stop_ends_after_what_it_has_in_hand(house: House) -> None:
    told = await house.webhook()
    await house.happened("deposit", "deposit", "deposit")
    house.receiver.holds.clear()
    desk = house.desk()
    running = asyncio.create_task(desk.run())
    await house.receiver.until(1)
    desk.stop()
    house.receiver.holds.set()
    async with asyncio.timeout(10):
        await running
    assert house.receiver.ids() == [1]
    await house.send()
    assert house.receiver.ids() == [1, 2, 3]
    assert [each.state for each in await house.deliveries(told)] == ["delivered"] * 3


async def test_one_host_gets_so_many_calls_at_once_and_no_more(house: House) -> None:
    for _ in range(PER_HOST + 3):
        await house.webhook()
    await house.happened("deposit")
    house.receiver.holds.clear()
    desk = house.desk()
    async with receiving() as other:
        bob = await _another(house)
        await bob.webhook(url=other.url)
        for each in (house, bob):
            await each.happened("deposit")
        await desk.look()
        await house.receiver.until(PER_HOST)
        await desk.look()
        await other.until(1)
        assert house.receiver.open_now == PER_HOST
        house.receiver.holds.set()
        await desk.finished()
        await house.send(desk)
    assert house.receiver.most_open <= PER_HOST
    assert len(house.receiver.got) == 2 * (PER_HOST + 3)


async def test_one_user_gets_so_many_calls_at_once_wherever_they_lead(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MAX_CONCURRENT", PER_USER + 1)
    bob, desk = await _another(house), house.desk()
    async with AsyncExitStack() as opened:
        receivers = [await opened.enter_async_context(receiving()) for _ in range(PER_USER + 2)]
        for each in receivers:
            each.holds.clear()
            await house.webhook(url=each.url)
        await house.happened("deposit")
        await desk.look()
        await desk.look()
        await bob.webhook()
        await bob.happened("deposit")
        await desk.look()
        await house.receiver.until(1)
        for each in receivers[:PER_USER]:
            await each.until(1)
        assert sum(each.open_now for each in receivers) == PER_USER
        for each in receivers:
            each.holds.set()
        await desk.finished()
        await house.send(desk)
        assert [len(each.got) for each in receivers] == [1] * len(receivers)


async def test_a_host_that_hangs_keeps_nobody_else_waiting_however_many_wait_for_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MAX_CONCURRENT", PER_HOST + 1)
    monkeypatch.setattr(deliveries, "_LOOKED_AT", (10, 100))
    house.receiver.holds.clear()
    for number in range(3):
        one = await _another(house, f"user {number}")
        for _ in range(MOST_WEBHOOKS):
            await one.webhook()
        await one.happened("deposit")
    async with receiving() as other:
        bob, desk = await _another(house), house.desk()
        await bob.webhook(url=other.url)
        await bob.happened("deposit")
        await desk.look()
        await house.receiver.until(PER_HOST)
        await other.until(1)
    house.receiver.holds.set()
    await desk.finished()
    assert house.receiver.most_open <= PER_HOST


async def test_what_an_address_said_before_it_was_changed_is_not_the_new_ones(
    house: House,
) -> None:
    told = await house.webhook()
    house.receiver.status = 410
    await house.happened("deposit")
    house.receiver.holds.clear()
    desk = house.desk()
    await desk.look()
    await house.receiver.until(1)
    async with receiving() as other:
        asked = WebhookWanted(url=other.url)
        await house.webhooks.change(house.user.id, told.webhook.id, asked)
        house.receiver.holds.set()
        await desk.finished()
        now = await house.now(told)
        assert (now.is_active, now.failures, now.failing_since) == (True, 0, None)
        await house.send()
        assert other.ids() == [1]


async def test_a_slow_receiver_gives_its_place_back_after_a_while(house: House) -> None:
    def slow(_received: Received) -> int:
        house.clock.advance(6 * SECOND)
        return 200

    house.receiver.status = slow
    await house.webhook()
    await house.happened(*["deposit"] * 5)
    await house.send()
    assert house.receiver.ids() == [1, 2, 3]
    await house.send()
    assert house.receiver.ids() == [1, 2, 3, 4, 5]


async def _another(house: House, name: str = "bob") -> House:
    async with house.store.transaction() as tx:
        return replace(house, user=await tx.users.add(name, house.clock.now()))


async def test_a_test_arrives_as_one_and_tells_how_it_ended(house: House) -> None:
    told = await house.webhook()
    made = await house.webhooks.test(house.user.id, told.webhook.id)
    assert (made.state, made.event) == ("pending", None)
    await house.send()
    (got,) = house.receiver.got
    assert (got.event["id"], got.event["kind"]) == (None, "test")
    assert got.event["data"] == {"webhook_id": told.webhook.id}
    (delivery,) = await house.deliveries(told)
    assert delivery.state == "delivered"


async def test_what_waits_goes_to_a_new_address_with_a_new_secret(house: House) -> None:
    told = await house.webhook(url="http://127.0.0.1:1/")
    await house.happened("deposit")
    await house.send()
    (delivery,) = await house.deliveries(told)
    assert (delivery.state, delivery.error, delivery.status) == ("pending", "unreachable", None)
    asked = WebhookWanted(url=house.receiver.url, renews_secret=True)
    changed = await house.webhooks.change(house.user.id, told.webhook.id, asked)
    assert changed.secret is not None
    assert changed.secret != told.secret
    await house.send()
    (got,) = house.receiver.got
    text = got.headers["coffers-timestamp"].encode() + b"." + got.body
    key = changed.secret.reveal().encode()
    assert got.headers["coffers-signature"] == f"v1={hmac.digest(key, text, 'sha256').hex()}"


async def test_what_stepped_aside_goes_to_a_new_address_at_once(house: House) -> None:
    told = await house.webhook()
    house.receiver.status = 404
    await house.happened("deposit")
    await house.keep_sending(HOUR)
    async with receiving() as other:
        asked = WebhookWanted(url=other.url)
        await house.webhooks.change(house.user.id, told.webhook.id, asked)
        await house.send()
        assert other.ids() == [1]


async def test_what_stepped_aside_has_another_day_once_its_owner_lets_it_go_on(
    house: House,
) -> None:
    told = await house.webhook()
    house.receiver.status = 404
    await house.happened("deposit")
    await house.keep_sending(HOUR)
    await house.webhooks.change(house.user.id, told.webhook.id, WebhookWanted(is_active=False))
    house.clock.advance(2 * DAY)
    await house.webhooks.change(house.user.id, told.webhook.id, WebhookWanted(is_active=True))
    house.receiver.status = 503
    await house.send()
    house.receiver.status = 200
    house.clock.advance(HOUR + 20 * MINUTE)
    await house.send()
    (delivery,) = await house.deliveries(told)
    assert delivery.state == "delivered"


async def test_only_a_few_tests_wait_at_the_same_time(house: House) -> None:
    told = await house.webhook()
    for _ in range(MOST_TESTS):
        await house.webhooks.test(house.user.id, told.webhook.id)
    with pytest.raises(InvalidRecord, match="wait"):
        await house.webhooks.test(house.user.id, told.webhook.id)
    await house.send()
    assert len(house.receiver.got) == MOST_TESTS
    await house.webhooks.test(house.user.id, told.webhook.id)


async def test_an_inactive_webhook_sends_nothing_and_goes_on_where_it_stopped(
    house: House,
) -> None:
    told = await house.webhook()
    await house.webhooks.change(house.user.id, told.webhook.id, WebhookWanted(is_active=False))
    await house.happened("deposit")
    await house.send()
    assert house.receiver.got == []
    with pytest.raises(InvalidRecord, match="is_active"):
        await house.webhooks.test(house.user.id, told.webhook.id)
    await house.webhooks.change(house.user.id, told.webhook.id, WebhookWanted(is_active=True))
    await house.send()
    assert house.receiver.ids() == [1]


async def test_a_webhook_that_is_removed_amid_a_call_leaves_nothing(house: House) -> None:
    told = await house.webhook()
    await house.happened("deposit", "deposit")
    house.receiver.holds.clear()
    desk = house.desk()
    await desk.look()
    await house.receiver.until(1)
    await house.webhooks.remove(house.user.id, told.webhook.id)
    house.receiver.holds.set()
    await desk.finished()
    await house.send()
    assert house.receiver.ids() == [1]
    with pytest.raises(NotFound):
        await house.webhooks.get(house.user.id, told.webhook.id)


async def test_the_trail_names_the_host_alone(house: House) -> None:
    told = await house.webhook(url=f"{house.receiver.url}/fake-secret-path?key=fake-secret")
    await house.webhooks.remove(house.user.id, told.webhook.id)
    async with house.store.reading() as tx:
        trail = await tx.audit.of_user(house.user.id)
    assert [event.kind for event in trail] == ["webhook_removed", "webhook_added"]
    assert "fake-secret" not in repr(trail)


async def test_a_user_has_so_many_webhooks_and_sees_only_their_own(house: House) -> None:
    for _ in range(MOST_WEBHOOKS):
        told = await house.webhook()
    with pytest.raises(InvalidRecord):
        await house.webhook()
    async with house.store.transaction() as tx:
        bob = await tx.users.add("bob", NOW)
    for work in (
        house.webhooks.get(bob.id, told.webhook.id),
        house.webhooks.change(bob.id, told.webhook.id, WebhookWanted(is_active=False)),
        house.webhooks.remove(bob.id, told.webhook.id),
        house.webhooks.test(bob.id, told.webhook.id),
        house.webhooks.deliveries(bob.id, told.webhook.id, 10, None),
        house.webhooks.get(house.user.id, 2**40),
    ):
        with pytest.raises(NotFound):
            await work


async def test_tokens_that_are_over_are_forgotten_once_the_clock_has_settled(house: House) -> None:
    tokens = Tokens(house.store, house.vault, house.clock)
    issued = await tokens.create(house.user.id, Wanted(("accounts_read",), expires="1d"))
    house.clock.advance(92 * DAY)
    seconds = 0.0
    desk = house.desk()
    desk._settled = SettledClock(house.clock, lambda: seconds)
    await desk.forget_old()
    assert await tokens.of_user(house.user.id) == [issued.token]
    seconds = SETTLED_AFTER / 1000
    house.clock.advance(SETTLED_AFTER)
    await desk.forget_old()
    assert await tokens.of_user(house.user.id) == []


async def test_old_deliveries_and_events_are_forgotten(house: House) -> None:
    told = await house.webhook()
    await house.happened("deposit")
    await house.send()
    house.receiver.status = 503
    house.clock.advance(DAY)
    await house.happened("deposit")
    await house.send()
    desk = house.desk()
    house.clock.advance(KEPT_ENDED)
    await desk.forget_old()
    assert [each.event for each in await house.deliveries(told)] == [2]
    house.clock.advance(31 * DAY)
    await desk.forget_old()
    assert await house.deliveries(told) == []
    async with house.store.reading() as tx:
        assert await tx.events.after(house.user.id, 0, 10) == []


async def test_what_waits_since_a_clock_was_behind_is_not_lost(house: House) -> None:
    told = await house.webhook()
    await house.happened("deposit")
    await house.send()
    house.receiver.status = 503
    house.clock.set(NOW - 60 * DAY)
    await house.happened("withdrawal")
    await house.send()
    house.clock.set(NOW + HOUR)
    await house.desk().forget_old()
    assert [each.state for each in await house.deliveries(told)] == ["delivered", "pending"]
    house.receiver.status = 200
    await house.send()
    assert [each.event["kind"] for each in house.receiver.got][-1] == "withdrawal"
    house.clock.advance(31 * DAY)
    await house.desk().forget_old()
    assert await house.deliveries(told) == []


async def test_all_that_is_old_is_forgotten_and_others_get_their_turns_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_FORGOTTEN_AT_ONCE", 1)
    monkeypatch.setattr(events, "FORGOTTEN_AT_ONCE", 1)
    told = await house.webhook()
    await house.happened(*["deposit"] * 60)
    await house.keep_sending(MINUTE)
    house.clock.advance(31 * DAY)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    waiting = asyncio.create_task(others())
    await house.desk().forget_old()
    waiting.cancel()
    assert turns > 30
    assert await house.deliveries(told) == []
    async with house.store.reading() as tx:
        assert await tx.events.after(house.user.id, 0, 10) == []


async def test_a_receiver_that_failed_by_a_clock_ahead_is_given_up_as_soon_as_others(
    house: House,
) -> None:
    told = await house.webhook()
    house.receiver.status = 503
    house.clock.advance(9 * DAY)
    await house.happened("deposit")
    await house.send()
    house.clock.advance(-9 * DAY)
    async with house.store.transaction() as tx:
        held = await tx.webhooks.held(house.user.id, told.webhook.id)
        assert held is not None
        await tx.webhooks.keep(replace(held, next_at=house.clock.now()))
    await house.keep_sending(DAY + 3 * HOUR, HOUR)
    shown = await house.webhooks.get(house.user.id, told.webhook.id)
    assert not shown.is_active


async def test_nothing_is_forgotten_by_a_clock_that_was_just_set(house: House) -> None:
    await house.happened("deposit")
    desk = house.desk()
    desk._settled = SettledClock(house.clock)
    house.clock.advance(365 * DAY)
    await desk.forget_old()
    async with house.store.reading() as tx:
        assert len(await tx.events.after(house.user.id, 0, 10)) == 1


async def test_the_secret_is_sealed_and_moves_to_a_new_master_key(house: House) -> None:
    told = await house.webhook()
    assert told.secret is not None
    async with house.store.reading() as tx:
        (row,) = await tx.secrets.not_under("other", 10)
    assert (row.kind, row.user_id, row.id) == ("webhook", house.user.id, told.webhook.id)
    context = f"{row.kind}:{row.user_id}:{row.id}"
    assert house.vault.open(row.sealed, context) == Secret(told.secret.reveal())
    assert told.secret.reveal().encode() not in row.sealed.blob


def test_pauses_grow_to_an_hour() -> None:
    assert [RETRIES.after(n) for n in (1, 2, 20)] == [5 * SECOND, 10 * SECOND, Millis(HOUR)]
