"""How the processes of a server count together: in files that they share.

The library keeps the files of a process that has ended, since what it counted stays in the sums.
They lie in memory: a process that dies again and again would fill it, and whoever counts then dies
of that. Here they are added to one file for all that have ended, while nobody reads.

To write there is slow, so what is counted often waits in memory for a moment.
"""

import asyncio
import fcntl
import os
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_LOCK: Final = "lock"
_ENDED: Final = "ended"


class Waiting:
    """Counts that are kept in memory for a moment, and written to the metrics together.

    To count one request in files that processes share takes some 15 us, a quarter of its answer.
    Belongs to one thread; other processes see what is counted here `WITHIN` seconds later.
    """

    WITHIN = 0.25

    def __init__(self) -> None:
        self._counts: dict[Counter, int] = {}
        self._observed: dict[Histogram, list[float]] = {}
        self._written_by: asyncio.TimerHandle | None = None

    def count(self, counter: Counter) -> None:
        """Count one more."""
        self._counts[counter] = self._counts.get(counter, 0) + 1
        if self._written_by is None:
            self._see_to_it()

    def observe(self, histogram: Histogram, seconds: float) -> None:
        """Observe a span of time."""
        kept = self._observed.get(histogram)
        if kept is None:
            kept = self._observed[histogram] = []
        kept.append(seconds)
        if self._written_by is None:
            self._see_to_it()

    def write(self) -> None:
        """Write what waits; done by itself in an event loop."""
        if self._written_by is not None:
            self._written_by.cancel()
            self._written_by = None
        counts, self._counts = self._counts, {}
        observed, self._observed = self._observed, {}
        for counter, number in counts.items():
            counter.inc(number)
        for histogram, spans in observed.items():
            _observe_all(histogram, spans)

    def _see_to_it(self) -> None:
        try:
            self._written_by = asyncio.get_running_loop().call_later(self.WITHIN, self.write)
        except RuntimeError:
            self.write()


def _observe_all(histogram: Histogram, spans: list[float]) -> None:
    # What `observe` does, for all of them at once; the library has no way in for that.
    bounds, buckets = histogram._upper_bounds, histogram._buckets  # noqa: SLF001
    histogram._sum.inc(sum(spans))  # noqa: SLF001
    for place, number in Counts(bisect_left(bounds, span) for span in spans).items():
        buckets[place].inc(number)


def shared_directory() -> Path | None:
    """Return where the processes of this server count together, None where there is one alone."""
    directory = os.environ.get(_VARIABLE)
    return None if directory is None else Path(directory)


def told_by_all(directory: Path) -> bytes:
    """Return what all processes counted, in the text format of Prometheus."""
    shared = CollectorRegistry()
    MultiProcessCollector(shared, str(directory))  # type: ignore[no-untyped-call]  # no types here
    with _locked(directory, fcntl.LOCK_SH):
        return generate_latest(shared)


def take_over(directory: Path, pid: int) -> None:
    """Keep what a process counted that has ended, and none of what it had open."""
    mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]  # as above
    with _locked(directory, fcntl.LOCK_EX):
        for path in directory.glob(f"*_{pid}.db"):
            # One that was killed as it made the file left it empty.
            if path.stat().st_size:
                _add(path, path.with_name(path.name.replace(f"_{pid}.", f"_{_ENDED}.")))
            path.unlink()


def _add(path: Path, target: Path) -> None:
    is_latest = path.name.startswith("gauge_")
    kept = MmapedDict(str(target))  # type: ignore[no-untyped-call]  # as above
    try:
        for key, value, at, _ in MmapedDict.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]  # as above
            before, kept_at = kept.read_value(key)  # type: ignore[no-untyped-call]  # as above
            if not is_latest:
                kept.write_value(key, before + value, at)  # type: ignore[no-untyped-call]  # as above
            elif at >= kept_at:
                kept.write_value(key, value, at)  # type: ignore[no-untyped-call]  # as above
    finally:
        kept.close()  # type: ignore[no-untyped-call]  # as above


@contextmanager
def _locked(directory: Path, how: int) -> Iterator[None]:
    with (directory / _LOCK).open("ab") as file:
        fcntl.flock(file, how)
        yield
