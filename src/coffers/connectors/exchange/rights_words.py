"""The words in which venues tell what a key may do, from the pages that `rights_readers` names."""

from collections.abc import Collection
from dataclasses import dataclass

from coffers.keyrights import KeyRights


@dataclass(frozen=True, slots=True)
class Words:
    """A venue's words for what a key may do.

    A right is there where one of its words was told. It is not there only where all that was told
    is known (`others` are the words for anything else): a new word may mean just that right.
    """

    read: frozenset[str]
    trade: frozenset[str]
    withdraw: frozenset[str]
    others: frozenset[str]

    def rights(self, told: Collection[str] | None) -> KeyRights:
        """Return the rights that are told; all are unknown where the words could not be read."""
        if told is None:
            return KeyRights()
        return KeyRights(
            read=self._may(self.read, told),
            trade=self._may(self.trade, told),
            withdraw=self._may(self.withdraw, told),
        )

    def _may(self, right: frozenset[str], told: Collection[str]) -> bool | None:
        if not right.isdisjoint(told):
            return True
        known = self.read | self.trade | self.withdraw | self.others
        return False if known.issuperset(told) else None


def _words(read: str, trade: str, withdraw: str, others: str = "") -> Words:
    return Words(*(frozenset(words.split()) for words in (read, trade, withdraw, others)))


def _each(names: str, *acts: str) -> str:
    return " ".join(f"{name}:{act}" for name in names.split() for act in acts)


# 4 and 7 are transfers between a user's own accounts.
BINGX = _words("2", "1 3", "5", "4 7")

BITFINEX = _words(
    "wallets:read",
    _each("orders positions funding", "write"),
    _each("withdraw ui_withdraw", "write"),
    _each("account history orders positions funding settings wallets bfxpay", "read", "write")
    + " withdraw:read ui_withdraw:read",
)

# The page lists the short codes, its example has the long ones. The last letter is r or w.
BITGET = _words(
    "readonly trade coor coow cpor cpow stor stow smor smow",
    "trade coow cpow stow smow ttow",
    "withdraw wwow",
    "ttor wtor wtow chor chow taxr taxw p2pr p2p pllr pllw",
)

BITGET_UNIFIED = _words(
    "uta_mgt", "uta_trade copy_futures_order", "withdraw", "copy_futures_position"
)

BYBIT = _words(
    "",
    "ContractTrade Spot Options Derivatives CopyTrading BlockTrade",
    "Withdraw",
    "AccountTransfer SubMemberTransfer SubMemberTransferList Exchange Earn NFT Affiliate "
    "FiatP2P FiatBybitPay FiatConvertBroker",
)

DERIBIT = _words(
    _each("account", "read", "read_write"),
    _each("trade block_trade block_rfq", "read_write"),
    _each("wallet", "read_write"),
    _each("account trade wallet block_trade block_rfq", "read", "none"),
)

_GATE_MARKETS = "spot margin futures delivery options copy otc alpha pilot crossx"

GATE = _words(
    _each("spot margin futures delivery options unified wallet", "read", "write"),
    _each(_GATE_MARKETS, "write"),
    _each("withdraw", "write"),
    _each(_GATE_MARKETS, "read") + " " + _each("account custody earn loan", "read", "write"),
)

HTX = _words("readOnly", "trade", "withdraw")

KRAKEN = _words(
    "query-funds",
    "modify-trades close-trades",
    "withdraw-funds",
    "add-funds earn-funds query-open-trades query-closed-trades query-ledger export-data "
    "create-ws-token add-withdraw-address update-withdraw-address",
)

# "Transfer" is not among them: the page calls the right to withdraw so in one sentence, and its
# example has it beside "InnerTransfer". Whoever has it may withdraw or not.
KUCOIN = _words(
    "General",
    "Spot Margin Futures Unified LeadtradeFutures",
    "Withdrawal Withdraw",
    "Earn InnerTransfer FlexTransfers",
)

OKX = _words("read_only", "trade", "withdraw")
