"""Whose certificates this process believes."""

import ssl
from functools import cache

import httpx


@cache
def believed() -> ssl.SSLContext:
    """Return the table of authorities, one for all who connect: to load it takes 30 ms.

    None of them may ask for HTTP/2: that would be offered by those too that do not speak it.
    """
    return httpx.create_ssl_context(trust_env=False)
