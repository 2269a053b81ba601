"""Tables as CSV: the same values as the API tells, and nothing that a spreadsheet would run."""

import csv
import io
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

import stored
from coffers.clock import DAY, HOUR, Millis, iso
from coffers.portfolio.exports import BATCH_SIZE, safe
from coffers.store.engine import Store
from coffers.valuation.model import Position, Value
from factories import NOW
from served import Caller, Served, add_account, add_book, serving

OWN = "/public/api/v1/accounts"
FORMULA = '=HYPERLINK("http://x","y")'


@pytest.fixture
async def served(sqlite_store: Store) -> AsyncIterator[Served]:
    async with serving(sqlite_store) as running:
        yield running


@pytest.fixture
async def ann(served: Served) -> Caller:
    return await served.caller()


async def rows(served: Served, caller: Caller, target: str) -> list[dict[str, str]]:
    answer = await served.get(caller, target)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="coffers-')
    assert answer.text.endswith("\r\n")
    assert answer.text.replace("\r\n", "").count("\r") == 0
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))


async def test_positions_have_exact_amounts_and_empty_cells_for_the_unknown(
    served: Served, ann: Caller
) -> None:
    store = served.services.store
    account = await add_account(store, ann.user, FORMULA)
    tiny = Decimal("0.000000000000000000123456789012345678901234567890")
    held = [Position("spot", "BTC", "XXBT", tiny), Position("spot", "NEW", "@NEW", Decimal(-1))]
    async with store.transaction() as tx:
        await tx.holdings.replace(ann.user.id, account.id, {"spot"}, held)
    await add_book(store)
    bitcoin, new = await rows(served, ann, f"{OWN}/{account.id}/export/positions.csv")
    assert Decimal(bitcoin["owned"]) == tiny
    assert bitcoin["account_name"] == f"'{FORMULA}"
    assert bitcoin["usd_value"] == "0.0000000000000061728394506172839450617283945"
    assert (new["venue_code"], new["owned"]) == ("'@NEW", "-1.0")
    assert (new["usd_value"], new["price_usd"], new["state"]) == ("", "", "unpriced")


async def test_long_tables_lose_and_repeat_nothing(served: Served, ann: Caller) -> None:
    store = served.services.store
    ids = [(await add_account(store, ann.user, f"A{n}")).id for n in range(2)]
    count = 2 * BATCH_SIZE
    async with store.transaction() as tx:
        for n in range(count):
            at = Millis(NOW - n * HOUR // 60)
            await tx.history.add_snapshot(ann.user.id, ids[0], stored.snapshot(at, "5"))
        worth = Value(Decimal(1), Decimal(2))
        flows = [stored.flow(f"f{n}", NOW - n // 2, worth) for n in range(count)]
        await tx.history.add_flows(ann.user.id, ids[0], flows)
    history = await rows(served, ann, f"{OWN}/summary/export/history.csv")
    own = [each["at"] for each in history if each["account_id"] == str(ids[0])]
    assert len(own) == count + 1
    assert own == sorted(set(own))
    assert sum(each["account_id"] == str(ids[1]) for each in history) == 1
    flows_told = await rows(served, ann, f"{OWN}/{ids[0]}/export/flows.csv")
    assert len({each["id"] for each in flows_told}) == len(flows_told) == count
    later = await rows(served, ann, f"{OWN}/{ids[0]}/export/flows.csv?from=2999-01-01")
    assert later == []


async def test_a_day_of_each_table_ends_before_midnight_and_a_time_is_in_it(
    served: Served, ann: Caller
) -> None:
    account = await add_account(served.services.store, ann.user)
    midnight = Millis(NOW // DAY * DAY)
    noon = Millis(midnight - DAY // 2)
    async with served.services.store.transaction() as tx:
        for at in (noon, midnight):
            await tx.history.add_snapshot(ann.user.id, account.id, stored.snapshot(at, "5"))
            await tx.history.add_flows(ann.user.id, account.id, [stored.flow(f"f{at}", at)])
    day = iso(noon)[:10]
    for table in ("flows", "history"):
        target = f"{OWN}/{account.id}/export/{table}.csv?from={day}&to="
        for until, expected in (
            (day, [noon]),
            (iso(noon), [noon]),
            (iso(midnight), [noon, midnight]),
        ):
            found = await rows(served, ann, f"{target}{until}")
            assert sorted(each["at"] for each in found) == [iso(Millis(at)) for at in expected]


async def test_what_is_no_table_or_nobodys_account_is_not_found(
    served: Served, ann: Caller
) -> None:
    account = await add_account(served.services.store, ann.user)
    bob = await served.caller("bob")
    for caller, target in (
        (ann, f"{OWN}/{account.id}/export/secrets.csv"),
        (ann, f"{OWN}/summary/export/x.csv"),
        (bob, f"{OWN}/{account.id}/export/flows.csv"),
    ):
        assert (await served.get(caller, target)).status_code == 404
    odd = await served.get(ann, f"{OWN}/{account.id}/export/flows.csv?from=x")
    assert odd.status_code == 400


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x"]
)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["A;=1", "A\t=1", 'A;"=1;', 'A";=1', "A;\t=1", "A\n@SUM(1)"])
async def test_what_would_begin_another_cell_is_no_formula_either(
    served: Served, ann: Caller, text: str
) -> None:
    account = await add_account(served.services.store, ann.user, text, held={"BTC": "1"})
    table = (await served.get(ann, f"{OWN}/{account.id}/export/positions.csv")).text
    for separator in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(table, newline=""), delimiter=separator):
            assert not [cell for cell in row if cell.startswith(("=", "@"))]


@pytest.mark.parametrize("text", ["", "Main", "a=1", "1-1", "a; b", "a;b=c", "a,-b"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert safe(text) == text
