"""Each code of the API is a class, with all that the answer told."""

from pathlib import Path

import httpx
import pytest

from coffers import client
from coffers.client.errors import KINDS, error_of

API = Path(__file__).parents[3] / "docs/api.md"


def codes_of_the_api() -> list[str]:
    errors = API.read_text().partition("\n## Errors\n")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in errors.splitlines() if line.startswith("| ")]
    return [row[1].strip("`") for row in rows if row[1].startswith("`")]


def test_every_code_of_the_api_has_a_class() -> None:
    named = {code for kind in KINDS for code in kind.codes}
    assert [code for code in codes_of_the_api() if code not in named] == []


def test_every_class_can_be_imported() -> None:
    assert [kind.__name__ for kind in KINDS if not hasattr(client, kind.__name__)] == []


def test_an_error_holds_all_that_was_told() -> None:
    body = {
        "error": "record_invalid",
        "error_description": "Invalid parameters",
        "error_attributes": {"api_key": ["This account is already connected!"], "account_id": 7},
    }
    told = error_of(httpx.Response(400, json=body, headers={"X-Request-Id": "r-1"}))
    assert isinstance(told, client.RecordInvalid)
    assert (told.status, told.code, told.request_id) == (400, "record_invalid", "r-1")
    assert told.attributes["api_key"] == ("This account is already connected!",)
    assert told.account_id == 7
    assert str(told) == (
        "400 record_invalid: Invalid parameters: "
        "api_key This account is already connected!; account_id 7"
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, client.Unauthorized),
        (404, client.NotFound),
        (429, client.RateLimited),
        (503, client.Unavailable),
        (502, client.Unavailable),
        (599, client.ApiError),
    ],
)
def test_an_answer_without_a_known_code_counts_by_its_status(
    status: int, kind: type[client.ApiError]
) -> None:
    for content in (b"<html>", b'{"error":"news"}', b'{"error":5,"error_attributes":3}', b"[]"):
        told = error_of(httpx.Response(status, content=content))
        assert type(told) is kind
        assert told.attributes == {}
        assert told.retry_after is None


def test_the_wait_is_told_in_seconds_and_nothing_else() -> None:
    for text, seconds in (("12", 12.0), ("", None), ("soon", None), ("²", None)):
        answer = httpx.Response(429, headers=[(b"Retry-After", text.encode())])
        assert error_of(answer).retry_after == seconds
