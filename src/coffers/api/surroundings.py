"""Where a request came from and how the caller reached us, behind proxies or without."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.types import Scope

from coffers.access.addresses import network_of
from coffers.settings import Settings

Headers = dict[bytes, bytes]
"""A request's headers by lower-case name; of one that is repeated, the last."""

HEADERS: Final = "coffers.headers"
"""Key of the scope under which the edge leaves a request's `Headers`."""

_BLANKS: Final = b" \t"

_HOST: Final = re.compile(
    rb"[A-Za-z0-9.\-_]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?"
)


def header_of(headers: Headers, name: bytes) -> str | None:
    """Return a header's value, None where it is absent.

    Blanks around it are no part of it (RFC 9110, 5.5), and some clients send them.
    """
    value = headers.get(name)
    return None if value is None else value.strip(_BLANKS).decode("latin-1")


class Surroundings:
    """Tells a caller's address, and the base of addresses in answers.

    What a proxy says in `X-Forwarded-For` and `X-Forwarded-Proto` counts only where the setting
    `trusted_proxies` names that proxy.
    """

    def __init__(self, settings: Settings) -> None:
        self._proxies = tuple(network_of(str(each)) for each in settings.trusted_proxies)
        self._base_url = settings.base_url
        self._fallback = address_to_open(settings.host, settings.port)

    def address_of(self, scope: Scope) -> str:
        """Return the caller's IP address: the rightmost that is no trusted proxy's."""
        client = scope["client"]
        peer: str = client[0] if client else ""
        if not self._proxies or not self._is_proxy(peer):
            return peer
        caller = peer
        for hop in reversed(_forwarded_for(scope)):
            parsed = _parsed(hop)
            if parsed is None:
                # Whoever wrote this wrote all that stands before it.
                return caller
            caller = str(parsed)
            if not self._is_proxy(caller):
                return caller
        return caller

    def base_url(self, scope: Scope) -> str:
        """Return how the caller reaches this server: the setting, or else as it was asked."""
        if self._base_url is not None:
            return self._base_url
        headers: Headers = scope[HEADERS]
        host = _checked(headers.get(b"host", b""))
        return self._fallback if host is None else f"{self._scheme(scope, headers)}://{host}"

    def _scheme(self, scope: Scope, headers: Headers) -> str:
        told = headers.get(b"x-forwarded-proto")
        client = scope["client"]
        if told in {b"http", b"https"} and client and self._is_proxy(client[0]):
            return told.decode()
        return str(scope["scheme"])

    def _is_proxy(self, address: str) -> bool:
        return bool(self._proxies) and _lies_in(address, self._proxies)


@lru_cache(maxsize=1024)
def _checked(host: bytes) -> str | None:
    return host.decode() if _HOST.fullmatch(host) else None


def _forwarded_for(scope: Scope) -> list[str]:
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for hop in b",".join(lines).decode("latin-1").split(",")]


@lru_cache(maxsize=4096)
def _lies_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address as proxies write it: plain, `1.2.3.4:5678` or `[::1]:5678`."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def is_every_address(host: str) -> bool:
    """Return whether who listens at a host does so at all addresses of the machine."""
    parsed = _parsed(host)
    return not host or (parsed is not None and parsed.is_unspecified)


def address_to_open(host: str, port: int) -> str:
    """Return the address that a browser on this machine opens for who listens at a host."""
    if is_every_address(host):
        # Which is where nobody can go to; a passkey can be made there, too.
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
