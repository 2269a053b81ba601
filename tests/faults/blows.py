"""The faults: each strikes under load, lets it come back, and waits until all is read again."""

import asyncio
import resource
import time

import psutil

from faults.estate import until
from faults.proof import Proof

AWAY = 1.0
"""Seconds for which something stays away: long enough for requests and readings to meet it."""

LATER = 120_000
"""Milliseconds in which a clock that is set wrong is set right again, generously."""


async def kill_worker(proof: Proof) -> None:
    """Kill a worker that is reading accounts; another one is started by itself."""
    place, since = proof.estate, proof.estate.now()
    # The last is the one that the server keeps running.
    worker = place.workers()[-1]
    known = {each.pid for each in place.workers()}
    await proof.amid_reading()
    worker.kill()

    async def is_replaced() -> bool:
        return any(each.pid not in known for each in place.workers())

    await until(is_replaced, place.deadline, "another worker is started")
    await place.let_claims_run_out()
    # It loads the exchange library first.
    await proof.recovered(since, within=place.deadline)


async def kill_api(proof: Proof) -> None:
    """Kill one of the two processes that answer; the requests that it had taken are lost."""
    process, *others = proof.estate.apis()
    with proof.witness.trouble(breaks_lines=True):
        process.kill()
        proof.witness.note(f"process {process.pid} is killed")
        await _ended(proof, process)
    await _replaced(proof, process, len(others))


async def end_api(proof: Proof) -> None:
    """Tell one of the two processes that answer to end; no request may notice."""
    process, *others = proof.estate.apis()
    process.terminate()
    proof.witness.note(f"process {process.pid} is told to end")
    await _ended(proof, process)
    await _replaced(proof, process, len(others))


async def restart_redis(proof: Proof) -> None:
    """Crash the server that limits and paces are shared by; no request may notice."""
    redis = proof.estate.redis
    redis.kill()
    await asyncio.sleep(AWAY)
    await asyncio.to_thread(redis.start)
    await proof.recovered()


async def break_line(proof: Proof, how: str, seconds: float) -> None:
    """Break the line to the exchange for a while; what is shown grows old meanwhile."""
    cable, since = proof.estate.cable, proof.estate.now()
    await proof.amid_reading()
    {"cut": cable.cut, "stall": cable.stall, "reset": cable.reset}[how]()
    proof.witness.unread_since = time.monotonic()
    await asyncio.sleep(seconds)
    proof.witness.unread_since = float("inf")
    await cable.mend()
    await proof.recovered(since)


async def crash_postgres(proof: Proof) -> None:
    """Crash the database; requests may fail until it takes connections again."""
    postgres, since = proof.estate.postgres, proof.estate.now()
    assert postgres is not None
    await proof.amid_reading()
    with proof.witness.trouble():
        await asyncio.to_thread(postgres.kill)
        await asyncio.sleep(AWAY)
        await asyncio.to_thread(postgres.start)
    await proof.recovered(since)


async def fill_disk(proof: Proof) -> None:
    """Let no process make a file any longer, as on a full disk, and then let them again."""
    place, since = proof.estate, proof.estate.now()
    sizes = [path.stat().st_size for path in place.home.glob("coffers.db*")]
    await proof.amid_reading()
    with proof.witness.trouble():
        _limit(proof, min(sizes))
        await asyncio.sleep(2 * AWAY)
        _limit(proof, resource.RLIM_INFINITY)
    await proof.recovered(since)


async def _ended(proof: Proof, process: psutil.Process) -> None:
    async def has_ended() -> bool:
        return gone(process)

    await until(has_ended, proof.estate.deadline, "the process has ended")


async def _replaced(proof: Proof, process: psutil.Process, others: int) -> None:
    place = proof.estate

    async def is_replaced() -> bool:
        return len(place.apis()) > others and process not in place.apis()

    await until(is_replaced, place.deadline, "another process is started")
    await proof.recovered()


def gone(process: psutil.Process) -> bool:
    """Return whether a process has ended, and the kernel has closed what it had open.

    A process is shown as a zombie once its first thread has ended. The last one frees the memory
    and then closes the files: on a busy machine 20 to 400 ms later, and until then requests go
    into connections that nobody reads.
    """
    try:
        return not process.is_running() or (
            process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
        )
    except psutil.NoSuchProcess:
        return True


def _limit(proof: Proof, size: int) -> None:
    for process in proof.estate.processes():
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def step_clock(proof: Proof, step: int) -> None:
    """Set the clock of all processes wrong, and after some readings right again."""
    place = proof.estate
    since = min(place.now(), place.now() + step)
    place.gaps.append((since, place.now() + abs(step) + LATER))
    proof.witness.may_lack_worths = True
    place.clock.step_to(step)
    await proof.recovered(since)
    place.clock.step_to(0)
    await proof.recovered(since)
