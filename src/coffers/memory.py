"""What the garbage collector of a long-lived process looks through, and how often."""

import gc
from typing import Final

LOOSE_OBJECTS: Final = 5_000
"""New objects after which the collector looks for those that nobody reaches: under a megabyte.
Requests and readings leave few behind; to look after every 700, as is usual, was a fifteenth of
what they cost."""


def settle() -> None:
    """Collect what nobody reaches, and leave out all that there is now from every later look.

    For whoever has just made something large that lasts: a full look over a market table of ccxt
    takes a tenth of a second, and came every few seconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(LOOSE_OBJECTS)


def resettle() -> None:
    """Do the same once something large was let go of, which may be among what is left out."""
    gc.unfreeze()
    settle()
