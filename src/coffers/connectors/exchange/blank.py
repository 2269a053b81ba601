"""Instances of a ccxt exchange, each as good as new, copied from one that was made before.

ccxt's constructor takes 1.6 to 3 ms, more than the calls of a whole reading; a copy takes a few
hundredths of that. No instance is used twice: what a reading put on one, such as credentials, a
token or a nonce, is gone with it.
"""

from collections.abc import Callable
from typing import Any

READ_ONLY = frozenset(
    {"api", "exceptions", "httpExceptions", "features", "timeframes", "ecdsaCurves"}
)
"""Tables of a class that ccxt only reads once an instance is made; a test holds them to that."""

_CONTAINERS = (dict, list, set)
_Copy = Callable[[], Any]


class Blank:
    """What an instance has when it is new. `exchange` is one: nobody has used it yet."""

    def __init__(self, exchange: Any) -> None:  # noqa: ANN401  # ccxt has no types
        self._class = type(exchange)
        self._attributes = dict(vars(exchange))
        self._own = [
            (name, _copying(value))
            for name, value in self._attributes.items()
            if name not in READ_ONLY and isinstance(value, _CONTAINERS)
        ]

    def copied(self) -> Any:  # noqa: ANN401  # ccxt has no types
        """Return an instance that shares with others only what is never written."""
        made = object.__new__(self._class)
        attributes = vars(made)
        attributes.update(self._attributes)
        for name, copy in self._own:
            attributes[name] = copy()
        return made


def _copying(value: Any) -> _Copy:  # noqa: ANN401  # whatever ccxt keeps
    """Return what makes copies of a value as it is now, of all that is within.

    Where the containers lie in it is looked up once: most entries are none, and to look at each of
    them for every copy takes ten times as long.
    """
    kept = value.copy()
    shallow: _Copy = kept.copy
    if isinstance(value, set):
        return shallow
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    own = [(place, _copying(part)) for place, part in parts if isinstance(part, _CONTAINERS)]
    if not own:
        return shallow

    def copied() -> Any:  # noqa: ANN401  # as above
        made = shallow()
        for place, copy in own:
            made[place] = copy()
        return made

    return copied
