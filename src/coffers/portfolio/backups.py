"""Backing up the whole database while everything runs, and putting it back into an empty one.

A backup is the same whichever database it is of: one of SQLite can be put into PostgreSQL.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from coffers import __version__
from coffers.clock import Clock
from coffers.errors import CoffersError, SettingsError
from coffers.portfolio.archive import BrokenArchive, Members
from coffers.portfolio.vaulting import open_vault, ring_for
from coffers.settings import Settings
from coffers.store.dump import Dump, dumping, filling
from coffers.store.engine import Store
from coffers.store.migrate import check_known
from coffers.vault.keyfile import has_key_file, read_key_file, replace_key_file
from coffers.vault.keyring import KeyRing, WrongMasterKey, parse_ring

FORMAT = 1
MANIFEST, KEYS, END = "manifest.json", "master.key", "end.json"

_T = TypeVar("_T")

Progress = Callable[[str, int, int], None]
"""Told the table, its rows so far, and how many it has (-1 where that is not known)."""


class Manifest(msgspec.Struct, frozen=True):
    """What a backup begins with; `made_at` in milliseconds."""

    format: int
    release: str
    revision: str
    database: str
    made_at: int
    has_master_key: bool


class _Part(msgspec.Struct, frozen=True):
    """Some rows of one table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[bool | int | str | None, ...], ...]


class _End(msgspec.Struct, frozen=True):
    """What a backup ends with: its rows by table."""

    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds: its beginning, and rows by table."""

    manifest: Manifest
    rows: Mapping[str, int]


class KeyChanged(CoffersError):
    """The master key is not the one any more that opens what is backed up."""

    def __init__(self) -> None:
        super().__init__("the master key was changed meanwhile; back up again")


async def back_up(
    settings: Settings,
    store: Store,
    clock: Clock,
    members: Members,
    *,
    with_master_key: bool,
    progress: Progress,
) -> BackedUp:
    """Write everything into an archive, as it is at one moment.

    Raises:
        SettingsError, WrongMasterKey: when the master key is not the database's.
        KeyChanged: when it was changed at that moment.
        StoreUnavailable: when the database cannot be read.
    """
    await open_vault(settings, store, clock)
    counts: dict[str, int] = {}
    async with dumping(store) as dump:
        now, kind = clock.now(), store.database.dialect
        manifest = Manifest(FORMAT, __version__, dump.revision, kind, now, with_master_key)
        members.add(MANIFEST, msgspec.json.encode(manifest))
        if with_master_key:
            ring = await _ring_of(settings, dump)
            members.add(KEYS, "".join(f"{key.text()}\n" for key in ring).encode())
        for table in dump.tables:
            counts[table], expected, part = 0, await dump.count(table), 0
            async for rows in dump.rows(table):
                part += 1
                content = msgspec.json.encode({"columns": dump.columns(table), "rows": rows})
                members.add(f"tables/{table}/{part:08d}.json", content)
                counts[table] += len(rows)
                progress(table, counts[table], expected)
        members.add(END, msgspec.json.encode(_End(counts)))
    return BackedUp(manifest, counts)


async def _ring_of(settings: Settings, dump: Dump) -> KeyRing:
    """Return the keys that open what is backed up: before the dump began they may be others."""
    try:
        return await ring_for(settings, dump.transaction)
    except WrongMasterKey as error:
        raise KeyChanged from error


def checked(members: Iterator[tuple[str, bytes]], progress: Progress) -> BackedUp:
    """Read a backup to its end and write nothing.

    Raises:
        BrokenArchive: when it is not whole.
        DatabaseTooNew: when a later release made the backup.
    """
    manifest, _, first = _begun(members)
    check_known(manifest.revision)
    counts: dict[str, int] = {}
    for table, _ in _parts(first, members, counts):
        progress(table, counts[table], -1)
    return BackedUp(manifest, counts)


async def restore(
    settings: Settings,
    store: Store,
    members: Iterator[tuple[str, bytes]],
    progress: Progress,
) -> BackedUp:
    """Put a backup into an empty database, with the master key where the backup has it.

    All of it is there afterwards, or nothing; a restore that was killed can be begun again.

    Raises:
        BrokenArchive: when the backup is not whole.
        NotEmpty: when the database holds something.
        DatabaseTooNew: when a later release made the backup.
        SettingsError: when there are master keys already that are not the backup's.
    """
    manifest, keys, first = _begun(members)
    counts: dict[str, int] = {}
    async with filling(store, manifest.revision) as target:
        for table, part in _parts(first, members, counts):
            await target.add(table, part.columns, part.rows)
            progress(table, counts[table], -1)
        # Before the commit: a restored database without its key would look like a good one.
        _put_keys(settings, keys)
    return BackedUp(manifest, counts)


def _begun(
    members: Iterator[tuple[str, bytes]],
) -> tuple[Manifest, KeyRing | None, tuple[str, bytes]]:
    """Return what stands before the tables, and the first member behind it."""
    name, content = _next(members)
    if name != MANIFEST:
        raise BrokenArchive("this is no backup of Coffers")
    manifest = _decoded(content, Manifest)
    if manifest.format != FORMAT:
        raise CoffersError(
            f"the backup has format {manifest.format}, made by release {manifest.release}; "
            "restore it with that release or a later one"
        )
    name, content = _next(members)
    if not manifest.has_master_key:
        return manifest, None, (name, content)
    if name != KEYS:
        raise BrokenArchive("the backup lacks its master key")
    return manifest, parse_ring(content.decode(), "the backup"), _next(members)


def _parts(
    first: tuple[str, bytes], members: Iterator[tuple[str, bytes]], counts: dict[str, int]
) -> Iterator[tuple[str, _Part]]:
    """Yield the rows by table, counted; at the end their numbers have to be as they were told."""
    name, content = first
    while name != END:
        table = name.split("/")[1] if name.startswith("tables/") else ""
        part = _decoded(content, _Part)
        counts[table] = counts.get(table, 0) + len(part.rows)
        yield table, part
        name, content = _next(members)
    told = {table: count for table, count in _decoded(content, _End).rows.items() if count}
    if told != counts:
        raise BrokenArchive("the backup does not hold as many rows as it says")


def _next(members: Iterator[tuple[str, bytes]]) -> tuple[str, bytes]:
    found = next(members, None)
    if found is None:
        raise BrokenArchive("the backup is cut off")
    return found


def _decoded(content: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise BrokenArchive("the backup is damaged") from error


def _put_keys(settings: Settings, ring: KeyRing | None) -> None:
    """Write the key file of a machine that has none; existing keys have to be the backup's."""
    if settings.master_key is not None or ring is None:
        return
    path = settings.key_file
    if not has_key_file(path):
        replace_key_file(path, list(ring))
    elif {key.id for key in ring} - {key.id for key in read_key_file(path)}:
        raise SettingsError(
            f"{path} holds other master keys than the backup; move it away and restore again"
        )
