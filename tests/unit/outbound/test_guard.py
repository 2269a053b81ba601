"""Where webhooks may lead: nowhere inside of the operator's own network."""

from ipaddress import ip_address, ip_network

import pytest

from coffers.errors import InvalidRecord
from coffers.outbound.guard import (
    Blocked,
    Target,
    check_addresses,
    is_allowed,
    place_of,
    target_of,
)

HERE = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
HOME = (ip_network("10.1.0.0/16"),)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://example.com/hook?key=1", "example.com", 443),
        ("https://example.com:8443/", "example.com", 8443),
        ("https://93.184.216.34/", "93.184.216.34", 443),
        (
            "https://[2606:2800:220:1:248:1893:25c8:1946]/",
            "2606:2800:220:1:248:1893:25c8:1946",
            443,
        ),
        ("HTTPS://EXAMPLE.com", "example.com", 443),
    ],
)
def test_public_addresses_over_tls_may_be_called(url: str, host: str, port: int) -> None:
    assert target_of(url, ()) == Target(host, port)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com/",
        "http://example.com/",
        "http://93.184.216.34/",
        "https://",
        "https:///hook",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com/#here",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://ex\u00e4mple.com/",
        "https://[::1/",
        "https://[v1.evil.example]/x",
        "https://[93.184.216.34]/",
        "https://999.184.216.34/",
        "https://example.com/" + "x" * 2048,
        "javascript:alert(1)",
    ],
)
def test_what_is_no_such_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        target_of(url, HERE)
    assert list(refused.value.attributes) == ["url"]


@pytest.mark.parametrize(
    "url", ["https://hook.test:99/a?b", "https://hook.test:99?b", "https://hook.test:99#c"]
)
def test_the_place_of_a_url_is_its_host_and_port(url: str) -> None:
    assert place_of(url) == "hook.test:99"
    assert place_of("https://[::1/") == "[::1"


PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",  # noqa: S104 - refused
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "64:ff9b::a00:1",
    "64:ff9b::7f00:1",
    "2001:db8::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fec0::1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b:1::7f00:1",
    "5f00::1",
    "4000::1",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_no_private_address_is_called_however_it_is_written(text: str) -> None:
    assert not is_allowed(ip_address(text), ())
    shown = f"[{text}]" if ":" in text else text
    with pytest.raises(InvalidRecord):
        target_of(f"https://{shown}/", ())
    with pytest.raises(Blocked):
        check_addresses(["93.184.216.34", text], ())


@pytest.mark.parametrize("text", ["93.184.216.34", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_public_addresses_are_called_however_they_are_written(text: str) -> None:
    assert is_allowed(ip_address(text), ())


def test_the_operator_can_allow_networks_and_nothing_beside_them() -> None:
    assert is_allowed(ip_address("10.1.2.3"), HOME)
    assert not is_allowed(ip_address("10.2.2.3"), HOME)
    assert is_allowed(ip_address("::ffff:10.1.2.3"), HOME)
    assert target_of("https://10.1.2.3/", HOME).host == "10.1.2.3"
    with pytest.raises(InvalidRecord):
        target_of("http://10.1.2.3/", HOME)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/"])
def test_this_machine_may_be_called_without_tls_once_it_is_allowed(url: str) -> None:
    assert target_of(url, HERE).port == 9
    with pytest.raises(InvalidRecord, match="COFFERS_WEBHOOK_NETWORKS"):
        target_of(url, ())
