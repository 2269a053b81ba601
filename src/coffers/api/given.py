"""The parameters of a call: those of its query, and where it changes something of its body too.

A parameter that is in both counts as in the query, which every way to sign covers in the same
form. What a body is, its own text tells, as it does for the signature; GET has no parameters
outside of its query.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from coffers.access.call import SignedCall
from coffers.access.signature import is_json_object
from coffers.api.params import is_storable, pairs_of
from coffers.errors import InvalidRecord

_QUERY_ALONE: Final = frozenset({"GET", "HEAD"})
# Amounts in JSON keep their digits, whether they are written as texts or as numbers. What is too
# large or too small for a decimal is found where it is read as one, as in a text.
_decode_object: Final = msgspec.json.Decoder(dict[str, Any], float_hook=str).decode
_LIST: Final = "[]"
"""How a name ends that may be repeated."""


class Given:
    """What a caller gave, by name. Of a name that is repeated the last value counts.

    A name that ends in `[]` is a list of all values. In JSON, `{"a": {"b": [...]}}` is a way to
    write `a[b][]`, and `{"a": {"B": ...}}` one to write `a[B]`.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        """Return a parameter as text, None where it is absent or null.

        Raises:
            InvalidRecord: for a list, an object or a boolean, and for a text that is not storable.
        """
        value = self._values.get(name)
        return None if value is None else _text(name, value)

    def texts(self, name: str) -> list[str] | None:
        """Return the values of a name that ends in `[]`, None where it is absent or null.

        Raises:
            InvalidRecord: for anything else than a list of texts and numbers, as `text` takes them.
        """
        values = self._values.get(name)
        if values is None:
            values = self._nested(name)
        if values is None:
            return None
        if not isinstance(values, list):
            raise InvalidRecord({name: ["is invalid"]})
        return [_text(name, value) for value in values]

    def by_key(self, name: str) -> dict[str, str] | None:
        """Return values by what stands in the brackets after a name, None where there are none.

        Raises:
            InvalidRecord: for values that are neither texts nor numbers, as `text` takes them.
        """
        inner = self._values.get(name)
        if inner is not None and not isinstance(inner, dict):
            raise InvalidRecord({name: ["is invalid"]})
        found = dict(inner or {})
        for each, value in self._values.items():
            if each.startswith(f"{name}[") and each.endswith("]"):
                found[each[len(name) + 1 : -1]] = value
        if inner is None and not found:
            return None
        return {_text(name, key): _text(name, value) for key, value in found.items()}

    def _nested(self, name: str) -> object:
        value: object = self._values
        for part in name.removesuffix(_LIST).replace("]", "").split("["):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def flag(self, name: str) -> bool | None:
        """Return a parameter that is true or false, None where it is absent or null.

        Raises:
            InvalidRecord: for anything else.
        """
        match self._values.get(name):
            case None:
                return None
            case True | "true":
                return True
            case False | "false":
                return False
            case _:
                raise InvalidRecord({name: ["is invalid"]})

    def number(self, name: str, default: int, allowed: range) -> int:
        """Return a parameter that is a whole number, `default` where it is absent.

        Raises:
            InvalidRecord: for anything else, and for a number that is not allowed.
        """
        text = self.text(name)
        if text is None:
            return default
        # Python reads underscores, signs, spaces and other scripts' digits as well.
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(allowed.stop))):
            raise InvalidRecord({name: ["is invalid"]})
        if int(text) not in allowed:
            raise InvalidRecord({name: ["does not have a valid value"]})
        return int(text)

    def required(self, name: str) -> str:
        """Return a parameter as text.

        Raises:
            InvalidRecord: as `text`, and where it is absent.
        """
        text = self.text(name)
        if text is None:
            raise InvalidRecord({name: ["is missing"]})
        return text

    def all_required(self, *names: str) -> list[str]:
        """Return parameters as texts; all that are absent are named at once.

        Raises:
            InvalidRecord: as `required`.
        """
        missing = [name for name in names if self._values.get(name) is None]
        if missing:
            raise InvalidRecord({name: ["is missing"] for name in missing})
        return [self.required(name) for name in names]


def given_of(call: SignedCall) -> Given:
    """Return the parameters of a call."""
    query = _collected(pairs_of(call.query))
    if call.method in _QUERY_ALONE or not call.body:
        return Given(query)
    return Given({**_of_body(call.body), **query})


def _of_body(body: bytes) -> Mapping[str, object]:
    if is_json_object(body):
        return _decode_object(body)
    return _collected(pairs_of(body))


def _collected(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    lists: dict[str, list[str]] = {}
    values: dict[str, object] = {}
    for name, value in pairs:
        if name.endswith(_LIST):
            lists.setdefault(name, []).append(value)
        else:
            values[name] = value
    return {**values, **lists}


def _text(name: str, value: object) -> str:
    match value:
        case str(text) if is_storable(text):
            return text
        case bool():
            raise InvalidRecord({name: ["is invalid"]})
        case int():
            return str(value)
        case _:
            raise InvalidRecord({name: ["is invalid"]})
