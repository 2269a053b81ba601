"""The parameters of a call: those of its query, and where it changes something of its body too.

A parameter that is in both counts as in the query, which every way to sign covers in the same
form. What a body is, its own text tells, as it does for the signature; GET has no parameters
outside of its query.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from coffers.access.call import SignedCall
from coffers.access.signature import is_json_object
from coffers.api.params import query_parameters
from coffers.errors import InvalidRecord

_QUERY_ALONE: Final = frozenset({"GET", "HEAD"})
_decode_object: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Given:
    """What a caller gave, by name. Of a name that is repeated the last value counts."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        """Return a parameter as text, None where it is absent or null.

        Raises:
            InvalidRecord: for a list, an object or a boolean.
        """
        match self._values.get(name):
            case None:
                return None
            case str(text):
                return text
            case bool():
                raise InvalidRecord({name: ["is invalid"]})
            case int(number):
                return str(number)
            case _:
                raise InvalidRecord({name: ["is invalid"]})

    def required(self, name: str) -> str:
        """Return a parameter as text.

        Raises:
            InvalidRecord: as `text`, and where it is absent.
        """
        text = self.text(name)
        if text is None:
            raise InvalidRecord({name: ["is missing"]})
        return text


def given_of(call: SignedCall) -> Given:
    """Return the parameters of a call."""
    query = query_parameters(call.query)
    if call.method in _QUERY_ALONE or not call.body:
        return Given(query)
    return Given({**_of_body(call.body), **query})


def _of_body(body: bytes) -> Mapping[str, object]:
    if is_json_object(body):
        return _decode_object(body)
    text = body.decode(errors="replace")
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))
