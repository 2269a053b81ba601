"""The directory of a demo that is to keep nothing."""

import threading
from pathlib import Path

import pytest

from coffers.cli import demo


def write_for_a_while(place: Path, is_enough: threading.Event) -> None:
    """Write as a worker does whose server was killed: until it has heard of that."""
    number = 0
    while not is_enough.is_set():
        try:
            (place / f"{number}.wal").write_bytes(b"")
        except OSError:
            continue
        number += 1


def test_it_is_gone_though_somebody_wrote_while_it_was_emptied() -> None:
    is_enough = threading.Event()
    with demo.passing_place() as place:
        writer = threading.Thread(target=write_for_a_while, args=(place, is_enough))
        writer.start()
        threading.Timer(0.3, is_enough.set).start()
    writer.join()
    assert not place.exists()


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
