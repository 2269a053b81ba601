"""Currency codes of the XRP Ledger."""

import pytest

from coffers.connectors.chain.xrp.currencies import code_of, symbol_of
from coffers.connectors.reading import ConnectorFailure

RLUSD = "524C555344000000000000000000000000000000"


def test_a_code_is_written_in_letters_and_digits_alone() -> None:
    assert code_of("USD") == "USD"
    assert code_of(RLUSD.lower()) == RLUSD
    assert code_of("<3>") == "0000000000000000000000003C333E0000000000"


@pytest.mark.parametrize("odd", ["", "US", "USDT", "ÄÖÜ", RLUSD[:-1], "zz" * 20])
def test_what_no_ledger_writes_is_refused(odd: str) -> None:
    with pytest.raises(ConnectorFailure):
        code_of(odd)


def test_a_code_is_shown_by_its_letters_where_it_has_such() -> None:
    assert symbol_of("USD") == "USD"
    assert symbol_of(RLUSD) == "RLUSD"
    assert symbol_of("03" + "AB" * 19) == "LP"
    assert symbol_of("FF" * 20) == "FFFF…FFFF"
    assert symbol_of("00" * 20) == "0000…0000"
    assert symbol_of("20" * 20) == "2020…2020"
