"""Credentials -> the attributes of a ccxt instance, and the texts that must not show."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from coffers.connectors.exchange.rules import credential_rules
from coffers.connectors.reading import Credentials

FIELDS = {
    "secret": "secret",
    "apiKey": "api_key",
    "walletAddress": "address",
    "privateKey": "secret",
    "password": "passphrase",
    "uid": "customer_id",
    "accountId": "customer_id",
    "login": "login",
}
"""ccxt's names of credentials -> ours, which are those that clients send, in their forms' order.

No venue asks for two that are one of ours: a private key is what proves, as a secret is elsewhere.
"""

STARK_ADDRESS = 43
"""Length from which an address is one of Starknet; those of Ethereum are 42 long."""


def fields_of(venue: str, required: Iterable[str]) -> dict[str, str]:
    """Return what reading needs at a venue: our names of credentials with ccxt's.

    Args:
        venue: the ccxt id.
        required: the credentials that ccxt's class asks for, by its names.
    """
    rule = credential_rules().get(venue)
    if rule is not None:
        return dict(rule.fields)
    asked = set(required)
    return {ours: theirs for theirs, ours in FIELDS.items() if theirs in asked}


def optional_of(venue: str) -> dict[str, str]:
    """Return what may be given beside, as `fields_of`."""
    rule = credential_rules().get(venue)
    return {} if rule is None else dict(rule.optional)


def set_credentials(exchange: Any, credentials: Credentials) -> None:  # noqa: ANN401  # ccxt has no types
    """Put credentials on an instance that nobody else uses, under the names that it requires."""
    required = (name for name, needed in exchange.requiredCredentials.items() if needed)
    fields = {**fields_of(exchange.id, required), **optional_of(exchange.id)}
    given = credentials.revealed()
    for ours, theirs in fields.items():
        if given.get(ours):
            _set(exchange, theirs, given[ours])
    _spare(exchange)
    if prepare := _PREPARE.get(exchange.id):
        prepare(exchange, given)


def hidden_texts(credentials: Credentials | None) -> tuple[str, ...]:
    """Return what no message may show of the credentials."""
    return () if credentials is None else tuple(filter(None, credentials.revealed().values()))


def fingerprint(credentials: Credentials) -> str:
    """Return what tells credentials apart, as a hash."""
    own = credentials.api_key, credentials.address or "", credentials.secret.reveal()
    return hashlib.sha256("\0".join(own).encode()).hexdigest()


def _set(exchange: Any, name: str, value: str) -> None:  # noqa: ANN401  # ccxt has no types
    where, _, option = name.partition(".")
    if option:
        exchange.options[option] = value
    else:
        setattr(exchange, where, value)


def _spare(exchange: Any) -> None:  # noqa: ANN401  # ccxt has no types
    rule = credential_rules().get(exchange.id)
    if rule is not None and rule.spared:
        # The class's own table is shared by all instances.
        exchange.requiredCredentials = {
            **exchange.requiredCredentials,
            **dict.fromkeys(rule.spared, False),
        }


def _sign_for_another_wallet(exchange: Any, given: Mapping[str, str]) -> None:  # noqa: ANN401  # ccxt has no types
    """Let the key of an API wallet sign for the wallet that the money is in.

    ccxt takes the address from the key, and both for the same; it keeps it in these options.
    """
    key = given["secret"]
    exchange.options["signerAddress"] = exchange.eth_get_address_from_private_key(key)
    exchange.options["cachedWalletAddress"] = given["address"]
    hashed = exchange.hash(exchange.encode(key), "keccak", "hex")
    exchange.options["privateKeyHashForCachedWalletAddress"] = hashed


def _sign_by_stark_key(exchange: Any, given: Mapping[str, str]) -> None:  # noqa: ANN401  # ccxt has no types
    """Take a key of Paradex itself, such as a subkey, where the address is one of Paradex too.

    Else ccxt works out both from an Ethereum wallet's key, which moves more than this account.
    """
    if len(given["address"]) >= STARK_ADDRESS:
        account = {"address": given["address"], "privateKey": given["secret"]}
        exchange.options["paradexAccount"] = account


_PREPARE = {"aster": _sign_for_another_wallet, "paradex": _sign_by_stark_key}
