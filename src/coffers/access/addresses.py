"""Callers' addresses: whether a token allows one, and what a ban of one covers."""

import re
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

_PREFIX_OF_ONE_CALLER = 64
"""Bits of an IPv6 address that a provider gives to one customer; the rest they choose freely."""

_LIKE = re.compile(r"(?=[^/]*[.:])[0-9a-fA-F:.]{1,45}(?:/[0-9.]{1,15})?")

_PREFIX_OF_IPV4 = 96
"""Bits before the IPv4 address in `::ffff:1.2.3.4`."""


def is_allowed(address: str, networks: tuple[str, ...]) -> bool:
    """Return whether an address lies in one of the networks; no networks allow every address.

    An IPv4 address that a dual-stack socket shows as `::ffff:1.2.3.4` counts as itself, as it does
    in `network_of`. What is no IP address is in no network.
    """
    if not networks:
        return True
    caller = _parsed(address)
    return caller is not None and any(caller in network for network in _networks(networks))


def network_of(text: str) -> IPv4Network | IPv6Network:
    """Return the network that a text names, in CIDR form or as a single address.

    One of IPv4 addresses as a dual-stack socket shows them is the IPv4 network that it stands for.

    Raises:
        ValueError: for a text that names none.
    """
    network = ip_network(text, strict=False)
    if isinstance(network, IPv6Network) and network.prefixlen >= _PREFIX_OF_IPV4:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((int(mapped), network.prefixlen - _PREFIX_OF_IPV4))
    return network


def is_like_network(text: str) -> bool:
    """Return whether a text has the letters and the length of an address or a network."""
    return _LIKE.fullmatch(text) is not None


def ban_key(address: str) -> str:
    """Return what a ban covers: an IPv4 address, or the /64 network of an IPv6 address."""
    if ":" not in address:
        return address
    match _parsed(address):
        case IPv4Address() as mapped:
            return str(mapped)
        case IPv6Address() as caller:
            return str(IPv6Network((int(caller), _PREFIX_OF_ONE_CALLER), strict=False))
        case _:
            return address


@lru_cache(maxsize=4096)
def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None) or parsed


@lru_cache(maxsize=1024)
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(network_of, texts))
