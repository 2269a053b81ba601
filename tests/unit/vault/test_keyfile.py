"""The key file is private, complete at every moment, and made only once."""

import errno
import os
from pathlib import Path

import pytest

from coffers.errors import SettingsError
from coffers.vault.keyfile import has_key_file, make_key_file, read_key_file, replace_key_file
from coffers.vault.keyring import new_key


def test_a_new_file_is_private_and_holds_one_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    ring = make_key_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [key.id for key in read_key_file(path)] == [ring.current.id]
    assert list(tmp_path.iterdir()) == [path]


def test_a_second_maker_gets_the_first_ones_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    assert make_key_file(path).current.id == make_key_file(path).current.id


def test_makers_whose_processes_have_one_number_make_one_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, link, made = tmp_path / "master.key", os.link, list[str]()

    def linked(source: Path, to: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        link(source, to)
        made.append(read_key_file(path).current.id)
        # The main process of every container is number 1.
        made.append(make_key_file(path).current.id)

    monkeypatch.setattr(os, "link", linked)
    made.append(make_key_file(path).current.id)
    assert made == [read_key_file(path).current.id] * 3
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_keeps_the_file_private_and_the_order(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    old = make_key_file(path).current
    ring = replace_key_file(path, [new_key(), old])
    assert [key.id for key in ring][1] == old.id
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    path, place = tmp_path / "master.key", tmp_path / "elsewhere/coffers.key"
    make_key_file(place)
    path.symlink_to(place)
    ring = replace_key_file(path, [new_key()])
    assert path.is_symlink()
    assert read_key_file(place).current == ring.current
    assert list((tmp_path / "elsewhere").iterdir()) == [place]


def test_a_file_that_may_not_be_looked_at_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not has_key_file(tmp_path / "none")
    # As where a directory is closed, which root would not notice.
    assert has_key_file(tmp_path / "file/master.key")


def test_a_file_that_others_can_read_is_refused_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    make_key_file(path)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_key_file(path)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_key_file(tmp_path / "none")


def test_a_binary_file_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="no text"):
        read_key_file(path)


def test_a_directory_that_cannot_be_written_is_a_clear_error() -> None:
    with pytest.raises(SettingsError, match="cannot be written"):
        make_key_file(Path("/proc/master.key"))


def test_a_file_that_cannot_be_replaced_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    in_place_of_it = tmp_path / "master.key"
    in_place_of_it.mkdir()
    with pytest.raises(SettingsError, match="cannot be written"):
        replace_key_file(in_place_of_it, [new_key()])
    assert list(tmp_path.iterdir()) == [in_place_of_it]


def test_a_place_where_nothing_can_be_removed_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object, **_more: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", refused)
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(SettingsError, match="cannot be written: Read-only"):
        make_key_file(tmp_path / "master.key")
