"""The master key: made, checked at start, rotated, and a rotation that is cut off anywhere."""

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coffers.clock import ManualClock
from coffers.connectors.reading import Credentials
from coffers.errors import SettingsError
from coffers.portfolio import vaulting
from coffers.portfolio.errand_forms import CHECK
from coffers.portfolio.errands import Errands
from coffers.portfolio.tokens import Tokens, Wanted
from coffers.portfolio.vaulting import Keys, looked_at, open_vault, rotate
from coffers.portfolio.webhooks import Webhooks, WebhookWanted
from coffers.secret import Secret
from coffers.settings import Settings
from coffers.store.engine import Store
from coffers.store.errors import UnknownMasterKey
from coffers.store.records import NewAccount
from coffers.store.rotations import RotationRuns
from coffers.sync.credentials import open_credentials, seal_credentials
from coffers.vault.keyfile import read_key_file, replace_key_file
from coffers.vault.keyring import KeyRing, WrongMasterKey, new_key
from coffers.vault.vault import Vault
from factories import NOW

CLOCK = ManualClock(NOW)


def plain(url: str) -> str:
    """Return a database's URL as a setting has it, without the driver's name."""
    return url.replace("+asyncpg", "")


def key_text() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


async def fill(settings: Settings, store: Store, number: int = 5) -> None:
    """Add a user with a token and accounts, each with a sealed secret of its own."""
    vault = await open_vault(settings, store, CLOCK)
    async with store.transaction() as tx:
        user = await tx.users.add("ann", NOW)
        for count in range(number):
            new = NewAccount(user.id, "binance", f"Account {count}", api_key=f"key-{count}")
            account = await tx.accounts.add(
                new, identity=f"id-{count}", credential_id=f"c-{count}", now=NOW
            )
            credentials = Credentials(f"key-{count}", Secret(f"secret-{count}"))
            sealed = seal_credentials(vault, user.id, account.id, credentials)
            await tx.secrets.put(user.id, account.id, sealed)
        sealed = vault.seal(Secret("secret of an app"), f"totp:{user.id}:{user.id}")
        await tx.factors.begin_totp(user.id, sealed, NOW)
    await Tokens(store, vault, CLOCK).create(user.id, Wanted(("accounts_read",)))


async def opened(settings: Settings, store: Store) -> list[str]:
    """Open every account's secret with the keys of the settings."""
    vault = await open_vault(settings, store, CLOCK)
    secrets = []
    async with store.reading() as tx:
        for account in await tx.accounts.of_user(1):
            sealed = await tx.secrets.get(1, account.id)
            assert sealed is not None
            secrets.append(open_credentials(vault, account, sealed).secret.reveal())
        (token,) = await tx.tokens.of_user(1)
        app = await tx.factors.totp(1)
    assert app is not None
    assert vault.open(app.sealed, "totp:1:1").reveal() == "secret of an app"
    assert await Tokens(store, vault, CLOCK).secret_of(token.api_key)
    return secrets


SECRETS = [f"secret-{count}" for count in range(5)]


async def test_a_key_file_is_made_for_its_owner_alone(settings: Settings, store: Store) -> None:
    await open_vault(settings, store, CLOCK)
    assert settings.key_file.stat().st_mode & 0o777 == 0o600


async def test_the_same_key_opens_again(settings: Settings, store: Store) -> None:
    await fill(settings, store)
    assert await opened(settings, store) == SECRETS


async def test_a_wrong_key_is_told_at_start(settings: Settings, store: Store) -> None:
    await fill(settings, store)
    settings.key_file.write_text(key_text())
    with pytest.raises(WrongMasterKey, match="not at hand"):
        await open_vault(settings, store, CLOCK)


async def test_a_wrong_key_is_told_at_start_even_before_anything_was_sealed(
    settings: Settings, store: Store
) -> None:
    await open_vault(settings, store, CLOCK)
    settings.key_file.write_text(key_text())
    with pytest.raises(WrongMasterKey):
        await open_vault(settings, store, CLOCK)


async def test_a_lost_key_file_is_never_replaced_by_a_new_one(
    settings: Settings, store: Store
) -> None:
    await fill(settings, store)
    settings.key_file.unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        await open_vault(settings, store, CLOCK)
    assert not settings.key_file.exists()


async def test_a_rotation_moves_everything_and_drops_the_old_key(
    settings: Settings, store: Store
) -> None:
    await fill(settings, store)
    before = read_key_file(settings.key_file).current.id
    seen: list[int] = []
    done = await rotate(settings, store, CLOCK, seen.append)
    assert (done.moved, done.resumed, seen[-1]) == (7, False, 7)
    ring = read_key_file(settings.key_file)
    assert [key.id for key in ring] == [done.key_id]
    assert done.key_id != before
    assert await opened(settings, store) == SECRETS


async def test_a_running_server_opens_what_was_rotated_meanwhile(
    settings: Settings, store: Store
) -> None:
    await fill(settings, store)
    running = await open_vault(settings, store, CLOCK)
    await rotate(settings, store, CLOCK)
    async with store.reading() as tx:
        (account, *_) = await tx.accounts.of_user(1)
        sealed = await tx.secrets.get(1, account.id)
    assert sealed is not None
    assert open_credentials(running, account, sealed).secret.reveal() == "secret-0"


class Killed(BaseException):
    """Stands for the end of the process."""


STEPS = ["_with_new_key", "_add_canary", "_move_all", "_not_moved", "_drop_old_keys"]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_rotation_cut_off_at_any_step_loses_nothing_and_goes_on(
    settings: Settings,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    before: bool,
) -> None:
    await fill(settings, store)
    monkeypatch.setattr(vaulting, "REWRAPPED_AT_ONCE", 2)
    with monkeypatch.context() as cut:
        cut.setattr(vaulting, step, killed_at(getattr(vaulting, step), before=before))
        with pytest.raises(Killed):
            await rotate(settings, store, CLOCK)
    assert await opened(settings, store) == SECRETS
    await rotate(settings, store, CLOCK)
    assert await opened(settings, store) == SECRETS
    assert len(list(read_key_file(settings.key_file))) == 1


def killed_at(step: Callable[..., object], *, before: bool) -> Callable[..., object]:
    def sync_step(*args: object) -> object:
        if not before:
            step(*args)
        raise Killed

    async def async_step(*args: object) -> object:
        if not before:
            await step(*args)  # type: ignore[misc]
        raise Killed

    return sync_step if step.__name__ == "_with_new_key" else async_step


async def test_keys_of_the_environment_are_rotated_to_the_first(
    tmp_path: Path, store: Store
) -> None:
    old, new = key_text(), key_text()
    await fill(Settings(data_dir=tmp_path, master_key=old), store)
    with pytest.raises(SettingsError, match="put a new one before it"):
        await rotate(Settings(data_dir=tmp_path, master_key=old), store, CLOCK)
    both = Settings(data_dir=tmp_path, master_key=f"{new},{old}")
    assert (await rotate(both, store, CLOCK)).moved == 7
    assert await opened(Settings(data_dir=tmp_path, master_key=new), store) == SECRETS
    assert not (tmp_path / "master.key").exists()


async def test_nothing_is_stored_under_a_key_that_the_database_does_not_know(
    settings: Settings, store: Store
) -> None:
    await fill(settings, store)
    running = await open_vault(settings, store, CLOCK)
    right = settings.key_file.read_text()
    settings.key_file.write_text(key_text())
    tokens, errands = Tokens(store, running, CLOCK), Errands(store, running, CLOCK)
    webhooks = Webhooks(store, running, CLOCK, ())
    for storing in (
        tokens.create(1, Wanted(("accounts_read",))),
        errands.begin(1, CHECK, {}),
        webhooks.create(1, WebhookWanted("https://8.8.8.8/"), "real"),
    ):
        with pytest.raises(UnknownMasterKey, match="another master key"):
            await storing
    settings.key_file.write_text(right)
    assert await opened(settings, store) == SECRETS
    async with store.reading() as tx:
        assert not await tx.errands.is_waiting(NOW)


async def test_a_secret_under_a_key_that_is_dropped_meanwhile_is_not_stored(
    settings: Settings, store: Store
) -> None:
    await fill(settings, store)
    old = settings.key_file.read_text()
    await rotate(settings, store, CLOCK)
    # As another machine does, that has a key file of its own.
    settings.key_file.write_text(old)
    late = Vault(lambda: read_key_file(settings.key_file))
    with pytest.raises(UnknownMasterKey):
        await Tokens(store, late, CLOCK).create(1, Wanted(("accounts_read",)))


async def test_two_rotations_do_not_run_at_once(
    settings: Settings, store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=settings.data_dir, database_url=plain(database_url))
    await fill(settings, store)
    move = vaulting._move_all

    async def while_another_begins(*args: Any) -> int:
        with pytest.raises(RotationRuns):
            await rotate(settings, store, CLOCK)
        return await move(*args)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(vaulting, "_move_all", while_another_begins)
        await rotate(settings, store, CLOCK)
    await rotate(settings, store, CLOCK)
    assert await opened(settings, store) == SECRETS


async def test_the_known_text_is_that_of_the_key_that_is_current_by_then(
    settings: Settings, store: Store
) -> None:
    # Another process made the key file, or put another key into it, since this one read it.
    first, second = new_key(), new_key()
    rings = iter([KeyRing([first]), KeyRing([second])])
    vault = Vault(lambda: next(rings))
    async with store.transaction() as tx:
        await vaulting._add_canary(tx, vault, CLOCK)
    replace_key_file(settings.key_file, [second])
    assert (await open_vault(settings, store, CLOCK)).ring.current == second


async def test_keys_are_looked_at_without_making_or_writing_any(
    settings: Settings, store: Store
) -> None:
    assert await looked_at(settings, store) is None
    assert not settings.key_file.exists()
    await fill(settings, store)
    key_id = read_key_file(settings.key_file).current.id
    assert await looked_at(settings, store) == Keys(key_id, is_known=True)
    new = new_key()
    replace_key_file(settings.key_file, [new, *read_key_file(settings.key_file)])
    assert await looked_at(settings, store) == Keys(new.id, is_known=False)
    replace_key_file(settings.key_file, [new])
    with pytest.raises(WrongMasterKey):
        await looked_at(settings, store)
