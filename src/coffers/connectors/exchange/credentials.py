"""Credentials -> the attributes of a ccxt instance, and the texts that must not show."""

from typing import Any

from coffers.connectors.reading import Credentials

# A wallet-like venue (Hyperliquid) has an address for a key and a private key for a secret.
_FROM_KEY = ("apiKey", "walletAddress")
_FROM_SECRET = ("secret", "privateKey", "token")
_FROM_CUSTOMER = ("uid", "accountId", "login")


def set_credentials(exchange: Any, credentials: Credentials) -> None:  # noqa: ANN401  # ccxt has no types
    """Put credentials on an instance that nobody else uses, under the names that it requires."""
    passphrase = credentials.passphrase.reveal() if credentials.passphrase else None
    values = {
        **dict.fromkeys(_FROM_KEY, credentials.api_key),
        **dict.fromkeys(_FROM_SECRET, credentials.secret.reveal()),
        **dict.fromkeys(_FROM_CUSTOMER, credentials.customer_id),
        "password": passphrase,
    }
    required = {name for name, needed in exchange.requiredCredentials.items() if needed}
    if "privateKey" in required or not required:
        # Pacifica and dYdX need the address too, and do not say so.
        required.add("walletAddress")
    for name in required:
        if values.get(name):
            setattr(exchange, name, values[name])


def hidden_texts(credentials: Credentials | None) -> tuple[str, ...]:
    """Return what no message may show of the credentials."""
    if credentials is None:
        return ()
    secrets = [credentials.secret, credentials.passphrase]
    return (credentials.api_key, *(secret.reveal() for secret in secrets if secret))
