"""The file that holds the master keys: made with mode 0600, replaced in one step."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from coffers.errors import SettingsError
from coffers.vault.keyring import KeyRing, MasterKey, new_key, parse_ring

_HEADER = (
    "# The master keys of Coffers. Without them the stored exchange keys cannot be opened.\n"
    "# Keep a copy in a safe place. The first key seals, the others only open.\n"
)


def has_key_file(path: Path) -> bool:
    """Return whether there is a key file; one that may not be looked at is, and cannot be read."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def read_key_file(path: Path) -> KeyRing:
    """Return the ring in a key file.

    Raises:
        SettingsError: when the file is missing, unreadable, open to others, or holds no key.
    """
    try:
        others = path.stat().st_mode & 0o077
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(f"the master key file {path} cannot be read: {reason}") from error
    if others:
        raise SettingsError(
            f"the master key file {path} can be read by others; run: chmod 600 {path}"
        )
    return parse_ring(text, str(path))


def make_key_file(path: Path) -> KeyRing:
    """Make a key file with one new key; where two processes do so at once, the first one's stays.

    Raises:
        SettingsError: when the directory cannot be written to.
    """
    temporary = _write_beside(path, [new_key()])
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError as error:
        raise _not_writable(path, error) from error
    finally:
        temporary.unlink()
    return read_key_file(path)


def replace_key_file(path: Path, keys: list[MasterKey]) -> KeyRing:
    """Put these keys into the key file in one step: at any moment it holds the old or the new.

    Where the path is a link, what it leads to is replaced, and the link stays.

    Raises:
        SettingsError: when the file cannot be replaced; it is as it was then.
    """
    path = path.resolve()
    temporary = _write_beside(path, keys)
    try:
        temporary.replace(path)
    except OSError as error:
        # Such as a file that is mounted by itself.
        temporary.unlink()
        raise _not_writable(path, error) from error
    _flush_directory(path.parent)
    return read_key_file(path)


def _write_beside(path: Path, keys: list[MasterKey]) -> Path:
    try:
        # Not by the number of the process, which containers that share a volume have in common: one
        # would write into the file of the other, which may have its name already.
        descriptor, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _not_writable(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(_HEADER + "".join(f"{key.text()}\n" for key in keys))
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        # Where nothing can be written any more, perhaps nothing can be removed either.
        with suppress(OSError):
            temporary.unlink()
        raise _not_writable(path, error) from error
    return temporary


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _not_writable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(f"the master key file {path} cannot be written: {error.strerror}")
