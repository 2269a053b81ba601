import pytest

from coffers.sandbox.limits import Limits
from coffers.sandbox.prices import DAY, MINUTE
from coffers.sandbox.refusals import Refused

START = 29_333_333 * MINUTE
TICKERS = "/api/v3/ticker/24hr"


def spend(limits: Limits, weight: int, now: int = START, path: str = TICKERS) -> dict[str, str]:
    return limits.spend("binance", path, weight, now)


def refusal(limits: Limits, now: int = START) -> Refused:
    with pytest.raises(Refused) as caught:
        spend(limits, 1, now)
    return caught.value


def test_headers_tell_what_is_used_this_minute() -> None:
    limits = Limits()
    spend(limits, 80)
    assert spend(limits, 20)["x-mbx-used-weight-1m"] == "100"


def test_a_new_minute_begins_at_nothing() -> None:
    limits = Limits()
    spend(limits, 80)
    assert spend(limits, 20, START + MINUTE)["x-mbx-used-weight-1m"] == "20"


def test_venues_and_wallet_paths_count_for_themselves() -> None:
    limits = Limits()
    spend(limits, 80)
    assert limits.spend("binanceus", TICKERS, 1, START)["x-mbx-used-weight"] == "1"
    used = spend(limits, 1, path="/sapi/v1/account/apiRestrictions")
    assert used == {"x-sapi-used-ip-weight-1m": "1"}


def test_the_limit_itself_is_allowed_and_beyond_it_429_until_the_minute_ends() -> None:
    limits = Limits()
    spend(limits, 6_000)
    refused = refusal(limits, START + 45_500)
    assert (refused.status, refused.code) == (429, -1003)
    assert refused.message.startswith("Too much request weight used; current limit is 6000")
    assert refused.headers == {"retry-after": "15"}
    assert spend(limits, 1, START + MINUTE)


def test_a_caller_who_goes_on_is_banned_and_longer_each_time() -> None:
    limits = Limits(per_minute=0)
    assert [refusal(limits).status for _ in range(7)] == [429] * 5 + [418, 418]
    assert refusal(limits).headers == {"retry-after": "120"}
    later = START + 2 * MINUTE
    assert [refusal(limits, later).status for _ in range(6)] == [429] * 5 + [418]
    assert refusal(limits, later).headers == {"retry-after": "240"}


def test_a_ban_ends_after_three_days_at_most() -> None:
    limits, now = Limits(per_minute=0), START
    for _ in range(20):
        refused = [refusal(limits, now) for _ in range(6)][-1]
        now += int(refused.headers["retry-after"]) * 1_000
    assert refused.headers["retry-after"] == str(3 * DAY // 1_000)
