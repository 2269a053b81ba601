"""What each credential of a market is called, what form it has and where one finds it."""

import functools
import importlib.resources
from collections.abc import Mapping

import msgspec

from coffers.markets.catalogue import Market
from coffers.markets.forms import Form

SECRET_FIELDS = frozenset({"secret", "passphrase"})
"""Those that prove something: never shown, never stored but sealed, never on a command line."""

_EVERYWHERE = "*"


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One credential: its label for people, its form, and a hint at which one is meant."""

    label: str
    form: Form
    hint: str = ""

    @property
    def told(self) -> str:
        """The label with the hint."""
        return f"{self.label} ({self.hint})" if self.hint else self.label


class _Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    label: str | None = None
    form: Form | None = None
    hint: str | None = None


def field_of(market: Market | None, name: str) -> Field:
    """Return what is known of a credential; of one that no market asks for, its name."""
    common, own = _fields()
    venue = (market and market.venue) or ""
    return _joined(common, name, own.get(venue, {}).get(name))


def own_fields() -> dict[str, dict[str, Field]]:
    """Return the credentials that are special at a venue, by venue and name."""
    common, own = _fields()
    return {
        venue: {name: _joined(common, name, told) for name, told in fields.items()}
        for venue, fields in own.items()
    }


def _joined(common: Mapping[str, Field], name: str, told: _Own | None) -> Field:
    base = common.get(name) or Field(name.replace("_", " "), "word")
    if told is None:
        return base
    return Field(told.label or base.label, told.form or base.form, told.hint or base.hint)


@functools.cache
def _fields() -> tuple[dict[str, Field], dict[str, dict[str, _Own]]]:
    data = importlib.resources.files("coffers.markets").joinpath("data/fields.json")
    stored = msgspec.json.decode(data.read_bytes())
    common = msgspec.convert(stored.pop(_EVERYWHERE), dict[str, Field])
    return common, msgspec.convert(stored, dict[str, dict[str, _Own]])
