"""`coffers sign`: the headers of one signed request, ready to paste."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import out, print_json
from coffers.cli.rooms import opened_store, opened_vault, run_async, settings_for
from coffers.cli.stdin import text_given
from coffers.clock import SystemClock
from coffers.errors import UsageError
from coffers.secret import Secret

if TYPE_CHECKING:
    from coffers.client import RsaKey
    from coffers.settings import Settings

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
    from coffers.client import HmacKey, SignedAuth
    from coffers.portfolio.signed_calls import curl_command

    _check(method, path, api_key, curl)
    if rsa_private_key is not None:
        key: HmacKey | RsaKey = _rsa(rsa_private_key)
    else:
        key = HmacKey(_secret(api_key, from_stdin=secret_stdin, timestamp=timestamp).reveal())
    auth = SignedAuth(api_key, key, timestamp=timestamp)
    headers = auth.headers(path.encode(), body.encode())
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
    from coffers.portfolio.signed_calls import METHODS, PREFIX

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


def _secret(api_key: str, *, from_stdin: bool, timestamp: bool) -> Secret:
    if from_stdin:
        given = Secret(text_given().strip())
        if not given:
            raise UsageError("standard input held no secret")
        return given
    return run_async(_stored_secret(settings_for(), api_key, timestamp=timestamp))


async def _stored_secret(settings: "Settings", api_key: str, *, timestamp: bool) -> Secret:
    from coffers.portfolio.tokens import Tokens

    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
        async with store.reading() as tx:
            token = await tx.tokens.by_api_key(api_key)
        if token is not None and token.require_timestamp and not timestamp:
            raise UsageError("this token requires the time to be signed too: add --timestamp")
        return await Tokens(store, vault, SystemClock()).secret_of(api_key)


def _rsa(path: Path) -> "RsaKey":
    from coffers.client import RsaKey

    try:
        return RsaKey(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
