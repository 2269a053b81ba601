"""The fixtures of the whole way in."""

from house import world

__all__ = ["world"]
