"""A reading is refused only where it is known to be another account's."""

from dataclasses import replace

import pytest

from coffers.clock import HOUR, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading, ReadRequest
from coffers.markets.catalogue import load_catalogue
from coffers.sync.known import Known, check_identity, is_new
from coffers.vault.sealed import Sealed
from factories import NOW, account


def known(identity: str | None) -> Known:
    market = load_catalogue().get("binance")
    assert market is not None
    connected = account(venue_identity=identity)
    sealed = Sealed("k1", b"sealed")
    return Known(connected, market, sealed, (), (), None, False, ReadRequest(None), (), NOW)


def reading(identity: str | None, at: Millis = NOW) -> Reading:
    return Reading(at, frozenset({"spot"}), (), identity=identity)


@pytest.mark.parametrize(
    ("expected", "told"), [("mine", "mine"), (None, "mine"), ("mine", None), (None, None)]
)
def test_a_reading_that_names_no_other_account_passes(
    expected: str | None, told: str | None
) -> None:
    check_identity(known(expected), reading(told))


def test_a_reading_of_another_account_is_no_answer() -> None:
    with pytest.raises(ConnectorFailure, match="answered for another account") as refused:
        check_identity(known("mine"), reading("theirs"))
    assert refused.value.kind is FailureKind.UNEXPECTED_ANSWER
    assert refused.value.code == "other_account"
    assert "theirs" not in str(refused.value)


def test_an_account_is_new_for_an_hour() -> None:
    connected = replace(account(), created_at=NOW)
    assert is_new(connected, reading(None, Millis(NOW + HOUR - 1)))
    assert not is_new(connected, reading(None, Millis(NOW + HOUR)))
