"""What a release before stored of a long past is found by what finds it now."""

from decimal import Decimal

import pytest
from sqlalchemy import text

import stored
from coffers.store.audit import TrailFilter
from coffers.store.engine import Store
from coffers.store.errors import StoreUnavailable
from coffers.store.migrate import migrated, revision, upgrade
from coffers.store.records import AuditEvent
from coffers.store.revision import NEWEST
from coffers.valuation.model import Value
from coffers.valuation.transfers import Leg
from factories import NOW


async def test_a_long_past_of_before_is_found_by_what_finds_it_now(blank_url: str) -> None:
    blank = Store(blank_url)
    async with blank.connection() as connection:
        await connection.run_sync(migrated("0027"))
    owner = await stored.user(blank)
    known = await stored.account(blank, owner)
    own = owner.id, known.id
    valued = stored.flow("valued", NOW, Value(Decimal(1), Decimal(1)), txid="0x" + "AB" * 32)
    async with blank.transaction() as tx:
        await tx.history.add_flows(*own, [valued, stored.flow("unvalued", NOW)])
        await tx.audit.add(AuditEvent(None, NOW, "k", "", ""))
    async with blank.connection() as connection:
        # Nothing half done stays of an upgrade that is cut off before its end.
        await connection.execute(text("CREATE INDEX ix_audit_events_at ON audit_events (kind)"))
    with pytest.raises(StoreUnavailable):
        await upgrade(blank)
    assert await revision(blank) == "0027"
    async with blank.connection() as connection:
        await connection.execute(text("DROP INDEX ix_audit_events_at"))
    assert await upgrade(blank) == ("0027", NEWEST)
    async with blank.reading() as tx:
        asked = Leg(known.id, "real", stored.flow("other", NOW, txid="ab" * 32))
        assert [leg.flow for leg in await tx.transfers.tied(owner.id, [asked])] == [valued]
        unvalued = await tx.history.unvalued_flows(*own, NOW, 9)
        assert [flow.external_id for flow in unvalued] == ["unvalued"]
        assert len(await tx.audit.page(TrailFilter(), 9)) == 1
    await blank.close()
