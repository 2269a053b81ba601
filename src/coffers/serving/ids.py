"""Ids in paths, the API's and the pages'."""

from typing import Final

from starlette.convertors import Convertor

_MOST: Final = 2**31 - 1
_NOBODYS: Final = 0
"""An id that nothing has: they are given out from 1 on."""


class IdConvertor(Convertor[int]):
    """A number of at most ten digits: more are nobody's id, and would only cost time."""

    regex = "[0-9]{1,10}"

    def convert(self, value: str) -> int:
        """Return the number; for one that no id can be, one that is nobody's."""
        number = int(value)
        # A column of ids takes no larger one, so that to look for it would be an error.
        return number if number <= _MOST else _NOBODYS

    def to_string(self, value: int) -> str:
        """Return the part of a path."""
        return str(value)
