"""Children that are kept running: what is done when one of them dies."""

import queue
from collections.abc import Sequence

import pytest

from coffers.cli import children


def test_a_child_that_has_died_is_left_out_of_the_metrics_and_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: queue.Queue[int] = queue.Queue()
    left_out: queue.Queue[int] = queue.Queue()
    start = children.start

    def noted(arguments: Sequence[str]) -> object:
        child = start(arguments)
        begun.put(child.pid)
        return child

    monkeypatch.setattr(children, "start", noted)
    monkeypatch.setattr(children, "_count_out", left_out.put)
    # Ends at once: there is no such command.
    kept = children.KeptRunning(["no-such-command"])
    kept.start()
    first = begun.get(timeout=20)
    assert left_out.get(timeout=20) == first
    assert begun.get(timeout=20) != first
    kept.stop()
