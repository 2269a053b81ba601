"""The assets of the simulated world: what each is, about what it costs, and how much it moves."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset as the world begins.

    `anchor` is the USD price around which it moves, `unrest` how widely (100 is Bitcoin's width, 0
    stands still), `daily_usd` about what its main pair turns over in a day, in USD.
    """

    code: str
    name: str
    anchor: Decimal
    unrest: int
    daily_usd: int
    network: str
    is_fiat: bool = False

    @property
    def is_pegged(self) -> bool:
        """Whether it hardly moves against the dollar: fiat money and stablecoins."""
        return self.unrest < FREE_FLOATING


FREE_FLOATING = 20
"""From this unrest on an asset is no kind of money, only a coin."""

UNPRICED = "ORPHAN"
"""An asset that can be held and sent but that no pair trades: nobody can say what it is worth."""

# code, name, USD price, unrest, daily volume in thousands of USD, network
_COINS = """
BTC   Bitcoin            112000     100 1900000 BTC
ETH   Ethereum           4100       130 1400000 ETH
BNB   BNB                1080       110 420000  BSC
SOL   Solana             198        160 610000  SOL
XRP   XRP                2.84       140 350000  XRP
DOGE  Dogecoin           0.232      170 210000  DOGE
ADA   Cardano            0.81       150 90000   ADA
TRX   TRON               0.334      90  48000   TRX
AVAX  Avalanche          28.4       170 62000   AVAXC
LINK  Chainlink          21.6       160 58000   ETH
SUI   Sui                3.31       180 110000  SUI
DOT   Polkadot           4.02       160 26000   DOT
LTC   Litecoin           116.5      140 41000   LTC
BCH   BitcoinCash        571        140 33000   BCH
UNI   Uniswap            7.68       170 24000   ETH
ATOM  Cosmos             4.11       160 9800    ATOM
XLM   Stellar            0.377      150 17000   XLM
NEAR  NEARProtocol       2.91       180 28000   NEAR
APT   Aptos              4.95       180 21000   APT
ARB   Arbitrum           0.434      190 19000   ARBITRUM
OP    Optimism           0.719      190 12000   OPTIMISM
FIL   Filecoin           2.31       170 9100    FIL
ETC   EthereumClassic    19.1       150 11000   ETC
AAVE  Aave               279        170 31000   ETH
INJ   Injective          12.6       190 8800    INJ
ICP   InternetComputer   4.42       180 7300    ICP
HBAR  Hedera             0.221      170 26000   HBAR
ALGO  Algorand           0.214      160 5200    ALGO
VET   VeChain            0.0233     170 3900    VET
GRT   TheGraph           0.0839     180 2900    ETH
SAND  TheSandbox         0.263      180 3600    ETH
MANA  Decentraland       0.305      180 2700    ETH
AXS   AxieInfinity       2.18       190 2200    ETH
LDO   LidoDAO            1.17       190 6400    ETH
PEPE  Pepe               0.00000942 200 130000  ETH
SHIB  ShibaInu           0.0000119  180 31000   ETH
BONK  Bonk               0.0000198  200 16000   SOL
FET   ASI                0.561      190 11000   ETH
RUNE  THORChain          1.12       190 3100    RUNE
STX   Stacks             0.602      180 2600    STX
IMX   Immutable          0.694      190 3300    ETH
TIA   Celestia           1.49       200 9700    TIA
SEI   Sei                0.287      190 14000   SEI
WLD   Worldcoin          1.21       200 38000   OPTIMISM
ENS   NameService        21.2       180 5100    ETH
CRV   Curve              0.742      190 8200    ETH
SNX   Synthetix          0.668      190 1700    ETH
COMP  Compound           41.3       170 1900    ETH
ZEC   Zcash              148        190 52000   ZEC
DASH  Dash               31.2       170 4400    DASH
"""

_STABLES = """
USDT  Tether             1.0002     1   900000  TRX
USDC  USDC               0.9999     1   1300000 ETH
FDUSD FirstDigitalUSD    0.9984     2   310000  BSC
TUSD  TrueUSD            0.9976     4   2100    ETH
DAI   Dai                0.9998     2   900     ETH
"""

_FIAT = """
USD   USDollar           1          0   4000    SWIFT
EUR   Euro               1.163      12  39000   SEPA
TRY   TurkishLira        0.0239     15  74000   BANK
BRL   BrazilianReal      0.187      15  8100    PIX
"""


def _table(text: str, *, is_fiat: bool = False) -> list[Asset]:
    rows = [line.split() for line in text.strip().splitlines()]
    return [
        Asset(code, name, Decimal(usd), int(unrest), int(thousands) * 1000, network, is_fiat)
        for code, name, usd, unrest, thousands, network in rows
    ]


COINS: tuple[Asset, ...] = tuple(_table(_COINS))
STABLES: tuple[Asset, ...] = tuple(_table(_STABLES))
FIAT: tuple[Asset, ...] = tuple(_table(_FIAT, is_fiat=True))
_ORPHAN = Asset(UNPRICED, "Orphan token", Decimal(1), 0, 0, "ETH")

ASSETS: dict[str, Asset] = {asset.code: asset for asset in (*COINS, *STABLES, *FIAT, _ORPHAN)}
