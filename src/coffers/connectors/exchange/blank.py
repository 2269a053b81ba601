"""Instances of a ccxt exchange, each as good as new, copied from one that was made before.

ccxt's constructor takes 1.6 to 3 ms, more than the calls of a whole reading; a copy takes a few
hundredths of that. No instance is used twice: what a reading put on one, such as credentials, a
token or a nonce, is gone with it.
"""

from typing import Any

READ_ONLY = frozenset(
    {"api", "exceptions", "httpExceptions", "features", "timeframes", "ecdsaCurves"}
)
"""Tables of a class that ccxt only reads once an instance is made; a test holds them to that."""

_CONTAINERS = (dict, list, set)


class Blank:
    """What an instance has when it is new. `exchange` is one: nobody has used it yet."""

    def __init__(self, exchange: Any) -> None:  # noqa: ANN401  # ccxt has no types
        self._class = type(exchange)
        self._attributes = dict(vars(exchange))
        self._own = {
            name: _copied(value)
            for name, value in self._attributes.items()
            if name not in READ_ONLY and isinstance(value, _CONTAINERS)
        }

    def copied(self) -> Any:  # noqa: ANN401  # ccxt has no types
        """Return an instance that shares with others only what is never written."""
        made = object.__new__(self._class)
        attributes = vars(made)
        attributes.update(self._attributes)
        attributes.update((name, _copied(value)) for name, value in self._own.items())
        return made


def _copied(value: Any) -> Any:  # noqa: ANN401  # whatever ccxt keeps
    if isinstance(value, dict):
        return {
            name: _copied(part) if isinstance(part, _CONTAINERS) else part
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_copied(part) if isinstance(part, _CONTAINERS) else part for part in value]
    return set(value)
