"""The networks by which the venue moves its assets, and where each account takes deposits."""

from dataclasses import dataclass
from hashlib import sha256

from coffers.sandbox.accounts import Account
from coffers.sandbox.assets import ASSETS, Asset

_CLOSED = "Wallet Maintenance, Deposit Suspended"
_TAG_FORM = r"^[0-9A-Za-z\-_]{1,120}$"

_NAMES = {
    "ARBITRUM": "Arbitrum One",
    "BSC": "BNB Smart Chain (BEP20)",
    "BTC": "Bitcoin",
    "ETH": "Ethereum (ERC20)",
    "OPTIMISM": "Optimism",
    "SOL": "Solana",
    "TRX": "Tron (TRC20)",
}
_FURTHER = {
    "BTC": ("BSC",),
    "ETH": ("ARBITRUM", "BSC", "OPTIMISM"),
    "USDC": ("BSC", "SOL"),
    "USDT": ("BSC", "ETH", "SOL"),
}
"""The networks of an asset beside its own."""

_DEPOSITS_CLOSED = {("BTC", "BSC"), ("RUNE", "RUNE")}
_TAGGED = {"XRP", "XLM", "ATOM", "HBAR"}
"""The networks on which an address has a second part."""


@dataclass(frozen=True, slots=True)
class Network:
    """One way to move an asset."""

    asset: Asset
    code: str

    @property
    def takes_deposits(self) -> bool:
        """Whether deposits are open."""
        return (self.asset.code, self.code) not in _DEPOSITS_CLOSED

    def listed(self) -> dict[str, object]:
        """Return the network as `/sapi/v1/capital/config/getall` lists it."""
        return {
            "network": self.code,
            "coin": self.asset.code,
            "withdrawIntegerMultiple": "0.00000001",
            "isDefault": self.code == self.asset.network,
            "depositEnable": self.takes_deposits,
            "withdrawEnable": True,
            "depositDesc": "" if self.takes_deposits else _CLOSED,
            "withdrawDesc": "",
            "specialTips": "",
            "name": _NAMES.get(self.code, self.code),
            "resetAddressStatus": False,
            "addressRegex": f"^sandbox-{self.code.lower()}-[0-9a-f]{{16}}$",
            "memoRegex": _TAG_FORM if self.code in _TAGGED else "",
            "withdrawFee": "0.0001",
            "withdrawMin": "0.001",
            "withdrawMax": "10000000000",
            "minConfirm": 1,
            "unLockConfirm": 12,
            "sameAddress": self.code in _TAGGED,
        }

    def address(self, holder: Account) -> tuple[str, str]:
        """Return the address of an account, and its second part, empty where there is none."""
        seed = f"{holder.venue}:{holder.key}:{self.code}"
        digest = sha256(seed.encode()).hexdigest()
        tag = str(int(digest[-8:], 16)) if self.code in _TAGGED else ""
        own = sha256(f"{holder.venue}:{self.code}".encode()).hexdigest() if tag else digest
        return f"sandbox-{self.code.lower()}-{own[:16]}", tag


def networks_of(asset: Asset) -> list[Network]:
    """Return the networks of an asset, its own first; of fiat money none."""
    if asset.is_fiat:
        return []
    return [Network(asset, code) for code in (asset.network, *_FURTHER.get(asset.code, ()))]


def network_called(coin: str, code: str | None) -> Network | None:
    """Return a network of an asset, its own one where none is named; None where there is none."""
    asset = ASSETS.get(coin)
    networks = [] if asset is None else networks_of(asset)
    return next((each for each in networks if code in (None, "", each.code)), None)
