"""Whom an allow-list admits, and what one ban covers."""

import pytest

from coffers.access.addresses import ban_key, is_allowed


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("192.0.2.7", (), True),
        ("no address", (), True),
        ("192.0.2.7", ("192.0.2.7/32",), True),
        ("192.0.2.8", ("192.0.2.7/32",), False),
        ("192.0.2.8", ("10.0.0.0/8", "192.0.2.0/24"), True),
        ("::ffff:192.0.2.8", ("192.0.2.0/24",), True),
        ("::ffff:192.0.3.8", ("192.0.2.0/24",), False),
        ("192.0.2.8", ("::ffff:192.0.2.8/128",), True),
        ("::ffff:192.0.2.8", ("::ffff:c000:200/120",), True),
        ("192.0.3.8", ("::ffff:192.0.2.0/120",), False),
        ("2001:db8::5", ("2001:db8::/32",), True),
        ("2001:db9::5", ("2001:db8::/32", "192.0.2.0/24"), False),
        ("no address", ("0.0.0.0/0", "::/0"), False),
        ("", ("0.0.0.0/0",), False),
    ],
)
def test_an_address_is_allowed_by_its_networks(
    address: str, networks: tuple[str, ...], expected: bool
) -> None:
    assert is_allowed(address, networks) is expected


def test_a_ban_covers_an_ipv4_address_however_it_is_written() -> None:
    assert ban_key("192.0.2.7") == ban_key("::ffff:192.0.2.7") == "192.0.2.7"
    assert ban_key("192.0.2.8") != ban_key("192.0.2.7")


def test_a_ban_covers_the_whole_network_of_an_ipv6_customer() -> None:
    assert ban_key("2001:db8::1") == ban_key("2001:db8::ffff:1:2:3") == "2001:db8::/64"
    assert ban_key("2001:db8:0:1::1") != ban_key("2001:db8::1")


def test_a_caller_without_an_ip_address_is_its_own_name() -> None:
    assert ban_key("testclient") == "testclient"
    assert ban_key("unix:socket") == "unix:socket"
