import stored
from coffers.clock import Millis
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
