"""The venue's own clock, which a script can shift, stop and move on."""

from collections.abc import Callable


class Clockwork:
    """A clock on top of another one.

    Args:
        base: the clock below, in milliseconds since the Unix epoch.
    """

    def __init__(self, base: Callable[[], int]) -> None:
        self._base = base
        self._offset = 0
        self._frozen_at: int | None = None

    def now(self) -> int:
        """Return the venue's present moment in milliseconds."""
        if self._frozen_at is not None:
            return self._frozen_at
        return self._base() + self._offset

    def shift(self, offset: int) -> None:
        """Run with the clock below again, ahead of it by so many milliseconds."""
        self._offset, self._frozen_at = offset, None

    def freeze(self, at: int) -> None:
        """Stand still at a moment."""
        self._frozen_at = at

    def advance(self, span: int) -> None:
        """Jump ahead by so many milliseconds, frozen or running."""
        if self._frozen_at is None:
            self._offset += span
        else:
            self._frozen_at += span
