"""`make soak`: minutes of mixed load with faults that strike at random; the same for a seed.

It ends with the proof that all tests of faults end with, and prints what it did.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from faults import blows
from faults.estate import estate
from faults.proof import Proof, proving

Blow = Callable[[Proof], Awaitable[None]]

EVERYWHERE: dict[str, Blow] = {
    "the worker is killed": blows.kill_worker,
    "a process of the API is killed": blows.kill_api,
    "a process of the API is told to end": blows.end_api,
    "the cache server crashes": blows.restart_redis,
    "the line to the exchange is cut": partial(blows.break_line, how="cut", seconds=2.0),
    "the line to the exchange stalls": partial(blows.break_line, how="stall", seconds=5.0),
    "the line to the exchange breaks": partial(blows.break_line, how="reset", seconds=0.5),
    "the clock is a minute ahead": partial(blows.step_clock, step=60_000),
    "the clock is a minute behind": partial(blows.step_clock, step=-60_000),
}
WITH_FILE: dict[str, Blow] = {"the disk is full": blows.fill_disk}
WITH_SERVER: dict[str, Blow] = {"the database crashes": blows.crash_postgres}

MOVES_EVERY = 1.5
"""Seconds between two deposits, of which an account can have ninety."""


def blows_for(proof: Proof) -> dict[str, Blow]:
    """Return the faults that can strike, by what they are."""
    return {**EVERYWHERE, **(WITH_FILE if proof.estate.postgres is None else WITH_SERVER)}


async def strike(proof: Proof, dice: random.Random, rounds: int, until: float) -> list[str]:
    """Let faults strike one after the other, so many at most; return what struck."""
    known, struck = blows_for(proof), []
    while len(struck) < rounds and time.monotonic() < until:
        if not struck or len(struck) % len(known) == 0:
            # Each comes before one comes again.
            order = dice.sample(sorted(known), len(known))
        what = order[len(struck) % len(known)]
        began = time.monotonic()
        proof.witness.note(what)
        await known[what](proof)
        struck.append(f"{what}: all read again after {time.monotonic() - began:.1f} s")
        sys.stderr.write(f"  {struck[-1]}\n")
        await asyncio.sleep(dice.uniform(0.2, 2.0))
    return struck


async def soak(kind: str, seed: int, seconds: float) -> None:
    """Let faults strike for so many seconds, on a kind of database."""
    with tempfile.TemporaryDirectory(prefix="coffers-soak-") as home:
        async with estate(Path(home), kind) as place:
            if kind == "postgres":
                await place.add_worker()
            async with proving(place, seed, MOVES_EVERY) as proof:
                ends = time.monotonic() + seconds
                struck = await strike(proof, random.Random(seed), sys.maxsize, ends)  # noqa: S311
    good, deposits = proof.witness.good, sum(len(each.deposits) for each in place.accounts_held())
    sys.stderr.write(
        f"{len(struck)} faults, {good.total()} good answers {dict(good)},\n"
        f"{len(proof.witness.failures)} errors while something was away, {deposits} deposits: "
        "nothing wrong, nothing lost, nothing twice.\n"
    )


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=300)
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    sys.stderr.write(f"{asked.seconds:.0f} s on {asked.database}, --seed {seed}\n")
    asyncio.run(soak(asked.database, seed, asked.seconds))


if __name__ == "__main__":
    main()
