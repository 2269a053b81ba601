"""Credentials that are well formed and obviously fake, for every market: what is required alone."""

from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import Market, load_catalogue
from coffers.markets.fields import field_of
from coffers.portfolio.connecting import Connection, accepted
from coffers.secret import Secret
from integration.connectors.replay import BASE58_KEY, ED25519_KEY, PRIVATE_KEY, SECRETS

EVM_ADDRESS = "0x" + "ab" * 20
FORMED = {
    "word": "fake-word",
    "number": "4711",
    "text": "fake words",
    "secret": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    "pem": ED25519_KEY,
    "evm_address": EVM_ADDRESS,
    "evm_key": PRIVATE_KEY,
    "stark_address": "0x" + "02" * 32,
    "stark_key": "0x" + "01" * 32,
    "dydx_address": "dydx1" + "q" * 38,
    "solana_address": BASE58_KEY,
    "base58_key": f"ed25519:{BASE58_KEY}",
    "hex32": "0x" + "cd" * 32,
}
"""One text of every form."""


def wellformed(market: Market) -> Credentials:
    """Return what a user would give who gives what the catalogue asks for, as it is stored."""
    given = {name: FORMED[field_of(market, name).form] for name in market.required_fields}
    if market.venue == "lbank":
        given["secret"] = SECRETS["lbank"]
    if market.venue == "gemini":
        given["api_key"] = "account-fake"
    passphrase = given.get("passphrase")
    credentials = Credentials(
        api_key=given.get("api_key", ""),
        secret=Secret(given.get("secret", "")),
        passphrase=Secret(passphrase) if passphrase else None,
        customer_id=given.get("customer_id"),
        address=given.get("address"),
        login=given.get("login"),
    )
    asked = Connection(1, market.code, "Fake", credentials)
    return accepted(asked, load_catalogue())[1].credentials
