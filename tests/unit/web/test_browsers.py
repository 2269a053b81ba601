"""What browsers call themselves, in few words."""

import pytest

from coffers.web.browsers import browser_of

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("(X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox on Linux"),
        (f"(Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/140.0.0.0", "Edge on Windows"),
        (f"(Linux; Android 15) {CHROME} Mobile Safari/537.36", "Chrome on Android"),
        (f"(iPhone; CPU iPhone OS 18_5 like Mac OS X) {WEBKIT} Safari/604.1", "Safari on iPhone"),
        (f"(Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Safari/605.1.15", "Safari on macOS"),
        ("", "Mozilla/5.0"),
    ],
)
def test_a_browser_and_its_system(agent: str, told: str) -> None:
    assert browser_of(f"Mozilla/5.0 {agent}".strip()) == told


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Firefox/1", "Firefox"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 200, "x" * 40),
        ("", "unknown"),
    ],
)
def test_what_says_less_is_told_as_it_is(agent: str, told: str) -> None:
    assert browser_of(agent) == told
