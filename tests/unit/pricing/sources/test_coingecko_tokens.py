from decimal import Decimal

import pytest

from coffers.clock import Millis
from coffers.pricing.sources.coingecko_tokens import CoinGeckoTokens
from coffers.pricing.sources.source import SourceFailure, SourcePrice

TOKENS = CoinGeckoTokens()
USDC = "ethereum:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
BONK = "solana:DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263"


def test_a_token_is_asked_for_alone_on_the_platform_of_its_chain() -> None:
    target = TOKENS.target([USDC])
    assert target.startswith(f"/api/v3/simple/token_price/ethereum?contract_addresses={USDC[9:]}&")
    assert "/polygon-pos?" in TOKENS.target([f"polygon:{USDC[9:]}"])
    assert TOKENS.most == 1


def test_the_answer_is_read_whatever_case_its_letters_have() -> None:
    entry = {"usd": "0.9998", "last_updated_at": 1_759_999_970}
    answer = {"0xA0B86991c6218b36c1d19D4a2e9Eb0cE3606eB48": entry}
    told = TOKENS.told(answer, [USDC])
    assert told == {USDC: SourcePrice(Decimal("0.9998"), Millis(1_759_999_970_000))}
    assert TOKENS.told({BONK[7:]: entry}, [BONK]).keys() == {BONK}


@pytest.mark.parametrize("answer", [{}, {USDC[9:]: {}}, {USDC[9:]: {"usd": 0}}, {"0x1": None}])
def test_what_is_not_listed_there_is_absent(answer: object) -> None:
    assert TOKENS.told(answer, [USDC]) == {}


def test_an_answer_in_another_form_is_a_failure() -> None:
    with pytest.raises(SourceFailure):
        TOKENS.told(["0x1"], [USDC])


@pytest.mark.parametrize(
    ("asset", "known"),
    [
        (USDC, True),
        (BONK, True),
        ("BTC", False),
        ("coingecko:bitcoin", False),
        ("my_chain:0x1234", False),
        ("cosmos:ibc/ABC", False),
    ],
)
def test_tokens_of_known_chains_are_known(asset: str, known: bool) -> None:
    assert TOKENS.knows(asset) is known
