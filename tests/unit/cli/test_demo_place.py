"""The directory of a demo that is to keep nothing."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from coffers.cli import demo


def test_it_is_gone_though_somebody_wrote_while_it_was_emptied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = 0

    def disturbed(place: Path, **how: Any) -> None:
        nonlocal times
        times += 1
        emptied(place, **how)
        if times < 3:
            place.mkdir()
            (place / "coffers.db-wal").write_bytes(b"")

    emptied = shutil.rmtree
    monkeypatch.setattr(demo.shutil, "rmtree", disturbed)
    with demo.passing_place() as place:
        (place / "coffers.db").write_bytes(b"")
    assert not place.exists()
    assert times == 3


def test_one_that_stays_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "REMOVED_WITHIN", 0.0)
    monkeypatch.setattr(demo.shutil, "rmtree", lambda *_args, **_rest: None)
    with demo.passing_place() as place:
        pass
    assert place.is_dir()
    assert f"{place} could not be removed" in capsys.readouterr().err
    place.rmdir()
