"""A caller's address and the server's own, with and without proxies."""

from typing import Any

import pytest

from coffers.api.surroundings import HEADERS, Surroundings, address_to_open, header_of
from coffers.settings import Settings

PROXIES = "10.0.0.0/8, 127.0.0.1/32, fd00::/8"


def scope(peer: str | None = "10.0.0.1", **headers: str) -> dict[str, Any]:
    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return {
        "client": None if peer is None else (peer, 4711),
        "scheme": "http",
        "headers": raw,
        HEADERS: dict(raw),
    }


def surroundings(**settings: Any) -> Surroundings:
    return Surroundings(Settings(**settings))


@pytest.mark.parametrize(
    ("sent", "value"), [(b"paper", "paper"), (b"\t paper \t", "paper"), (b" ", ""), (b"a b", "a b")]
)
def test_blanks_around_a_header_are_no_part_of_it(sent: bytes, value: str) -> None:
    assert header_of({b"forced-mode": sent}, b"forced-mode") == value
    assert header_of({b"forced-mode": sent}, b"timestamp") is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7, 10.2.3.4", "203.0.113.7"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("10.0.0.1", "1.1.1.1, nonsense, 10.2.3.4", "10.2.3.4"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7:5678", "203.0.113.7"),
        ("fd00::1", "[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_the_rightmost_address_that_is_no_trusted_proxys(
    peer: str, forwarded: str, caller: str
) -> None:
    asked = scope(peer, x_forwarded_for=forwarded)
    assert surroundings(trusted_proxies=PROXIES).address_of(asked) == caller


@pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1"])
@pytest.mark.parametrize("proxies", ["::ffff:10.0.0.1", "::ffff:10.0.0.0/104"])
def test_a_proxy_may_be_named_as_a_dual_stack_socket_shows_it(proxies: str, peer: str) -> None:
    asked = scope(peer, x_forwarded_for="203.0.113.7")
    assert surroundings(trusted_proxies=proxies).address_of(asked) == "203.0.113.7"


def test_without_trusted_proxies_the_header_is_not_believed() -> None:
    assert surroundings().address_of(scope("10.0.0.1", x_forwarded_for="1.1.1.1")) == "10.0.0.1"


def test_several_header_lines_are_one_list() -> None:
    asked = scope("10.0.0.1")
    asked["headers"] = [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-for", b"10.0.0.2")]
    assert surroundings(trusted_proxies=PROXIES).address_of(asked) == "203.0.113.7"


def test_a_caller_on_a_unix_socket_has_no_address() -> None:
    assert surroundings(trusted_proxies=PROXIES).address_of(scope(None)) == ""


@pytest.mark.parametrize("host", ["coffers.test", "localhost:8787", "[::1]:8787", "10.0.0.5"])
def test_addresses_in_answers_are_as_the_server_was_asked(host: str) -> None:
    assert surroundings().base_url(scope(host=host)) == f"http://{host}"


@pytest.mark.parametrize("host", ["", "a b", "evil.test/path", 'x"><script>', "a@b", "x" * 300])
def test_a_host_that_is_none_is_not_repeated(host: str) -> None:
    assert surroundings().base_url(scope(host=host)) == "http://127.0.0.1:8787"


def test_the_setting_goes_before_everything() -> None:
    assert surroundings(base_url="https://x.test/coffers/").base_url(scope(host="y.test")) == (
        "https://x.test/coffers"
    )


@pytest.mark.parametrize(
    ("peer", "proto", "scheme"),
    [
        ("10.0.0.1", "https", "https"),
        ("203.0.113.9", "https", "http"),
        ("10.0.0.1", "javascript", "http"),
        (None, "https", "http"),
    ],
)
def test_a_trusted_proxy_tells_the_scheme(peer: str | None, proto: str, scheme: str) -> None:
    asked = scope(peer, host="y.test", x_forwarded_proto=proto)
    assert surroundings(trusted_proxies=PROXIES).base_url(asked) == f"{scheme}://y.test"


def test_the_servers_own_address_may_be_of_version_six() -> None:
    assert surroundings(host="::1").base_url(scope(host="?")) == "http://[::1]:8787"


@pytest.mark.parametrize(
    ("host", "opened"),
    [
        ("127.0.0.1", "http://127.0.0.1:8787"),
        ("coffers.lan", "http://coffers.lan:8787"),
        ("::1", "http://[::1]:8787"),
        ("0.0.0.0", "http://localhost:8787"),  # noqa: S104 - nothing listens there
        ("::", "http://localhost:8787"),
        ("", "http://localhost:8787"),
    ],
)
def test_a_browser_is_sent_where_it_can_go(host: str, opened: str) -> None:
    assert address_to_open(host, 8787) == opened
