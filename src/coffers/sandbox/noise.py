"""Value noise in whole numbers: a smooth wander that can be asked for any moment."""

from functools import lru_cache
from hashlib import blake2b

ONE = 10**12
"""The fixed point: all shares in this room are whole numbers of trillionths."""

_HALF_RANGE = 2**63


@lru_cache(maxsize=2**17)
def lattice(seed: int, name: str, index: int) -> int:
    """Return the value of a named wander at a lattice point, in -ONE..ONE."""
    digest = blake2b(f"{seed}:{name}:{index}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") - _HALF_RANGE) * ONE // _HALF_RANGE


def wander(seed: int, name: str, period: int, at: int) -> int:
    """Return where a wander is at a moment, in -ONE..ONE; it turns about once a period.

    Two lattice values, joined by the smoothstep 3x^2 - 2x^3, so that it has no corners.
    """
    index, rest = divmod(at, period)
    x = rest * ONE // period
    ease = x * x // ONE * (3 * ONE - 2 * x) // ONE
    start = lattice(seed, name, index)
    return start + (lattice(seed, name, index + 1) - start) * ease // ONE
