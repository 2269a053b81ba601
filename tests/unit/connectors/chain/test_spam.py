import pytest

from coffers.connectors.chain.spam import pretends, shape

KNOWN = ["USDC", "USD₮0", "ETH", "1INCH", "stETH", "LINK"]


@pytest.mark.parametrize(
    "symbol",
    [
        "USDC",
        "usdc",
        " usdc ",
        "U$DC",
        "USD-C",
        "USD\u0421",
        "USD\u0106",
        "\uff35\uff33\uff24\uff23",
        "\u0415\u0422\u041d",
        "E\u03a4H",
        "ET\u0397",
        "lINCH",
        "L1NK",
        "LlNK",
        "USDTO",
    ],
)
def test_a_symbol_that_looks_like_a_known_one_pretends(symbol: str) -> None:
    assert pretends(symbol, None, KNOWN)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("Claim at x-drop.com", None),
        ("GIFT", "Visit https://gift.example"),
        ("$1000", "Voucher"),
        ("NEW", "t.me/freecoins"),
        ("ABC", "abc.xyz rewards"),
    ],
)
def test_an_advertisement_pretends(symbol: str, name: str | None) -> None:
    assert pretends(symbol, name, KNOWN)


@pytest.mark.parametrize("symbol", ["NEW", "USDCX", "DOG", "ETHX", "猫", None])
def test_other_tokens_do_not(symbol: str | None) -> None:
    assert not pretends(symbol, "A new token", KNOWN)


def test_signs_alone_have_no_shape() -> None:
    assert shape("$ -_") == "s"
    assert shape("--") == ""
