import pytest

from coffers.connectors.exchange.symbols import asset_of, bundle_of

KRAKEN_KNOWS = {"BTC", "ETH", "ETH2", "DOT", "ATOM", "USD", "SOL", "LUNA", "LUNC", "REP", "T"}
BINANCE_KNOWS = {"BTC", "ETH", "LDO", "DOGE", "USDT"}


@pytest.mark.parametrize(
    ("code", "asset"),
    [
        ("BTC", "BTC"),
        ("BTC.F", "BTC"),
        ("XBT.M", "BTC"),
        ("ETH.S", "ETH"),
        ("ETH2", "ETH"),
        ("ETH2.S", "ETH"),
        ("DOT.P", "DOT"),
        ("DOT28.S", "DOT"),
        ("ATOM21.S", "ATOM"),
        ("SOL03.S", "SOL"),
        ("USD.HOLD", "USD"),
        ("USD.B", "USD"),
        ("LUNA", "LUNA"),
        ("LUNA2.S", "LUNA"),
        ("LUNA.S", "LUNC"),
        ("XDG.F", "DOGE"),
        ("ZEUR.HOLD", "EUR"),
        ("UST.F", "USTC"),
        ("REP", "REP"),
        ("AAPLx.T", "AAPLx.T"),
        ("NEW.S", "NEW"),
        ("NEW28.S", "NEW28"),
        (".S", ".S"),
    ],
)
def test_what_kraken_calls_an_asset(code: str, asset: str) -> None:
    assert asset_of(("kraken",), code, KRAKEN_KNOWS) == asset


@pytest.mark.parametrize(
    ("code", "asset"),
    [
        ("LDBTC", "BTC"),
        ("LDO", "LDO"),
        ("LDLDO", "LDO"),
        ("LDDOGE", "DOGE"),
        ("LDNEW", "LDNEW"),
        ("XBT", "BTC"),
        ("BTC.F", "BTC.F"),
    ],
)
def test_what_binance_calls_an_asset(code: str, asset: str) -> None:
    assert asset_of(("binanceus", "binance"), code, BINANCE_KNOWS) == asset


def test_a_venue_without_a_rule_only_has_the_common_aliases() -> None:
    assert asset_of(("bitstamp",), "XBT", ()) == "BTC"
    assert asset_of(("bitstamp",), "LDBTC", {"BTC"}) == "LDBTC"


@pytest.mark.parametrize(
    ("venue", "code", "bundle"),
    [
        ("binanceusdm", "1000SHIB", ("SHIB", 1000)),
        ("binanceusdm", "1000000MOG", ("MOG", 1_000_000)),
        ("binanceusdm", "1MBABYDOGE", ("BABYDOGE", 1_000_000)),
        ("bybit", "SHIB1000", ("SHIB", 1000)),
        ("bybit", "10000LADYS", ("LADYS", 10_000)),
        ("hyperliquid", "kPEPE", ("PEPE", 1000)),
        ("binanceusdm", "1000X", ("1000X", 1)),
        ("binanceusdm", "1INCH", ("1INCH", 1)),
        ("binanceusdm", "kPEPE", ("kPEPE", 1)),
        ("binanceusdm", "BTC", ("BTC", 1)),
        ("binanceusdm", "1000", ("1000", 1)),
    ],
)
def test_a_contract_on_a_bundle_of_units(venue: str, code: str, bundle: tuple[str, int]) -> None:
    assert bundle_of((venue,), code) == bundle
