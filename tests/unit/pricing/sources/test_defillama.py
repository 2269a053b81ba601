from decimal import Decimal

import pytest

from coffers.clock import Millis
from coffers.pricing.sources.defillama import DefiLlama
from coffers.pricing.sources.source import SourceFailure, SourcePrice
from unit.pricing.sources.recorded import answer

LLAMA = DefiLlama()
USDT = "ethereum:0xdAC17F958D2ee523a2206206994597C13D831ec7"
UNSURE = "base:0x532f27101965dd16442E59d40670FaF5eBB142E4"


def test_tokens_are_asked_for_by_contract_and_coins_by_id() -> None:
    assert LLAMA.target(("ALGO", USDT)) == (
        f"/prices/current/coingecko:algorand,{USDT}?searchWidth=1h"
    )


def test_prices_come_under_our_own_names() -> None:
    assert LLAMA.told(answer("defillama"), ("ALGO", USDT, "XRP")) == {
        "ALGO": SourcePrice(Decimal("0.2101"), Millis(1_759_999_890_000), of="coingecko"),
        USDT: SourcePrice(Decimal("1.0003"), Millis(1_759_999_891_000), of="coingecko"),
    }


def test_a_price_that_the_source_itself_hardly_trusts_is_none() -> None:
    assert LLAMA.told(answer("defillama"), (UNSURE,)) == {}


def test_a_price_is_its_own_where_it_trusts_a_contract_more_than_coingecko() -> None:
    entry = {"price": "2", "timestamp": 1_759_999_970, "confidence": 1}
    told = LLAMA.told({"coins": {USDT: entry, "coingecko:algorand": entry}}, (USDT, "ALGO"))
    assert (told[USDT].of, told["ALGO"].of) == (None, "coingecko")


def test_an_entry_without_a_confidence_is_none() -> None:
    told = LLAMA.told({"coins": {USDT: {"price": "1", "timestamp": 1}, UNSURE: 5}}, (USDT, UNSURE))
    assert told == {}


@pytest.mark.parametrize(
    "asset", ["FOO", "EUR", ":0x12", "a b:0x12", "x:y?z=1", "x:a,y:b", "x:../a"]
)
def test_what_is_neither_a_contract_nor_a_coin_of_the_table_is_not_asked(asset: str) -> None:
    assert not LLAMA.knows(asset)


def test_contracts_and_coins_of_the_table_are_known() -> None:
    assert LLAMA.knows(USDT)
    assert LLAMA.knows("ALGO")


def test_the_longest_question_fits_into_an_address() -> None:
    assert len(LLAMA.target([USDT] * LLAMA.most)) < 6000


@pytest.mark.parametrize("odd", [[], {}, {"coins": []}])
def test_an_answer_of_another_form_is_a_failure(odd: object) -> None:
    with pytest.raises(SourceFailure):
        LLAMA.told(odd, (USDT,))


def test_chains_go_by_the_names_that_they_have_there() -> None:
    avalanche, cardano = "avalanche:0x1234", "cardano:ab12.4d49"
    target = LLAMA.target((avalanche, "gnosis:0x5678", cardano))
    assert "/avax:0x1234,xdai:0x5678,cardano:ab124d49?" in target
    entry = {"price": 2, "timestamp": 1_759_999_970, "confidence": "0.99"}
    told = LLAMA.told({"coins": {"avax:0x1234": entry}}, (avalanche, cardano))
    assert told.keys() == {avalanche}
