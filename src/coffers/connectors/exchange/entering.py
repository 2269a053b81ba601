"""How venues are entered where ccxt's own way takes more than is needed, or a failure for a no."""

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from coffers.connectors.exchange.library import ccxt

MOST_SESSIONS = 10_000
"""How many wallets' trading sessions are remembered."""


class EnteringByKey:
    """Mixed in before GRVT: an API key opens it, where ccxt asks for the wallet's private key."""

    async def sign_in(self: Any, params: Mapping[str, object] | None = None) -> bool:
        """Log in and find out which account it is; ccxt calls this before each private call."""
        await self.sign_in_with_api_key(dict(params or {}))
        await self.load_account_infos()
        return True


class EnteringOnce:
    """Mixed in before Polymarket: a session lasts a week, where each reading would open one.

    It also mends how ccxt 4.5.90 hashes texts in Python, without which no session can be opened.
    Sessions are kept by a hash of the key, for all instances of the class that this is mixed into.
    """

    sessions: ClassVar[dict[str, object]]

    def hash_message(self: Any, message: str | bytes) -> str:
        """Hash a message; ccxt hands texts to what takes bytes only."""
        octets = message.encode() if isinstance(message, str) else message
        hashed: str = super().hash_message(octets)  # type: ignore[misc]  # of the ccxt class
        return hashed

    async def load_proxy_credentials(
        self: Any, params: Mapping[str, object] | None = None
    ) -> object:
        """Return the session of this key, a new one where there is none or it is about to end."""
        own = hashlib.sha256(self.privateKey.encode()).hexdigest()
        if own in self.sessions:
            self.options["proxyCredentials"] = self.sessions[own]
        session = await super().load_proxy_credentials(dict(params or {}))  # type: ignore[misc]  # of the ccxt class
        if len(self.sessions) >= MOST_SESSIONS:
            self.sessions.clear()
        self.sessions[own] = session
        return session


class EnteringByMode:
    """Mixed in before Gate: whether an account is a unified one is known before it is read.

    ccxt takes any failure to tell for a no, so that one reading has other wallets than the next. A
    key that may never ask keeps to the classic ones.
    """

    async def load_unified_status(self: Any, params: Mapping[str, object] | None = None) -> bool:
        """Return whether the key is one of a unified account; ccxt calls this before others."""
        if self.options.get("unifiedAccount") is None:
            try:
                told = await self.privateAccountGetDetail(dict(params or {}))
            except ccxt.PermissionDenied:
                told = {}
            mode = self.safe_string(self.safe_dict(told, "key"), "mode")
            self.options["unifiedAccount"] = mode == "2"
        is_unified: bool = self.options["unifiedAccount"]
        return is_unified


def entering(venue: str) -> tuple[type, ...]:
    """Return what is mixed in before a venue's class, none for most of them."""
    if venue == "grvt":
        return (EnteringByKey,)
    if venue in {"gate", "gateeu"}:
        return (EnteringByMode,)
    if venue == "polymarket":
        return (type("Entering", (EnteringOnce,), {"sessions": {}}),)
    return ()
