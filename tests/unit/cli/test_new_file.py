"""A file that a command writes is for its owner alone, and there whole or not at all."""

import os
import signal
from pathlib import Path

import pytest

from coffers.cli.new_file import new_file
from coffers.errors import CoffersError, UsageError


def test_it_has_its_name_once_it_is_whole_and_others_cannot_read_it(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with new_file(path) as file:
        file.write(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"), new_file(path):
        pass
    assert path.read_text() == "mine"


def test_what_came_meanwhile_is_not_overwritten_either(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with pytest.raises(UsageError, match="exists already"), new_file(path):
        path.write_text("mine")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("has_links", [True, False])
def test_what_comes_at_the_last_moment_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    path, real = tmp_path / "table.csv", os.fsync

    def late(descriptor: int) -> None:
        real(descriptor)
        path.write_text("mine")

    def linking(_self: Path, _target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fsync", late)
    if has_links:
        # Nobody looks: what matters is what the file system itself does.
        monkeypatch.setattr("coffers.cli.new_file._check_free", lambda _path: None)
    else:
        monkeypatch.setattr(Path, "hardlink_to", linking)
    with pytest.raises(CoffersError), new_file(path) as file:
        file.write(b"theirs")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_it_is_written_where_no_file_has_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def linking(_self: Path, _target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", linking)
    path = tmp_path / "table.csv"
    with new_file(path) as file:
        file.write(b"all of it")
    assert path.read_bytes() == b"all of it"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_of_the_same_number_left_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    (tmp_path / f".table.csv.{os.getpid()}").write_text("half of it")
    with new_file(path) as file:
        file.write(b"all of it")
    assert path.read_bytes() == b"all of it"


def test_where_it_cannot_be_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CoffersError, match="cannot be written: No such file"):  # noqa: SIM117
        with new_file(tmp_path / "no/where.csv"):
            pass


def test_an_end_by_a_signal_leaves_nothing(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end, new_file(tmp_path / "backup.age"):
        os.kill(os.getpid(), signal.SIGTERM)
    assert end.value.code == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) is before
