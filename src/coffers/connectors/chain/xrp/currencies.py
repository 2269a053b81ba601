"""Currency codes of the XRP Ledger, and what a token of one issuer is called.

Source: https://xrpl.org/docs/references/protocol/data-types/currency-formats.
"""

import re
from dataclasses import dataclass

from coffers.connectors.chain.answers import odd_answer
from coffers.connectors.chain.listed import listed_on
from coffers.markets.chains import Chain

_HEX = re.compile(r"[0-9A-Fa-f]{40}")
_SHORT = 3
_POOL = 0x03
_ZEROS_BEFORE, _ZEROS_BEHIND = 12, 5
_LONGEST = 20


@dataclass(frozen=True, slots=True)
class Token:
    """A token as positions and flows name it; `contract` is "<issuer>.<currency>"."""

    contract: str
    asset: str
    symbol: str


def token_of(issuer: str, currency: str, chain: Chain) -> Token:
    """Return the token that an issuer owes in a currency.

    Raises:
        ConnectorFailure: when the currency has no form that a ledger writes.
    """
    contract = f"{issuer}.{code_of(currency)}"
    listed = listed_on("xrp").get(contract)
    if listed is None:
        return Token(contract, f"{chain.id}:{contract}", symbol_of(currency))
    return Token(contract, listed.asset or f"{chain.id}:{contract}", listed.symbol)


def code_of(currency: str) -> str:
    """Return a currency code in letters and digits: three, or 40 of its bytes."""
    if _HEX.fullmatch(currency):
        return currency.upper()
    if len(currency) != _SHORT or not currency.isascii():
        raise odd_answer("a currency")
    if currency.isalnum():
        return currency
    code = bytes(_ZEROS_BEFORE) + currency.encode() + bytes(_ZEROS_BEHIND)
    return code.hex().upper()


def symbol_of(currency: str) -> str:
    """Return how a currency is shown: its letters, "LP" for shares in a pool, else its bytes."""
    if not _HEX.fullmatch(currency):
        return currency
    code = bytes.fromhex(currency)
    if code[0] == _POOL:
        return "LP"
    letters = code.rstrip(b"\0")
    if letters.isascii() and letters.decode().isprintable() and letters.strip():
        return letters.decode().strip()[:_LONGEST]
    return f"{currency[:4]}…{currency[-4:]}"
