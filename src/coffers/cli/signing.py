"""`coffers sign`: the headers of one signed request, ready to paste."""

import base64
import hashlib
import hmac
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import out, print_json
from coffers.cli.rooms import opened_store, opened_vault, run_async, settings_for
from coffers.clock import SystemClock
from coffers.errors import UsageError
from coffers.secret import Secret

if TYPE_CHECKING:
    from coffers.settings import Settings

PREFIX = "/public/api/"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
_SENT = re.compile(r"[!\"$-~]+")


def sign(
    method: Annotated[str, typer.Argument(help="GET, POST, PUT or DELETE.")],
    path: Annotated[str, typer.Argument(help="Path and query, from /public/api/ on.")],
    api_key: Annotated[str, typer.Option(help="The API key of the token to sign with.")],
    body: Annotated[str, typer.Option(help="The body as it will be sent.")] = "",
    secret_stdin: Annotated[
        bool,
        typer.Option("--secret-stdin", help="Read the secret, instead of the stored one."),
    ] = False,
    rsa_private_key: Annotated[
        Path | None, typer.Option(help="Sign with this PEM file, for a token of your own key.")
    ] = None,
    timestamp: Annotated[
        bool, typer.Option("--timestamp", help="Sign the time too, for a token that requires it.")
    ] = False,
    curl: Annotated[
        str | None, typer.Option(help="Print a whole curl command for this server address.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the headers that sign a request."""
    _check(method, path, api_key, curl)
    stamp = str(SystemClock().now() // 1000) if timestamp else ""
    text = stamp + signed_text(path, body)
    if rsa_private_key is not None:
        signature = _rsa(rsa_private_key, text)
    else:
        signature = hmac_signature(_secret(api_key, from_stdin=secret_stdin), text)
    headers = {"Apikey": api_key, "Signature": signature}
    if stamp:
        headers["Timestamp"] = stamp
    if as_json:
        print_json(headers)
    elif curl is not None:
        out.print(curl_command(curl, method, path, body, headers), soft_wrap=True, markup=False)
    else:
        for name, value in headers.items():
            out.print(f"{name}: {value}", soft_wrap=True, markup=False)


def _check(method: str, path: str, api_key: str, curl: str | None) -> None:
    """Require what a request line and headers can hold, as it will be sent.

    Raises:
        UsageError: naming what cannot be meant.
    """
    if method.upper() not in METHODS:
        raise UsageError(f"METHOD must be one of {', '.join(METHODS)}")
    if not path.startswith(PREFIX):
        raise UsageError(f"PATH must begin with {PREFIX}, since clients sign that too")
    if not _SENT.fullmatch(path):
        raise UsageError("PATH must be as it is sent: ASCII, other characters in %XX, no fragment")
    if not _SENT.fullmatch(api_key):
        raise UsageError("the API key holds characters that no key has")
    if curl is not None and not re.fullmatch(r"https?://[^\s/?#]+/?", curl):
        raise UsageError("--curl takes the server's address, such as http://127.0.0.1:8787")


def signed_text(path: str, body: str) -> str:
    """Return the text that is signed: path, query and body as they are sent."""
    if not body:
        return path
    return f"{path}{'&' if '?' in path else '?'}{body}"


def hmac_signature(secret: Secret, text: str) -> str:
    """Return the hex HMAC-SHA256 of a text."""
    return hmac.new(secret.reveal().encode(), text.encode(), hashlib.sha256).hexdigest()


def curl_command(base_url: str, method: str, path: str, body: str, headers: dict[str, str]) -> str:
    """Return a curl command that a shell takes as it is."""
    # -g: brackets and braces of a query are sent as they were signed.
    words = ["curl", "-sSg"]
    if method.upper() == "HEAD":
        words.append("--head")
    elif method.upper() != "GET" or body:
        words += ["-X", method.upper()]
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    if body:
        words += ["--data-raw", body]
    return shlex.join([*words, base_url.rstrip("/") + path])


def _secret(api_key: str, *, from_stdin: bool) -> Secret:
    if from_stdin:
        given = Secret(sys.stdin.read().strip())
        if not given:
            raise UsageError("standard input held no secret")
        return given
    return run_async(_stored_secret(settings_for(), api_key))


async def _stored_secret(settings: "Settings", api_key: str) -> Secret:
    from coffers.portfolio.tokens import Tokens

    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
        return await Tokens(store, vault, SystemClock()).secret_of(api_key)


def _rsa(path: Path, text: str) -> str:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} holds no private key in PEM without a password") from error
    if not isinstance(key, RSAPrivateKey):
        raise UsageError(f"{path} holds a private key that is not RSA")
    return base64.b64encode(key.sign(text.encode(), PKCS1v15(), SHA256())).decode()
