"""The file of a backup: a tar of JSON lines, compressed by zstd, encrypted in the age format.

Nothing in it is of our making, so `age -d`, `zstd -d` and `tar` open it without Coffers. It is
written and read as a stream: neither memory nor the disk holds it in the clear. Source of the
format: https://age-encryption.org/v1.
"""

import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pyrage
import zstandard

from coffers.errors import CoffersError, UsageError

_LEVEL = 6
_BLOCK = 64 * 1024
LARGEST_MEMBER = 256 * 1024 * 1024
"""Bytes of one member that are believed: our own are of a few megabytes at most."""

Recipient = object
"""Whom a backup is made for: one of the library's recipients, which has no types."""

Identity = object
"""What opens a backup: one of the library's identities."""


class BrokenArchive(CoffersError):
    """A backup that cannot be read to its end."""


class Members:
    """Writes the members of an archive, one after the other."""

    def __init__(self, tar: tarfile.TarFile, at: int) -> None:
        self._tar = tar
        self._at = at

    def add(self, name: str, content: bytes) -> None:
        """Add a member."""
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = len(content), self._at, 0o600
        self._tar.addfile(member, io.BytesIO(content))


def new_identity() -> tuple[str, str]:
    """Return the text of a new key file, and the public key that backups are made for."""
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    told = "# Opens backups of Coffers. Keep it away from the machine that makes them.\n"
    return f"{told}# public key: {public}\n{identity}\n", public


def recipient_of(text: str) -> Recipient:
    """Return whom a backup can be made for: an age public key, or a line of an SSH public key.

    Raises:
        UsageError: for anything else; a private key is not repeated.
    """
    given = text.strip()
    kind = pyrage.ssh.Recipient if given.startswith("ssh-") else pyrage.x25519.Recipient
    try:
        return kind.from_str(given)
    except pyrage.RecipientError as error:
        raise UsageError(
            "--to takes a public key: age1..., or ssh-ed25519 AAAA... (make one with: "
            "coffers backup-key FILE)"
        ) from error


def identities_in(path: Path) -> list[Identity]:
    """Return the private keys of a key file: those of age, or one of SSH.

    Raises:
        UsageError: when there is none.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"the key file {path} cannot be read: {error.strerror}") from error
    try:
        if b"PRIVATE KEY-----" in content:
            return [pyrage.ssh.Identity.from_buffer(content)]
        # Without the mark that some editors put before a text.
        lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
        found: list[Identity] = [
            pyrage.x25519.Identity.from_str(line) for line in lines if line and line[0] != "#"
        ]
    except (pyrage.IdentityError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} holds no private key of age or SSH") from error
    if not found:
        raise UsageError(f"{path} holds no private key of age or SSH")
    return found


@contextmanager
def written(file: BinaryIO, recipients: Sequence[Recipient], at: int) -> Iterator[Members]:
    """Write an archive into a file; it is whole when the block has ended.

    Raises:
        OSError: when the file cannot be written.
    """
    target = _Watched(file)

    def encrypt(source: BinaryIO) -> None:
        pyrage.encrypt_io(source, target, recipients)
        target.check()

    with _piped_from(encrypt) as sink:
        compressor = zstandard.ZstdCompressor(level=_LEVEL)
        with (
            compressor.stream_writer(sink, closefd=False) as packed,
            tarfile.open(mode="w|", fileobj=packed) as tar,
        ):
            yield Members(tar, at)


@contextmanager
def read(file: BinaryIO, identities: Sequence[Identity]) -> Iterator[Iterator[tuple[str, bytes]]]:
    """Read an archive: yield its members' names and contents, each once its bytes are authentic.

    Raises:
        BrokenArchive: when these keys do not open it, or it is cut off or changed.
    """

    def decrypt(target: BinaryIO) -> None:
        pyrage.decrypt_io(file, target, identities)

    with _piped_to(decrypt) as source:
        yield _members(source)


def _members(source: BinaryIO) -> Iterator[tuple[str, bytes]]:
    try:
        unpacked = zstandard.ZstdDecompressor().stream_reader(source)
        with tarfile.open(mode="r|", fileobj=unpacked) as tar:
            for member in tar:
                inner = tar.extractfile(member) if member.size <= LARGEST_MEMBER else None
                if inner is None:
                    raise BrokenArchive(f"the backup holds {member.name!r}, which is no part of it")
                yield member.name, inner.read()
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise BrokenArchive("the backup is cut off or damaged") from error


@contextmanager
def _piped_from(work: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """Run work in a thread that reads what the block writes, to its end."""
    source, sink = _pipe()
    running = _Running(work, source)
    try:
        with sink:
            yield sink
    except BrokenPipeError:
        # The thread has ended: its own fault says more.
        running.join()
        raise
    running.join()


@contextmanager
def _piped_to(work: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """Run work in a thread that writes what the block reads."""
    source, sink = _pipe()
    running = _Running(work, sink)
    try:
        with source:
            yield source
            # To the end, so that a cut or a change behind the last member is noticed too.
            while source.read(_BLOCK):
                pass
    except BrokenArchive:
        running.join()
        raise
    running.join()


class _Watched:
    """A file whose faults are remembered: the library says nothing of the last one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._fault: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write to the file."""
        try:
            return self._file.write(data)
        except OSError as fault:
            self._fault = fault
            raise

    def flush(self) -> None:
        """Hand on what was written."""
        self._file.flush()

    def check(self) -> None:
        """Raise what went wrong."""
        if self._fault is not None:
            raise self._fault


class _Running:
    """A thread whose fault is raised where it is waited for."""

    def __init__(self, work: Callable[[BinaryIO], None], end: BinaryIO) -> None:
        self._work = work
        self._end = end
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work(self._end)
        except Exception as fault:  # noqa: BLE001 - raised by whoever waits
            self._fault = fault
        finally:
            with suppress(OSError):
                self._end.close()

    def join(self) -> None:
        """Wait for the end.

        Raises:
            BrokenArchive: when it could not be decrypted.
            OSError: when a file could not be read or written.
        """
        self._thread.join()
        match self._fault:
            case None:
                return
            case pyrage.DecryptError():
                raise BrokenArchive(
                    "the backup cannot be opened: it was made for another key, or is damaged"
                ) from self._fault
            case OSError(errno=None):
                # What the library says of a part that is not authentic.
                raise BrokenArchive("the backup is cut off or damaged") from self._fault
            case pyrage.EncryptError():
                raise OSError(str(self._fault).removeprefix("OSError: ")) from self._fault
            case fault:
                raise fault


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    source, sink = os.pipe()
    return os.fdopen(source, "rb", _BLOCK), os.fdopen(sink, "wb", _BLOCK)
