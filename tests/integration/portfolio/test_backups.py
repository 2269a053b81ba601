"""Backups: all of it, as of one moment, from either database into either; or nothing."""

import io
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from sqlalchemy import func, select

from coffers.clock import DAY, ManualClock, Millis
from coffers.errors import CoffersError, SettingsError, UsageError
from coffers.portfolio import backups
from coffers.portfolio.archive import (
    BrokenArchive,
    Recipient,
    identities_in,
    new_identity,
    read,
    recipient_of,
    written,
)
from coffers.portfolio.backups import BackedUp, KeyChanged, back_up, checked, restore
from coffers.portfolio.vaulting import open_vault, rotate
from coffers.secret import Secret
from coffers.settings import Settings
from coffers.store.dump import Dump, NotEmpty, dumping
from coffers.store.engine import Store
from coffers.store.errors import DatabaseTooNew
from coffers.store.events import NewEvent
from coffers.store.migrate import prepare, revision
from coffers.store.paper import PaperOrder
from coffers.store.passkeys import Passkey
from coffers.store.records import AuditEvent, Portfolio
from coffers.store.revision import NEWEST
from coffers.store.rollups import TIERS
from coffers.store.tables import audit_events
from coffers.valuation.model import Flow, Snapshot, Value
from factories import NOW
from served import add_account, add_book, serving

CLOCK = ManualClock(NOW)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.txt"
    path.write_text(new_identity()[0])
    return path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.txt"
    path.write_text(new_identity()[0])
    return path


@pytest.fixture
async def blank_store(blank_url: str) -> AsyncIterator[Store]:
    opened = Store(blank_url)
    yield opened
    await opened.close()


def quiet(_table: str, _rows: int, _expected: int) -> None:
    pass


def public_of(key: Path) -> Recipient:
    return recipient_of(key.read_text().split("public key: ")[1].split()[0])


def settings(place: Path, store: Store) -> Settings:
    place.mkdir(exist_ok=True)
    return Settings(data_dir=place, database_url=store.url.replace("+asyncpg", ""))


async def made(place: Path, store: Store, key: Path, *, with_master_key: bool = True) -> bytes:
    """Return a backup."""
    file = io.BytesIO()
    public = public_of(key)
    configured = settings(place, store)
    with written(file, [public], 0) as members:
        await back_up(
            configured, store, CLOCK, members, with_master_key=with_master_key, progress=quiet
        )
    return file.getvalue()


@contextmanager
def opened(backup: bytes, key: Path) -> Iterator[Iterator[tuple[str, bytes]]]:
    with read(io.BytesIO(backup), identities_in(key)) as members:
        yield members


async def put(place: Path, store: Store, backup: bytes, key: Path) -> BackedUp:
    with opened(backup, key) as members:
        return await restore(settings(place, store), store, members, quiet)


async def all_rows(store: Store) -> dict[str, list[dict[str, object]]]:
    found = {}
    async with dumping(store) as dump:
        for table in dump.tables:
            rows = [row async for some in dump.rows(table) for row in some]
            named = [dict(zip(dump.columns(table), row, strict=True)) for row in rows]
            found[table] = sorted(named, key=str)
    return found


async def filled(place: Path, store: Store) -> None:
    """Put an owner with two accounts, a token, prices, a snapshot and a flow into a database."""
    vault = await open_vault(settings(place, store), store, CLOCK)
    async with serving(store, vault) as api:
        caller = await api.caller()
        await add_account(store, caller.user, "Öne", held={"BTC": "0.10000000000000000000001"})
        account = await add_account(store, caller.user, "Two", held={"ETH": "77" * 35})
        await add_book(store)
    flow = Flow("f1", "in", "ETH", "ETH", Decimal("1.5"), Decimal(0), "ETH", Millis(NOW - 5000))
    async with store.transaction() as tx:
        user_id = caller.user.id
        await tx.history.add_flows(user_id, account.id, [flow])
        app = vault.seal(Secret("secret of an app"), f"totp:{user_id}:{user_id}")
        await tx.factors.begin_totp(user_id, app, NOW)
        await tx.factors.set_recovery_codes(user_id, ["hash 1", "hash 2"], NOW)
        key = Passkey(user_id, "id", "Key", "localhost", b"\x00\xff", 7, ("usb",), NOW)
        await tx.passkeys.add(key)


async def test_everything_comes_back_in_either_database(
    tmp_path: Path, store: Store, blank_store: Store, key: Path
) -> None:
    await filled(tmp_path / "old", store)
    backup = await made(tmp_path / "old", store, key)
    told = await put(tmp_path / "new", blank_store, backup, key)
    assert await all_rows(blank_store) == await all_rows(store)
    assert (told.rows["users"], told.rows["accounts"]) == (1, 2)
    factors = [told.rows[name] for name in ("totp_secrets", "recovery_codes", "passkeys")]
    assert factors == [1, 2, 1]
    assert await revision(blank_store) == NEWEST
    kept = [(tmp_path / place / "master.key").read_text() for place in ("old", "new")]
    assert kept[0].split()[-1] == kept[1].split()[-1]
    await open_vault(settings(tmp_path / "new", blank_store), blank_store, CLOCK)


async def test_rolled_up_snapshots_come_back_once_each(
    tmp_path: Path, store: Store, blank_store: Store, key: Path
) -> None:
    await filled(tmp_path / "old", store)
    async with store.transaction() as tx:
        owner = await tx.users.by_name("ann")
        assert owner is not None
        account = (await tx.accounts.of_user(owner.id))[0]
        for days in (90, 89, 9, 8):
            worth = Value(Decimal(1), Decimal(days))
            snapshot = Snapshot(Millis(NOW - days * DAY), worth)
            await tx.history.add_snapshot(owner.id, account.id, snapshot)
    for tier in TIERS:
        async with store.transaction() as tx:
            await tx.rollups.roll_up(tier, Millis(NOW))
    rows = await all_rows(store)
    assert {row["tier"] for row in rows["snapshots"]} == {0, 1, 2}
    assert len(rows["snapshot_rollups"]) == 3
    await put(tmp_path / "new", blank_store, await made(tmp_path / "old", store, key), key)
    assert await all_rows(blank_store) == rows
    async with blank_store.reading() as tx:
        page = await tx.history.snapshot_page(owner.id, account.id, 9, until=Millis(NOW))
    assert len(page) == len({each.at for each in page}) == 5


async def test_what_is_restored_goes_on_growing(
    tmp_path: Path, store: Store, blank_store: Store, key: Path
) -> None:
    await filled(tmp_path / "old", store)
    before = [await one_of_everything(store, f"before {number}") for number in range(2)]
    backup = await made(tmp_path / "old", store, key)
    await put(tmp_path / "new", blank_store, backup, key)
    after = await one_of_everything(blank_store, "after")
    assert after == {name: number + 1 for name, number in before[-1].items()}


async def one_of_everything(store: Store, name: str) -> dict[str, int]:
    """Write one of all that is numbered, and return the numbers."""
    async with store.reading() as tx:
        owner = await tx.users.by_name("ann")
    assert owner is not None
    account = await add_account(store, owner, name)
    one = Decimal(1)
    order = PaperOrder("buy", "BTC", "USD", one, one, one, one, (), 1, NOW)
    portfolio = Portfolio(0, owner.id, name, {"BTC": Decimal(100)}, one, True, NOW, NOW)
    async with store.transaction() as tx:
        own = owner.id, account.id
        operation, _ = await tx.operations.begin(*own, "transfer", name, "", NOW)
        await tx.events.add(owner.id, [NewEvent("account_connected", NOW, {})])
        await tx.audit.add(AuditEvent(owner.id, NOW, "test", name, ""))
        return {
            "user": (await tx.users.add(name, NOW)).id,
            "account": account.id,
            "token": await tx.tokens.next_id(),
            "operation": operation.id,
            "portfolio": (await tx.portfolios.add(portfolio)).id,
            "paper order": await tx.paper.add_order(*own, order, None),
            "webhook": await tx.webhooks.new_id(),
            "errand": await tx.errands.new_id(),
            "book": (await tx.prices.save_book({}, NOW)).epoch,
            "event": (await tx.events.heads({owner.id}))[owner.id],
            "audit": await tx.connection.scalar(select(func.max(audit_events.c.id))),
        }


async def test_a_backup_is_of_one_moment(
    tmp_path: Path, store: Store, blank_store: Store, key: Path
) -> None:
    await filled(tmp_path / "old", store)
    before = await all_rows(store)
    async with store.reading() as tx:
        owner = await tx.users.by_name("ann")
    assert owner is not None
    added: list[str] = []
    file = io.BytesIO()
    public = public_of(key)
    configured = settings(tmp_path / "old", store)
    async with dumping(store) as dump:
        for table in dump.tables:
            added.append(f"While {table}")
            await add_account(store, owner, added[-1])
            assert [row async for some in dump.rows(table) for row in some] != [None]
            assert len(before[table]) == await dump.count(table)
    with written(file, [public], 0) as members:
        done = await back_up(
            configured, store, CLOCK, members, with_master_key=True, progress=quiet
        )
    assert done.rows["accounts"] == 2 + len(added)
    told = await put(tmp_path / "new", blank_store, file.getvalue(), key)
    assert told.rows == {table: count for table, count in done.rows.items() if count}


async def test_a_backup_of_an_earlier_release_is_upgraded(
    tmp_path: Path, blank_store: Store, key: Path
) -> None:
    part = b"""{"columns":["id","name","mode","display_currency","version","created_at"],
        "rows":[[1,"ann","real","USD",1,5]]}"""
    members = [
        ("manifest.json", GOOD),
        ("tables/users/1.json", part),
        ("end.json", b'{"rows":{"users":1,"accounts":0}}'),
    ]
    await put(tmp_path / "new", blank_store, archive_of(key, members), key)
    assert await revision(blank_store) == NEWEST
    async with blank_store.reading() as tx:
        owner = await tx.users.get(1)
    assert owner is not None
    assert (owner.name, owner.locale) == ("ann", "en")


async def test_a_database_with_something_in_it_is_left_alone(
    tmp_path: Path, store: Store, key: Path
) -> None:
    await filled(tmp_path / "old", store)
    backup, before = await made(tmp_path / "old", store, key), await all_rows(store)
    with pytest.raises(NotEmpty):
        await put(tmp_path / "old", store, backup, key)
    assert await all_rows(store) == before


async def test_a_database_that_holds_a_key_alone_is_as_good_as_empty(
    tmp_path: Path, sqlite_store: Store, blank_store: Store, key: Path
) -> None:
    await filled(tmp_path / "old", sqlite_store)
    await prepare(blank_store, allow_upgrade=True)
    await open_vault(settings(tmp_path / "new", blank_store), blank_store, CLOCK)
    (tmp_path / "new/master.key").unlink()
    backup = await made(tmp_path / "old", sqlite_store, key)
    await put(tmp_path / "new", blank_store, backup, key)
    assert await all_rows(blank_store) == await all_rows(sqlite_store)


@pytest.mark.parametrize("cut", [1, 20, 400])
async def test_a_backup_that_is_cut_off_restores_nothing(
    tmp_path: Path, sqlite_store: Store, blank_store: Store, key: Path, cut: int
) -> None:
    await filled(tmp_path / "old", sqlite_store)
    backup = await made(tmp_path / "old", sqlite_store, key)
    with pytest.raises(BrokenArchive):
        await put(tmp_path / "new", blank_store, backup[:-cut], key)
    assert await revision(blank_store) is None
    told = await put(tmp_path / "new", blank_store, backup, key)
    assert told.rows["accounts"] == 2


async def test_a_changed_byte_is_noticed(tmp_path: Path, sqlite_store: Store, key: Path) -> None:
    await filled(tmp_path / "old", sqlite_store)
    backup = await made(tmp_path / "old", sqlite_store, key)
    for at in range(0, len(backup), len(backup) // 23):
        changed = backup[:at] + bytes([backup[at] ^ 1]) + backup[at + 1 :]
        with pytest.raises(BrokenArchive), opened(changed, key) as members:
            checked(members, quiet)


async def test_another_key_opens_nothing(
    tmp_path: Path, sqlite_store: Store, key: Path, other: Path
) -> None:
    await filled(tmp_path / "old", sqlite_store)
    backup = await made(tmp_path / "old", sqlite_store, key)
    with pytest.raises(BrokenArchive, match="another key"), opened(backup, other) as members:
        checked(members, quiet)


async def test_nothing_of_it_stands_in_the_clear(
    tmp_path: Path, sqlite_store: Store, key: Path
) -> None:
    await filled(tmp_path / "old", sqlite_store)
    backup = await made(tmp_path / "old", sqlite_store, key)
    for word in (b"ann", b"accounts", b"master", b"manifest"):
        assert word not in backup[200:]


async def test_other_master_keys_are_not_overwritten(
    tmp_path: Path, sqlite_store: Store, blank_store: Store, key: Path
) -> None:
    await filled(tmp_path / "old", sqlite_store)
    backup = await made(tmp_path / "old", sqlite_store, key)
    (tmp_path / "new").mkdir()
    own = tmp_path / "new" / "master.key"
    own.write_text("A" * 43 + "=\n")
    own.chmod(0o600)
    with pytest.raises(SettingsError, match="other master keys"):
        await put(tmp_path / "new", blank_store, backup, key)
    assert own.read_text() == "A" * 43 + "=\n"
    assert await revision(blank_store) is None


async def test_the_master_key_can_be_left_out(
    tmp_path: Path, sqlite_store: Store, blank_store: Store, key: Path
) -> None:
    await filled(tmp_path / "old", sqlite_store)
    backup = await made(tmp_path / "old", sqlite_store, key, with_master_key=False)
    await put(tmp_path / "new", blank_store, backup, key)
    assert not (tmp_path / "new" / "master.key").exists()
    with pytest.raises(CoffersError):
        await open_vault(settings(tmp_path / "new", blank_store), blank_store, CLOCK)


async def test_a_master_key_that_was_changed_before_the_moment_of_a_backup_is_in_it(
    tmp_path: Path, store: Store, blank_store: Store, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(tmp_path / "old", store)

    @asynccontextmanager
    async def late(store: Store) -> AsyncIterator[Dump]:
        await rotate(settings(tmp_path / "old", store), store, CLOCK)
        async with dumping(store) as dump:
            yield dump

    monkeypatch.setattr(backups, "dumping", late)
    await put(tmp_path / "new", blank_store, await made(tmp_path / "old", store, key), key)
    await open_vault(settings(tmp_path / "new", blank_store), blank_store, CLOCK)


async def test_no_backup_is_made_with_a_master_key_that_was_changed_behind_its_moment(
    tmp_path: Path, store: Store, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(tmp_path / "old", store)

    @asynccontextmanager
    async def early(store: Store) -> AsyncIterator[Dump]:
        async with dumping(store) as dump:
            await rotate(settings(tmp_path / "old", store), store, CLOCK)
            yield dump

    monkeypatch.setattr(backups, "dumping", early)
    with pytest.raises(KeyChanged, match="back up again"):
        await made(tmp_path / "old", store, key)
    monkeypatch.undo()
    await made(tmp_path / "old", store, key)


def archive_of(key: Path, members: Sequence[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    public = public_of(key)
    with written(file, [public], 0) as into:
        for name, content in members:
            into.add(name, content)
    return file.getvalue()


GOOD = (
    b'{"format":1,"release":"0.1.0","revision":"0007","database":"sqlite","made_at":1,'
    b'"has_master_key":false}'
)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([], "cut off"),
        ([("letter.txt", b"hello")], "no backup of Coffers"),
        ([("manifest.json", b"{")], "damaged"),
        ([("manifest.json", GOOD)], "cut off"),
        ([("manifest.json", GOOD.replace(b":1,", b":2,", 1))], "format 2"),
        ([("manifest.json", GOOD), ("tables/users/1.json", b"[]")], "damaged"),
        ([("manifest.json", GOOD), ("end.json", b'{"rows":{"users":3}}')], "as many rows"),
        (
            [("manifest.json", GOOD), ("tables/x/1.json", b'{"columns":["a"],"rows":[[1]]}')],
            "table x is not one",
        ),
    ],
)
async def test_what_is_no_backup_is_told(
    tmp_path: Path, blank_store: Store, key: Path, members: list[tuple[str, bytes]], said: str
) -> None:
    with pytest.raises(CoffersError, match=said):
        await put(tmp_path / "new", blank_store, archive_of(key, members), key)
    assert await revision(blank_store) is None


def test_a_look_at_a_backup_of_a_later_release_says_that_it_cannot_be_put_back(key: Path) -> None:
    members = [("manifest.json", GOOD.replace(b"0007", b"9999")), ("end.json", b'{"rows":{}}')]
    with pytest.raises(DatabaseTooNew), opened(archive_of(key, members), key) as backup:
        checked(backup, quiet)


def test_keys_of_ssh_open_backups_too(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    key = tmp_path / "id_ed25519"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    file = io.BytesIO()
    with written(file, [recipient_of(f"{public} ann@home")], 0) as members:
        members.add("a", b"b")
    with opened(file.getvalue(), key) as found:
        assert list(found) == [("a", b"b")]


def test_a_private_key_is_no_recipient_and_is_not_repeated() -> None:
    private = str(pyrage.x25519.Identity.generate())
    with pytest.raises(UsageError) as refused:
        recipient_of(private)
    assert private not in str(refused.value)


@pytest.mark.parametrize("content", ["", "# nothing\n", "hello", "AGE-SECRET-KEY-1"])
def test_a_file_without_a_key_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "k"
    path.write_text(content)
    with pytest.raises(UsageError, match="no private key"):
        identities_in(path)


def test_a_key_file_that_went_through_an_editor_opens(tmp_path: Path) -> None:
    path, text = tmp_path / "k", new_identity()[0].replace("\n", "\r\n")
    path.write_text(text, encoding="utf-8-sig")
    assert len(identities_in(path)) == 1


async def test_a_disk_that_is_full_is_told(tmp_path: Path, sqlite_store: Store, key: Path) -> None:
    await filled(tmp_path / "old", sqlite_store)

    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, _data: object) -> int:
            raise OSError(28, "No space left on device")

    public = public_of(key)
    with pytest.raises(OSError, match="No space"), written(Full(), [public], 0) as members:
        members.add("a", b"b" * 5_000_000)
