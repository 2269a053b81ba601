"""Opening the vault for the database at hand, and moving all that it holds to a new master key."""

from collections.abc import Callable
from dataclasses import dataclass

from coffers.clock import Clock
from coffers.errors import SettingsError
from coffers.secret import Secret
from coffers.settings import Settings
from coffers.store.engine import Store, Transaction
from coffers.store.records import AuditEvent, SealedRow
from coffers.store.rotations import alone
from coffers.vault.keyfile import has_key_file, make_key_file, read_key_file, replace_key_file
from coffers.vault.keyring import KeyRing, new_key, parse_ring
from coffers.vault.vault import Vault

REWRAPPED_AT_ONCE = 100
"""Records moved to the new key per transaction: what a killed rotation may have to do again."""

_CANARY = Secret("coffers master key check")

Progress = Callable[[int], None]
"""Told how many records have been moved so far."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Master keys that open what is stored: the one that seals, and if the database knows it."""

    key_id: str
    is_known: bool


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did: the key that now seals, and how many records were moved to it."""

    key_id: str
    moved: int
    resumed: bool


async def open_vault(settings: Settings, store: Store, clock: Clock) -> Vault:
    """Return the vault with the master keys of the settings, checked against the database.

    A key file is made where there is none and nothing was sealed yet.

    Raises:
        WrongMasterKey: when the database holds secrets that these keys do not open.
        SettingsError: when the keys cannot be read, or are none.
    """
    if await _lacks_keys(settings, store):
        make_key_file(settings.key_file)
    vault = Vault(lambda: _ring(settings))
    async with store.reading() as tx:
        has_canary = await _check(tx, vault)
    if not has_canary:
        async with store.transaction() as tx:
            await _add_canary(tx, vault, clock)
    return vault


async def looked_at(settings: Settings, store: Store) -> Keys | None:
    """Check the master keys of the settings against the database, and make and write nothing.

    None where there is no key yet, and none is needed.

    Raises:
        WrongMasterKey, SettingsError: as `open_vault`.
    """
    if await _lacks_keys(settings, store):
        return None
    vault = Vault(lambda: _ring(settings))
    async with store.reading() as tx:
        return Keys(is_known=await _check(tx, vault), key_id=vault.ring.current.id)


async def ring_for(settings: Settings, tx: Transaction) -> KeyRing:
    """Return the master keys as they are now, all that open what a transaction sees among them.

    Raises:
        WrongMasterKey, SettingsError: as `open_vault`.
    """
    vault = Vault(lambda: _ring(settings))
    await _check(tx, vault)
    return vault.ring


async def rotate(
    settings: Settings, store: Store, clock: Clock, progress: Progress = lambda _moved: None
) -> Rotation:
    """Move every sealed record to a new master key, then drop the old ones from the key file.

    May be killed at any line: the key file holds old and new keys until the last record is moved,
    and the next call goes on where this one ended. Keys that come from `COFFERS_MASTER_KEY` are
    the operator's: the first of them is the new one, and none is dropped.

    Raises:
        SettingsError: when the keys come from the environment and there is only one.
        WrongMasterKey: as `open_vault`.
        RotationRuns: when another process rotates the keys of this database.
    """
    async with alone(settings.direct_database()):
        return await _rotated(settings, store, clock, progress)


async def _rotated(settings: Settings, store: Store, clock: Clock, progress: Progress) -> Rotation:
    vault = await open_vault(settings, store, clock)
    has_old_keys = len(list(vault.ring)) > 1
    async with store.transaction() as tx:
        if not has_old_keys:
            # In here: a process that reads the new key meanwhile, and seals, waits on SQLite until
            # the database knows it.
            vault = _with_new_key(settings, vault)
        await _add_canary(tx, vault, clock)
    moved = await _move_all(store, vault, progress)
    await _drop_old_keys(settings, store, vault, clock)
    resumed = has_old_keys and _uses_file(settings)
    return Rotation(vault.ring.current.id, moved, resumed)


async def _lacks_keys(settings: Settings, store: Store) -> bool:
    async with store.reading() as tx:
        is_sealed = bool(await tx.secrets.canaries())
    return not is_sealed and _uses_file(settings) and not has_key_file(settings.key_file)


def _uses_file(settings: Settings) -> bool:
    return settings.master_key is None


def _ring(settings: Settings) -> KeyRing:
    if settings.master_key is not None:
        return parse_ring(settings.master_key.get_secret_value(), "COFFERS_MASTER_KEY")
    return read_key_file(settings.key_file)


async def _check(tx: Transaction, vault: Vault) -> bool:
    """Require every key in use, and that known texts open; tell if the current key has one."""
    canaries = await tx.secrets.canaries()
    for key_id in sorted(await tx.secrets.key_ids()):
        vault.require(key_id)
    for sealed in canaries:
        vault.open(sealed, _canary_context(sealed.key_id))
    return vault.ring.current.id in {sealed.key_id for sealed in canaries}


async def _add_canary(tx: Transaction, vault: Vault, clock: Clock) -> None:
    sealed = vault.seal_for(_CANARY, _canary_context)
    await tx.secrets.add_canary(sealed, clock.now())


def _canary_context(key_id: str) -> str:
    return f"vault-key:{key_id}"


def _with_new_key(settings: Settings, vault: Vault) -> Vault:
    if not _uses_file(settings):
        raise SettingsError(
            "COFFERS_MASTER_KEY holds one key; put a new one before it, a comma between, "
            "and rotate again (a new key: openssl rand -base64 32)"
        )
    replace_key_file(settings.key_file, [new_key(), *vault.ring])
    return Vault(lambda: _ring(settings))


async def _move_all(store: Store, vault: Vault, progress: Progress) -> int:
    moved = 0
    while rows := await _not_moved(store, vault):
        async with store.transaction() as tx:
            for row in rows:
                moved += await tx.secrets.replace(row, vault.rewrap(row.sealed, _context(row)))
        progress(moved)
    return moved


async def _not_moved(store: Store, vault: Vault) -> list[SealedRow]:
    async with store.reading() as tx:
        return await tx.secrets.not_under(vault.ring.current.id, REWRAPPED_AT_ONCE)


def _context(row: SealedRow) -> str:
    return f"{row.kind}:{row.user_id}:{row.id}"


async def _drop_old_keys(settings: Settings, store: Store, vault: Vault, clock: Clock) -> None:
    current = vault.ring.current
    async with store.transaction() as tx:
        for sealed in await tx.secrets.canaries():
            if sealed.key_id != current.id:
                await tx.secrets.remove_canary(sealed.key_id)
        # Behind that: whoever stores a secret under an old key has ended, and it is seen here, or
        # finds that the database does not know the key any more.
        if await tx.secrets.not_under(current.id, 1):
            raise SettingsError("records were sealed under an old key meanwhile; rotate again")
        await tx.audit.add(
            AuditEvent(None, clock.now(), "master_key_rotated", current.id, "all records moved")
        )
    # After the commit: a kill in between leaves a key too many in the file, never one too few.
    if _uses_file(settings):
        replace_key_file(settings.key_file, [current])
