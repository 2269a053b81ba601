"""Errors explained in the language that a user chose, where there is a text in it.

`error` and the names of fields stay as they are, since programs match on them. A caller who is not
let in is told in English: nobody knows who it is.
"""

import functools
import importlib.resources
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from coffers.api.errors import WireError
from coffers.errors import CoffersError
from coffers.portfolio.users import Users

ENGLISH = "en"

_Texts = Sequence[tuple[re.Pattern[str], Mapping[str, str]]]


class Translator:
    """Says errors in the language of the user who caused them."""

    def __init__(self, users: Users) -> None:
        self._users = users

    async def translated(self, user_id: int, error: WireError) -> WireError:
        """Return an error in the user's language; in English where that cannot be found out."""
        try:
            locale = (await self._users.get(user_id)).locale
        except CoffersError:
            return error
        return in_language(error, locale)


def in_language(error: WireError, locale: str) -> WireError:
    """Return an error with those of its texts in a language that there are in it."""
    if locale == ENGLISH:
        return error
    description = None if error.description is None else _said(error.description, locale)
    attributes = error.attributes and {
        name: [_said(text, locale) for text in texts] for name, texts in error.attributes.items()
    }
    return replace(error, description=description, attributes=attributes)


def _said(text: str, locale: str) -> str:
    for pattern, told in _texts():
        found = pattern.fullmatch(text)
        if found is not None and locale in told:
            return told[locale].format(*found.groups())
    return text


@functools.cache
def _texts() -> _Texts:
    """Return the texts: patterns of the English one, and the others by language."""
    stored = importlib.resources.files("coffers.api").joinpath("data/texts.json").read_bytes()
    told = msgspec.json.decode(stored, type=dict[str, dict[str, str]])
    return [
        (re.compile(re.escape(english).replace(r"\{\}", "(.+)")), others)
        for english, others in told.items()
    ]
