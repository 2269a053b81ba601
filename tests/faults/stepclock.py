"""The wall clock of processes under test, set from outside of them."""

import os
import time
from pathlib import Path


class StepClock:
    """A clock that is ahead of the machine's by a span that can be changed at any moment."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ahead = 0
        self.step_to(0)

    @property
    def env(self) -> dict[str, str]:
        """The variables that let a process, and those that it starts, live by this clock."""
        here = str(Path(__file__).parent / "stepped")
        path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
        return {"STEPPED_CLOCK": str(self._file), "PYTHONPATH": path}

    def now(self) -> int:
        """Return the moment as the processes see it, in milliseconds."""
        return time.time_ns() // 1_000_000 + self._ahead

    def step_to(self, ahead: int) -> None:
        """Be ahead of the machine's clock by so many milliseconds from now on."""
        self._ahead = ahead
        mode = "r+b" if self._file.exists() else "wb"
        with self._file.open(mode) as opened:
            opened.write((ahead * 1_000_000).to_bytes(8, "little", signed=True))
