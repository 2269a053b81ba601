"""The credentials that a user gives: checked against what their market asks for, and tidied."""

from dataclasses import replace

from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import Market
from coffers.markets.fields import SECRET_FIELDS, field_of
from coffers.markets.forms import Malformed, normal
from coffers.portfolio.secrecy import key_fault
from coffers.secret import Secret

FIELDS = ("api_key", "secret", "passphrase", "customer_id", "address", "login")
"""The credentials that can be stored, by the names that clients send."""

_PUBLIC = ("api_key", "customer_id", "login")
"""Those that exchanges and lists show as they are."""

Faults = dict[str, list[str]]


def tidied(credentials: Credentials, market: Market) -> tuple[Credentials, Faults]:
    """Return credentials in their venue's form, and what is wrong with each that has none."""
    given, faults = credentials.revealed(), Faults()
    for name in FIELDS:
        try:
            given[name] = _accepted(market, name, given[name])
        except Malformed as fault:
            faults[name] = [str(fault)]
    for name in _PUBLIC:
        if secret := key_fault(given[name]):
            faults[name] = [secret]
    tidy = replace(
        credentials,
        api_key=given["api_key"],
        secret=Secret(given["secret"]),
        passphrase=Secret(given["passphrase"]) if given["passphrase"] else None,
        customer_id=given["customer_id"] or None,
        address=given["address"] or None,
        login=given["login"] or None,
        subaccount_name=(credentials.subaccount_name or "").strip() or None,
    )
    return tidy, faults


def _accepted(market: Market, name: str, text: str) -> str:
    field = field_of(market, name)
    is_required = name in market.required_fields
    if not text.strip():
        if is_required:
            raise Malformed(f"is missing: {field.told}" if field.hint else "is missing")
        return ""
    if not is_required and name not in market.optional_fields:
        raise Malformed(unasked(market, name))
    try:
        return normal(field.form, text)
    except Malformed as fault:
        raise Malformed(f"{fault} ({field.told})" if field.hint else str(fault)) from None


def unasked(market: Market, name: str) -> str:
    """Return the sentence that refuses a credential which a market does not ask for."""
    asked = ", ".join(market.required_fields)
    if name in SECRET_FIELDS:
        return f"is not needed at {market.name} and is better kept to yourself: give {asked}"
    return f"is not asked for by {market.name}: give {asked}"
