"""How an error that nobody foresaw reaches the person at the terminal."""

import errno
import os
import subprocess
import sys

import pytest

from coffers.cli import main


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "Error: No space left on device"),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/root/x"),
            "Error: /root/x: Permission denied",
        ),
        (ValueError("hunter2"), "Error: unexpected ValueError; COFFERS_LOG_LEVEL=debug"),
    ],
)
def test_what_the_system_refuses_is_told_by_its_reason_and_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    said: str,
) -> None:
    def app() -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["coffers"])
    monkeypatch.setattr(main, "make_app", lambda _asked: app)
    with pytest.raises(SystemExit) as end:
        main.run()
    assert end.value.code == 1
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert "hunter2" not in told


def test_a_process_that_crashes_leaves_no_core() -> None:
    script = (
        "import resource, sys; from coffers.cli import main; "
        "_, most = resource.getrlimit(resource.RLIMIT_CORE); "
        "resource.setrlimit(resource.RLIMIT_CORE, (most, most)); "
        "main.make_app = lambda _asked: lambda: print(resource.getrlimit(resource.RLIMIT_CORE)[0]);"
        "main.run()"
    )
    told = subprocess.check_output([sys.executable, "-c", script], text=True)  # noqa: S603 - our own program
    assert told == "0\n"
