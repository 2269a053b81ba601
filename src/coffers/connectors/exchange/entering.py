"""How venues are entered where ccxt's own way takes more than is needed, or a failure for a no.

What ccxt cannot do at all with exact numbers is mended here, too.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from coffers import money
from coffers.connectors.exchange.amounts import amount_of
from coffers.connectors.exchange.library import ccxt

MOST_SESSIONS = 10_000
"""How many wallets' trading sessions are remembered."""

CLASSIC_ACCOUNT = "40084"
"""Bitget's code for a classic account that is asked as a unified one."""

IN_BETWEEN = {"upgrading", "switching"}
"""Bitget's words for accounts that become unified ones or classic ones again just now."""


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
            self.options["unifiedAccount"] = await self._told_unified(dict(params or {}))
        is_unified: bool = self.options["unifiedAccount"]
        return is_unified

    async def _told_unified(self: Any, params: Mapping[str, object]) -> bool:
        try:
            told = await self.privateAccountGetDetail(params)
        except ccxt.PermissionDenied:
            return False
        mode = self.safe_string(self.safe_dict(told, "key"), "mode", "1")
        if mode not in {"1", "2"} or not self.safe_string(told, "user_id"):
            raise ccxt.BadResponse(f"{self.id} does not tell what kind of account it is")
        return bool(mode == "2")


class EnteringByAccountMode:
    """Mixed in before KuCoin: no answer without an account's mode makes it a classic one.

    ccxt takes any that does not say unified for one. The calls of classic accounts then read
    wallets in which a unified account has nothing.
    """

    async def is_uta_enabled(self: Any, params: Mapping[str, object] | None = None) -> bool:
        """Return whether the key is one of a unified account; ccxt calls this before others."""
        if self.options.get("uta") is None:
            told = await self.utaPrivateGetAccountMode(dict(params or {}))
            mode = self.safe_string(self.safe_dict(told, "data"), "selfAccountMode")
            if not mode:
                raise ccxt.BadResponse(f"{self.id} does not tell what kind of account it is")
            self.options["uta"] = mode == "UNIFIED"
        is_unified: bool = self.options["uta"]
        return is_unified


class EnteringUnified:
    """Mixed in before Bitget: whether an account is a unified one is known before it is read.

    ccxt takes any failure to tell for a no. A busy moment then sends a unified account's key to the
    calls of classic accounts, which refuse it for good: that looks like a key without a right.
    """

    async def handle_uta_and_params(
        self: Any, params: Mapping[str, object], name: str, default: bool = False
    ) -> list[Any]:
        """Return whether the key is one of a unified account, and the parameters without that."""
        if self.options.get("uta") is None and self.check_required_credentials(False):
            self.options["uta"] = await self._has_unified_account()
        told: list[Any] = await super().handle_uta_and_params(params, name, default)  # type: ignore[misc]  # of the ccxt class
        return told

    async def _has_unified_account(self: Any) -> bool:
        try:
            told = await self.privateUtaGetV3AccountSettings()
        except ccxt.ExchangeError:
            answer = self.heard.answer
            if isinstance(answer, Mapping) and answer.get("code") == CLASSIC_ACCOUNT:
                return False
            raise
        account = self.safe_dict(told, "data")
        if not account:
            raise ccxt.BadResponse(f"{self.id} does not tell what kind of account it is")
        if self.safe_string(account, "accountMode") in IN_BETWEEN:
            # Its money lies partly in wallets of the one kind and partly in those of the other.
            raise ccxt.OnMaintenance(f"{self.id} is changing the kind of the account")
        return True


class SubtractingFees:
    """Mixed in before Coinbase Exchange: ccxt subtracts a withdrawal's fee as a float, not a text.

    One withdrawal with a fee then leaves all of them untold.
    """

    def parse_transaction(
        self: Any, transaction: Mapping[str, object], currency: object = None
    ) -> dict[str, Any]:
        """Return ccxt's transaction; the amount is what arrived elsewhere."""
        details = self.safe_dict(transaction, "details", {})
        feeless = {**transaction, "details": self.omit(details, "fee")}
        told: dict[str, Any] = {**super().parse_transaction(feeless, currency), "info": transaction}  # type: ignore[misc]  # of the ccxt class
        fee = self.safe_string(details, "fee")
        whole, cost = amount_of(told["amount"]), amount_of(fee)
        if whole is None or cost is None or told["type"] != "withdrawal":
            return told
        left = money.subtract(whole, cost)
        return {**told, "amount": left, "fee": {"currency": told["currency"], "cost": fee}}


_MIXED_IN: Mapping[str, type] = {
    "bitget": EnteringUnified,
    "coinbaseexchange": SubtractingFees,
    "gate": EnteringByMode,
    "gateeu": EnteringByMode,
    "grvt": EnteringByKey,
    "kucoin": EnteringByAccountMode,
    "kucoinfutures": EnteringByAccountMode,
}


def entering(venue: str) -> tuple[type, ...]:
    """Return what is mixed in before a venue's class, nothing for most of them."""
    if venue == "polymarket":
        return (type("Entering", (EnteringOnce,), {"sessions": {}}),)
    return (_MIXED_IN[venue],) if venue in _MIXED_IN else ()
