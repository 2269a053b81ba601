import json
from pathlib import Path
from typing import Any

import pytest

from coffers.clock import DAY
from coffers.connectors.exchange.client import NOTHING_HEARD, Heard, NotJson, Unsignable
from coffers.connectors.exchange.failures import (
    LONGEST_LOOKED_AT,
    LONGEST_TEXT,
    Venue,
    failure_of,
)
from coffers.connectors.exchange.rules import refusals
from coffers.connectors.reading import ConnectorFailure, FailureKind
from factories import NOW
from unit.connectors.exchange.fakes import BINANCE, ccxt_error

DATA = Path(__file__).parents[3] / "data" / "connectors"
CASES = [case for case in json.loads((DATA / "errors.json").read_text())["cases"] if case["class"]]

EXPECTED = {
    ("binance", 400, "-2015"): "key_refused",
    ("binance", 400, "-2014"): "key_refused",
    ("binance", 400, "-1022"): "key_refused",
    ("binance", 400, "-1021"): "clock_drift",
    ("binance", 429, "-1003"): "rate_limited",
    ("binance", 418, "-1003"): "rate_limited",
    ("binance", 451, "0"): "region_refused",
    ("binance", 503, ""): "venue_down",
    ("binance", 502, ""): "venue_down",
    ("bybit", 200, "10003"): "key_refused",
    ("bybit", 200, "10004"): "key_refused",
    ("bybit", 200, "10010"): "address_refused",
    ("bybit", 200, "33004"): "key_refused",
    ("bybit", 200, "10005"): "permission_denied",
    ("bybit", 200, "10006"): "rate_limited",
    ("bybit", 200, "10002"): "clock_drift",
    ("bybit", 200, "10016"): "venue_down",
    ("bybit", 403, ""): "region_refused",
    ("okx", 401, "50111"): "key_refused",
    ("okx", 401, "50105"): "key_refused",
    ("okx", 401, "50110"): "address_refused",
    ("okx", 401, "50113"): "key_refused",
    ("okx", 401, "50102"): "clock_drift",
    ("okx", 401, "50119"): "key_refused",
    ("okx", 429, "50011"): "rate_limited",
    ("okx", 200, "50001"): "venue_down",
    ("okx", 200, "50120"): "permission_denied",
    ("kraken", 200, "EAPI:Invalid key"): "key_refused",
    ("kraken", 200, "EAPI:Invalid signature"): "key_refused",
    ("kraken", 200, "EGeneral:Permission denied"): "permission_denied",
    ("kraken", 200, "EAPI:Invalid nonce"): "clock_drift",
    ("kraken", 200, "EAPI:Rate limit exceeded"): "rate_limited",
    ("kraken", 200, "EService:Unavailable"): "venue_down",
    ("kraken", 200, "EService:Busy"): "venue_down",
    ("kraken", 200, "EGeneral:Temporary lockout"): "rate_limited",
    ("kraken", 520, ""): "venue_down",
    ("kucoin", 200, "400003"): "key_refused",
    ("kucoin", 200, "400004"): "key_refused",
    ("kucoin", 200, "400005"): "key_refused",
    ("kucoin", 200, "400006"): "address_refused",
    ("kucoin", 200, "400007"): "permission_denied",
    ("kucoin", 429, "429000"): "rate_limited",
    ("kucoin", 200, "400002"): "clock_drift",
    ("hyperliquid", 429, ""): "rate_limited",
}


def code_of(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    return str(body.get("code", body.get("retCode", (body.get("error") or [""])[0])))


def failed(
    error: BaseException, heard: Heard = NOTHING_HEARD, venue: Venue = BINANCE, **rest: Any
) -> ConnectorFailure:
    return failure_of(error, venue, heard, NOW, **rest)


def said(body: object, status: int = 400, **headers: str) -> Heard:
    return Heard(status, headers, body)


def authentication() -> Exception:
    return ccxt_error("AuthenticationError", "ExchangeError", "BaseError")


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['exchange']}-{case['http']}-{code_of(case['body'])}"
)
def test_a_recorded_refusal_gets_its_kind(case: dict[str, Any]) -> None:
    body = case["body"] if isinstance(case["body"], dict) else None
    venue = Venue(case["exchange"], case["exchange"].title(), (case["exchange"],))
    failure = failed(
        ccxt_error(*case["mro"], text=case["text"]), Heard(case["http"], {}, body), venue
    )
    expected = EXPECTED[case["exchange"], case["http"], code_of(case["body"])]
    assert failure.kind == FailureKind(expected)


def test_every_expected_kind_has_a_recorded_case() -> None:
    assert {(case["exchange"], case["http"], code_of(case["body"])) for case in CASES} == set(
        EXPECTED
    )


def test_binance_2015_names_both_causes() -> None:
    body = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
    failure = failed(authentication(), said(body))
    assert str(failure) == (
        "Binance refused the API key: either it is wrong or revoked, or it does not allow this "
        "server's address (-2015: Invalid API-key, IP, or permissions for action)."
    )
    assert failure.code == "-2015"


def test_binance_2015_that_names_the_callers_address_is_about_the_address() -> None:
    message = "Invalid API-key, IP, or permissions for action, request ip: 192.0.2.7"
    failure = failed(authentication(), said({"code": -2015, "msg": message}))
    assert failure.kind is FailureKind.ADDRESS_REFUSED


def test_binance_2015_after_a_success_is_no_rate_limit() -> None:
    error = ccxt_error("DDoSProtection", "NetworkError", "OperationFailed", "BaseError")
    assert failed(error, said({"code": -2015, "msg": "no"})).kind is FailureKind.KEY_REFUSED


def test_a_rule_of_binance_holds_for_what_derives_from_it() -> None:
    us = Venue("binanceus", "Binance US", ("binanceus", "binance"))
    failure = failed(authentication(), said({"code": -2015, "msg": "no"}), us)
    assert str(failure).startswith("Binance US refused the API key: either")


@pytest.mark.parametrize(
    ("venue", "code", "kind"),
    [
        ("mexc", 10072, FailureKind.KEY_REFUSED),
        ("mexc", 700006, FailureKind.ADDRESS_REFUSED),
        ("bitget", "40018", FailureKind.ADDRESS_REFUSED),
    ],
)
def test_codes_that_the_class_gets_wrong(venue: str, code: object, kind: FailureKind) -> None:
    error = ccxt_error("ExchangeError", "BaseError")
    heard = said({"code": code, "msg": "no"})
    assert failed(error, heard, Venue(venue, venue, (venue,))).kind is kind


def test_bybit_403_for_too_many_calls_is_no_matter_of_the_region() -> None:
    error = ccxt_error("RateLimitExceeded", "NetworkError", "OperationFailed", "BaseError")
    heard = said({"retMsg": "access too frequent"}, status=403)
    assert failed(error, heard, Venue("bybit", "Bybit", ("bybit",))).kind is (
        FailureKind.RATE_LIMITED
    )


def test_any_venues_refusal_over_the_address_is_seen_in_its_text() -> None:
    heard = said({"code": "X1", "message": "IP address not allowed"}, status=403)
    error = ccxt_error("PermissionDenied", "AuthenticationError", "ExchangeError", "BaseError")
    assert failed(error, heard).kind is FailureKind.ADDRESS_REFUSED


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "30"}, 30_000),
        ({"retry-after": "120"}, 120_000),
        ({"Retry-After": "Thu, 09 Oct 2025 08:54:20 GMT"}, 60_000),
        ({"Retry-After": "Thu, 09 Oct 2025 08:00:00 GMT"}, 0),
        ({"Retry-After": "99999999"}, 3 * DAY),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_the_pause_that_a_venue_asks_for(headers: dict[str, str], wait: int | None) -> None:
    error = ccxt_error("DDoSProtection", "NetworkError", "OperationFailed", "BaseError")
    failure = failed(error, Heard(429, headers, {"code": -1003, "msg": "slow"}))
    assert failure.kind is FailureKind.RATE_LIMITED
    assert failure.retry_after == wait


def test_only_a_rate_limit_has_a_pause() -> None:
    error = ccxt_error("ExchangeNotAvailable", "NetworkError", "OperationFailed", "BaseError")
    assert failed(error, Heard(503, {"Retry-After": "30"})).retry_after is None


@pytest.mark.parametrize(
    ("error", "heard", "kind"),
    [
        (
            ccxt_error("ExchangeNotAvailable", "NetworkError", "OperationFailed", "BaseError"),
            NOTHING_HEARD,
            FailureKind.UNREACHABLE,
        ),
        (
            ccxt_error("RequestTimeout", "NetworkError", "OperationFailed", "BaseError"),
            NOTHING_HEARD,
            FailureKind.UNREACHABLE,
        ),
        (TimeoutError(), NOTHING_HEARD, FailureKind.UNREACHABLE),
        (ConnectionResetError(), NOTHING_HEARD, FailureKind.UNREACHABLE),
        (NotJson(), Heard(200), FailureKind.UNEXPECTED_ANSWER),
        (NotJson(), Heard(524), FailureKind.VENUE_DOWN),
        (KeyError("data"), Heard(200, {}, {"a": 1}), FailureKind.UNEXPECTED_ANSWER),
        (TypeError("NoneType"), Heard(200, {}, []), FailureKind.UNEXPECTED_ANSWER),
        (
            ccxt_error("NotSupported", "ExchangeError", "BaseError"),
            NOTHING_HEARD,
            FailureKind.UNSUPPORTED,
        ),
    ],
)
def test_what_is_raised_without_an_answer_of_the_venue(
    error: Exception, heard: Heard, kind: FailureKind
) -> None:
    assert failed(error, heard).kind is kind


def test_an_answer_that_broke_off_means_unreachable() -> None:
    error = ccxt_error("ExchangeError", "BaseError")
    error.__cause__ = ccxt_error("ClientPayloadError", "ClientError")
    assert failed(error).kind is FailureKind.UNREACHABLE


def test_a_fault_inside_ccxt_borrows_no_code_from_a_good_answer() -> None:
    failure = failed(KeyError("x"), Heard(200, {}, {"code": "200000", "msg": "success"}))
    assert failure.code == "KeyError"
    assert str(failure) == "Binance gave an answer that cannot be used."


@pytest.mark.parametrize("error", [Unsignable(), authentication()])
def test_credentials_that_cannot_be_sent_are_the_keys_fault(error: Exception) -> None:
    failure = failed(error)
    assert failure.kind is FailureKind.KEY_REFUSED
    assert failure.code == "malformed_credentials"
    assert "one is missing" in str(failure)


def test_a_letter_that_was_given_for_a_key_garbles_no_sentence() -> None:
    told = said({"code": -1, "msg": "API-key format invalid"})
    assert "API-key format invalid" in str(failed(authentication(), told, hidden=("a", "b")))


def test_no_message_shows_a_secret_or_an_address_with_its_query() -> None:
    text = "bad fake-key-1 at https://api.example.test/v3?signature=abc&x=1 fake-secret-1"
    hidden = ("fake-key-1", "fake-secret-1")
    failure = failed(authentication(), said({"code": -1, "msg": text}), hidden=hidden)
    assert "fake-key-1" not in str(failure)
    assert "fake-secret-1" not in str(failure)
    assert "signature" not in str(failure)


def test_a_refusal_that_only_ccxt_speaks_of_is_no_refusal_of_the_key() -> None:
    error = ccxt_error(
        "AuthenticationError", "ExchangeError", "BaseError", text="signIn() failed to receive"
    )
    assert failed(error, said({}, status=200)).kind is FailureKind.UNEXPECTED_ANSWER
    down = said({"status": "maintenance"}, status=200)
    assert failed(error, down).kind is FailureKind.UNEXPECTED_ANSWER
    assert failed(error, said({}, status=401)).kind is FailureKind.KEY_REFUSED


@pytest.mark.parametrize(
    "body",
    [
        {"code": "X7", "message": "key revoked"},
        {"error": {"code": "X7", "message": "key revoked"}},
        {"errors": [{"code": "X7", "message": "key revoked"}]},
        {"error": "X7", "message": "key revoked"},
        {"data": {"code": "X7", "msg": "key revoked"}},
        {"errorCode": "X7", "error": "key revoked"},
        {"status": "error", "label": "X7", "reason": "key revoked"},
    ],
)
def test_a_venues_code_and_words_are_found_wherever_it_puts_them(body: Any) -> None:
    failure = failed(authentication(), said(body), Venue("x", "X", ("x",)))
    assert failure.code == "X7"
    assert str(failure) == "X refused the API key (X7: key revoked)."


@pytest.mark.parametrize("status", [407, 511])
def test_a_proxy_that_wants_a_login_says_nothing_of_the_key(status: int) -> None:
    assert failed(authentication(), Heard(status)).kind is FailureKind.UNREACHABLE


def test_what_is_not_there_is_not_told_as_an_outage() -> None:
    gone = ccxt_error("ExchangeNotAvailable", "OperationFailed", "BaseError")
    said = "answered 404, or the gateway in its place: nothing is at the address that was asked"
    assert str(failed(gone, Heard(404))) == f"Binance {said}."
    assert str(failed(gone, Heard(503))) == "Binance is not available at present."


@pytest.mark.parametrize(
    ("mro", "kind"),
    [
        (("AccountSuspended", "AuthenticationError", "BaseError"), FailureKind.PERMISSION_DENIED),
        (("RestrictedLocation", "OperationRejected", "BaseError"), FailureKind.REGION_REFUSED),
    ],
)
def test_classes_of_ccxt_that_say_more_than_their_bases(
    mro: tuple[str, ...], kind: FailureKind
) -> None:
    assert failed(ccxt_error(*mro), said({"code": 7, "msg": "no"})).kind is kind


def test_a_ban_until_a_moment_is_waited_for() -> None:
    error = ccxt_error("DDoSProtection", "NetworkError", "BaseError")
    body = {"code": -1003, "msg": f"Way too many requests; IP banned until {NOW + 90_000}."}
    assert failed(error, said(body, status=418)).retry_after == 90_000
    told = Heard(418, {"Retry-After": "30"}, body)
    assert failed(error, told).retry_after == 30_000


@pytest.mark.parametrize("error", [TypeError("x"), KeyError("x"), AttributeError("x")])
def test_what_breaks_before_anything_was_sent_is_no_answer_of_the_venue(error: Exception) -> None:
    failure = failed(error)
    assert failure.kind is FailureKind.UNEXPECTED_ANSWER
    assert str(failure) == "Binance cannot be asked through the exchange library at present."


def test_what_the_library_refuses_to_send_is_told_with_its_reason() -> None:
    error = ccxt_error("BadRequest", "ExchangeError", "BaseError", text="an id is too long")
    failure = failed(error)
    assert failure.kind is FailureKind.UNEXPECTED_ANSWER
    assert str(failure) == (
        "Binance cannot be asked through the exchange library at present (an id is too long)."
    )


def test_every_rule_names_a_kind_that_exists() -> None:
    for rules in refusals().values():
        assert all(FailureKind(rule.kind) for rule in rules)


def test_a_venues_text_is_cut_and_kept_on_one_line() -> None:
    failure = failed(authentication(), said({"code": -1, "msg": "line\nbreak " * 200}))
    assert "\n" not in str(failure)
    assert len(str(failure)) < LONGEST_TEXT + 60


@pytest.mark.parametrize("before", range(LONGEST_LOOKED_AT - 60, LONGEST_LOOKED_AT, 3))
def test_a_text_that_is_cut_shows_no_half_of_a_secret(before: int) -> None:
    end = "fake-secret-1 postgresql://me:fake-word-2@localhost/coffers"
    text = "token=".ljust(before, "x") + end
    told = said({"code": -1, "msg": text + "x" * 10_000_000})
    failure = failed(authentication(), told, hidden=("fake-secret-1",))
    assert "fake" not in str(failure)


def test_a_failure_stays_what_it_is() -> None:
    failure = ConnectorFailure(FailureKind.VENUE_DOWN, "down")
    assert failed(failure) is failure
