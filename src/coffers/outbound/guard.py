"""Which addresses users may have this server call: none inside of the operator's own network.

A name is checked when it is given, as far as it tells by itself, and what it leads to is checked at
each call: who owns a name can let it lead anywhere, and elsewhere at the next look.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final
from urllib.parse import urlsplit

from coffers.errors import CoffersError, InvalidRecord

LONGEST_URL: Final = 2_048

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

_LOOPBACK_NAME: Final = "localhost"
_NAT64: Final = ip_network("64:ff9b::/96")
_AFTER_HOST: Final = re.compile(r"[/?#]")
_PUBLIC_IPV6: Final = ip_network("2000::/3")
"""All that is given out to anybody; the rest is private, old forms of IPv4 addresses, or nobody's.

Source: IANA, IPv6 Global Unicast Address Assignments.
"""
_PORTS: Final = {"http": 80, "https": 443}
_ALLOWANCE: Final = "the operator can allow it with COFFERS_WEBHOOK_NETWORKS"


class Blocked(CoffersError):
    """An address leads into a network that nothing is sent to."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads, as far as it says by itself. `host` is a name, or an address in text."""

    host: str
    port: int


def target_of(url: str, networks: Networks) -> Target:
    """Return where a URL leads; `networks` are allowed beside the public internet.

    Raises:
        InvalidRecord: for what is no `https` URL (or `http` URL to this machine) that may be
            called.
    """
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST_URL:
        raise _invalid("is invalid")
    import httpx  # noqa: PLC0415 - a server whose users have no webhooks does without it

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        # What it is called with is pickier: brackets, and what only looks like an address.
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise _invalid("is invalid") from None
    if parts.scheme not in _PORTS or not host or port == 0:
        raise _invalid("must be an https:// address")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _invalid("must have neither a user, a password nor a fragment")
    address = _address(host)
    is_here = host == _LOOPBACK_NAME or (address is not None and address.is_loopback)
    if parts.scheme == "http" and not is_here:
        raise _invalid("must be https://, except to this machine itself")
    if address is not None and not is_allowed(address, networks):
        raise _invalid(f"leads into a private network; {_ALLOWANCE}")
    if host == _LOOPBACK_NAME and not is_allowed(IPv4Address("127.0.0.1"), networks):
        raise _invalid(f"leads to this machine itself; {_ALLOWANCE}")
    return Target(host, port or _PORTS[parts.scheme])


def place_of(url: str) -> str:
    """Return the host and port of a URL, as they are written there; it raises nothing."""
    return _AFTER_HOST.split(url.partition("//")[2], maxsplit=1)[0]


def check_addresses(addresses: Sequence[str], networks: Networks) -> None:
    """Require that all addresses that a name leads to may be called.

    Raises:
        Blocked: where one may not.
    """
    for text in addresses:
        if not is_allowed(ip_address(text), networks):
            raise Blocked("the name leads into a private network")


def is_allowed(address: Address, networks: Networks) -> bool:
    """Return whether something may be sent to an address, and to one that it stands for."""
    return all(_is_open(each, networks) for each in (address, *_within(address)))


def _is_open(address: Address, networks: Networks) -> bool:
    if any(address in network for network in networks if network.version == address.version):
        return True
    if _within(address):
        # What carries another address is judged by that one.
        return True
    if address.version == _PUBLIC_IPV6.version and address not in _PUBLIC_IPV6:
        return False
    return address.is_global and not address.is_multicast


def _within(address: Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address carries."""
    if isinstance(address, IPv4Address):
        return ()
    last = IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    found = (address.ipv4_mapped, address.sixtofour, last)
    return tuple(each for each in found if each is not None)


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _invalid(reason: str) -> InvalidRecord:
    return InvalidRecord({"url": [reason]})
