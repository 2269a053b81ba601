"""The credentials of a market as a form asks for them."""

from dataclasses import dataclass

from coffers.markets.catalogue import Market
from coffers.markets.fields import SECRET_FIELDS, field_of
from coffers.portfolio.asking import CREDENTIALS


@dataclass(frozen=True, slots=True)
class FormField:
    """One credential as the form asks for it."""

    name: str
    label: str
    hint: str
    is_secret: bool
    is_required: bool


def fields_of(market: Market) -> list[FormField]:
    """Return what a market asks for, in the order of its form."""
    asked = (*market.required_fields, *market.optional_fields)
    found = []
    for name in CREDENTIALS:
        if name in asked:
            known = field_of(market, name)
            is_secret, is_required = name in SECRET_FIELDS, name in market.required_fields
            label = known.label[:1].upper() + known.label[1:]
            found.append(FormField(name, label, known.hint, is_secret, is_required))
    return found
