"""What to think of the rights of a key."""

import pytest

from coffers.clock import DAY, Millis
from coffers.connectors.reading import FailureKind
from coffers.portfolio.errand_forms import CheckedAccount
from coffers.web.formats import PLAIN
from coffers.web.judged import Judged, advice_on, judged
from factories import NOW


def of(right: str, *, is_trading_on: bool = False, **rights: object) -> Judged:
    found = CheckedAccount("binance", "Main", **rights)  # type: ignore[arg-type]  # by name
    told = judged(found, NOW, PLAIN, is_trading_on=is_trading_on)
    return next(each for each in told if each.right == right)


@pytest.mark.parametrize(
    ("right", "field", "tones"),
    [
        ("Read", "read", ("good", "bad", "good")),
        ("Trade", "trade", ("doubtful", "good", "doubtful")),
        ("Withdraw", "withdraw", ("bad", "good", "doubtful")),
        ("Bound to addresses", "address_restricted", ("good", "doubtful", "doubtful")),
    ],
)
def test_each_right_is_judged_by_what_it_is_good_for(
    right: str, field: str, tones: tuple[str, str, str]
) -> None:
    assert tuple(of(right, **{field: has}).tone for has in (True, False, None)) == tones
    assert of(right).told == "not told"


def test_trading_is_no_doubt_where_the_server_trades() -> None:
    assert of("Trade", is_trading_on=True, trade=True).tone == "good"


@pytest.mark.parametrize(
    ("days", "tone"), [(-1, "bad"), (0, "bad"), (13, "doubtful"), (15, "good")]
)
def test_an_expiry_is_judged_by_how_soon_it_is(days: int, tone: str) -> None:
    assert of("Expiry", expires_at=Millis(NOW + days * DAY)).tone == tone
    assert of("Expiry").tone == "good"


def test_every_failure_has_an_advice() -> None:
    assert all(advice_on(kind) for kind in FailureKind)
