import stored
from coffers.clock import Millis
from coffers.store.audit import TrailFilter
from coffers.store.engine import Store
from coffers.store.records import AuditEvent
from factories import NOW


async def test_a_users_events_come_newest_first_and_no_one_elses(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    first = AuditEvent(ann.id, NOW, "account.added", "1", "binance")
    same_moment = AuditEvent(ann.id, NOW, "account.renamed", "1", "Savings")
    newest = AuditEvent(ann.id, Millis(NOW + 1), "account.removed", "1", "")
    others = AuditEvent(bob.id, NOW, "token.added", "2", "")
    nobodys = AuditEvent(None, NOW, "keys.rotated", "", "k2")
    async with store.transaction() as tx:
        for event in (newest, first, others, same_moment, nobodys):
            await tx.audit.add(event)
    async with store.reading() as tx:
        assert await tx.audit.of_user(ann.id) == [newest, same_moment, first]
        assert await tx.audit.of_user(ann.id, limit=1) == [newest]


async def test_the_trail_pages_on_from_an_event_whatever_came_meanwhile(store: Store) -> None:
    ann, bob = await stored.user(store, "ann"), await stored.user(store, "bob")
    moments = (3, 1, 2, 2, 2, 5)
    for number, moment in enumerate(moments):
        event = AuditEvent(ann.id, Millis(NOW + moment), "signed_in", "ann", str(number))
        async with store.transaction() as tx:
            await tx.audit.add(event)
            await tx.audit.add(AuditEvent(bob.id, event.at, "signed_in", "bob", ""))
    told, before = [], None
    while True:
        async with store.transaction() as tx:
            page = await tx.audit.page(TrailFilter(ann.id), 2, before)
            await tx.audit.add(AuditEvent(ann.id, Millis(NOW + 9), "signed_in", "ann", "new"))
        if not page:
            break
        told += [(each.event.details, each.user_name) for each in page]
        before = page[-1]
    assert told == [(number, "ann") for number in ("5", "0", "4", "3", "2", "1")]


async def test_the_trail_is_asked_for_by_kind_and_from_a_moment_on(store: Store) -> None:
    ann = await stored.user(store, "ann")
    async with store.transaction() as tx:
        for at, kind in ((0, "signed_in"), (1, "signed_out"), (2, "signed_in")):
            await tx.audit.add(AuditEvent(ann.id, Millis(NOW + at), kind, "ann", ""))
        await tx.audit.add(AuditEvent(None, Millis(NOW + 3), "master_key_rotated", "k2", ""))
    async with store.reading() as tx:
        found = await tx.audit.page(TrailFilter(kinds=["signed_in"], since=Millis(NOW + 1)), 9)
        assert [(each.event.at, each.event.kind) for each in found] == [(NOW + 2, "signed_in")]
        everybodys = await tx.audit.page(TrailFilter(), 9)
        assert [each.user_name for each in everybodys] == [None, "ann", "ann", "ann"]
        assert await tx.audit.kinds() == ["master_key_rotated", "signed_in", "signed_out"]
        assert await tx.audit.get(everybodys[0].number + 1) is None
