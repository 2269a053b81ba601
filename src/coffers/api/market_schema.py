"""Markets as clients see them, and as the OpenAPI document describes them."""

from typing import Final

from coffers.api.balance_schema import array_of
from coffers.api.schema_words import BOOLEAN, TEXT, Schema
from coffers.markets.catalogue import Market
from coffers.portfolio.markets import ConnectType

_LABELS: Final = {
    "api_key": "API Key:",
    "secret": "API Secret:",
    "passphrase": "Passphrase:",
    "customer_id": "Customer ID:",
    "address": "Address:",
}
_READING: Final = (
    "The key stays on this server, sealed, and is used for reading only. Make one that may read "
    "and cannot withdraw."
)
_TRADING: Final = (
    "The key stays on this server, sealed, and is used for reading, and for the orders and "
    "transfers that you ask for. Make one that cannot withdraw."
)


def market_entity(market: Market, base_url: str, *, is_trading_on: bool) -> dict[str, object]:
    """Return a market as `market_list` shows it; null is what is not known here."""
    trust = _TRADING if is_trading_on else _READING
    return {
        "market_name": market.name,
        "market_url": None,
        "market_icon": f"{base_url}/img/exchanges/{market.code}.svg",
        "market_trust_message": trust,
        "default_trust_message": trust,
        "help_link": None,
        "market_code": market.code,
        "form_fields": {
            "required": [_field(name) for name in market.required_fields],
            "optional": [_field(name) for name in market.optional_fields],
        },
        "connection_type": "fields",
        "available_connection_flows": market.connection_flows,
        "third_party_allowed": False,
        "trusted_ips": [],
        "trusted_ips_input_type": "inline",
        "fast_connect_action_name": None,
    }


def type_entity(found: ConnectType) -> dict[str, object]:
    """Return a market as `types_to_connect` shows it."""
    return {
        "type": found.code,
        "connected": found.is_connected,
        "available": found.is_available,
        "unified": found.is_unified,
    }


def _field(name: str) -> dict[str, str]:
    return {"field": name, "localized_name": _LABELS.get(name, f"{name}:")}


_NULL: Final[Schema] = {"type": "null"}
_FIELDS: Final = array_of({"field": TEXT, "localized_name": TEXT})

MARKETS: Final = array_of(
    {
        "market_name": TEXT,
        "market_url": _NULL,
        "market_icon": {"type": "string", "format": "uri"},
        "market_trust_message": TEXT,
        "default_trust_message": TEXT,
        "help_link": _NULL,
        "market_code": TEXT,
        "form_fields": {
            "type": "object",
            "required": ["required", "optional"],
            "properties": {"required": _FIELDS, "optional": _FIELDS},
        },
        "connection_type": {"const": "fields"},
        "available_connection_flows": {"type": "array", "items": {"enum": ["form"]}},
        "third_party_allowed": BOOLEAN,
        "trusted_ips": {"type": "array", "items": TEXT},
        "trusted_ips_input_type": TEXT,
        "fast_connect_action_name": _NULL,
    }
)
"""What `market_list` answers."""

TYPES: Final = array_of(
    {"type": TEXT, "connected": BOOLEAN, "available": BOOLEAN, "unified": BOOLEAN}
)
"""What `types_to_connect` answers."""
