"""Work that is done over and over until it is told to stop, whatever goes wrong with one piece."""

import asyncio
from collections.abc import Awaitable, Callable

from coffers import metrics
from coffers.errors import CoffersError
from coffers.logs import seldom
from coffers.store.errors import StoreUnavailable
from coffers.store.notices import Ear

_log = seldom("coffers.worker")


class Loops:
    """Loops that come to an end together."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._ears: list[Ear] = []

    def stop(self) -> None:
        """Let every loop come to its end; what is being done then is finished first."""
        self._stopping.set()
        for ear in self._ears:
            ear.ring()

    async def every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        """Do a piece of work again and again, with a pause of so many seconds in between."""
        while not self._stopping.is_set():
            await guarded(work)
            try:
                await asyncio.wait_for(self._stopping.wait(), seconds)
            except TimeoutError:
                continue

    async def told(
        self, ear: Ear, work: Callable[[], Awaitable[object]], *, quick: float, slow: float
    ) -> None:
        """Do a piece of work whenever an ear hears of some, and at the latest after some seconds.

        Those are `slow` while notices arrive, and `quick` while they do not.
        """
        self._ears.append(ear)
        while not self._stopping.is_set():
            await guarded(work)
            await ear.wait(quick, slow)


async def guarded(work: Callable[[], Awaitable[object]], **about: object) -> None:
    """Do a piece of work; whatever goes wrong with one piece must not end the others."""
    try:
        await work()
    except StoreUnavailable as error:
        # On a full disk every account would otherwise log a line of its own each minute.
        metrics.worker_failures.labels(type(error).__name__).inc()
        _log.warning("work failed", work=_name(work), reason=str(error))
    except CoffersError as error:
        metrics.worker_failures.labels(type(error).__name__).inc()
        _log.warning("work failed", work=_name(work), reason=str(error), **about)
    except Exception as error:  # noqa: BLE001 - the job boundary: counted and logged
        metrics.worker_failures.labels(type(error).__name__).inc()
        _log.exception("work failed", work=_name(work), **about)


def _name(work: Callable[[], Awaitable[object]]) -> str:
    """Return the name of a piece of work in the code; of a lambda, that of its function."""
    inner = getattr(work, "func", work)
    return str(getattr(inner, "__qualname__", type(inner).__name__)).partition(".<locals>")[0]
