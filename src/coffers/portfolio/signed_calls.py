"""A call of the API as somebody signs it by hand: as it is sent, what is signed, shell commands."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from coffers.access.call import MAX_BODY, SignedCall
from coffers.access.signature import candidates
from coffers.errors import InvalidRecord
from coffers.store.records import TokenKind

PREFIX: Final = "/public/api/"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE")
WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})
"""Browsers send no body with these."""

_PATH: Final = re.compile(r"[!$-;=@-\[\]_a-z|~]+")
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
# What the address of a request may hold in its query as it is: browsers escape the rest.
_AS_IT_IS: Final = "".join({*map(chr, range(0x21, 0x7F))} - {*"\"#'<>"})


@dataclass(frozen=True, slots=True)
class SignedPart:
    """A part of the text to sign, and what it is."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class DraftedCall:
    """A call that is not signed yet. `query` is as it is sent, without its question mark."""

    method: str
    path: str
    query: str
    body: str

    @property
    def target(self) -> str:
        """Path and query as they are sent."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def parts(self) -> tuple[SignedPart, ...]:
        """What the text to sign is put together from; a timestamp goes before all of it."""
        parts = [SignedPart("path", self.path)]
        if self.query:
            parts.append(SignedPart("query", f"?{self.query}"))
        if self.body:
            parts.append(SignedPart("body", f"{'&' if self.query else '?'}{self.body}"))
        return tuple(parts)

    @property
    def text(self) -> str:
        """The text to sign, before which a timestamp goes."""
        return "".join(part.text for part in self.parts)


def drafted(method: str, path: str, query: str, body: str) -> DraftedCall:
    """Return a call as it is sent.

    Raises:
        InvalidRecord: naming `method`, `path` or `body` where no signature of it is accepted.
    """
    path, query = path.strip(), quote(query.strip().removeprefix("?"), safe=_AS_IT_IS)
    body = body.replace("\r\n", "\n")
    faults = {
        **({} if method in METHODS else {"method": ["does not have a valid value"]}),
        **_faults_of_path(path),
    }
    if body and method in WITHOUT_BODY:
        faults["body"] = [f"must be empty: browsers send none with {method}"]
    if faults:
        raise InvalidRecord(faults)
    call = DraftedCall(method, path, query, body)
    if not _can_be_signed(call):
        raise InvalidRecord(
            {"body": ["is neither a JSON object nor a form whose names are not in the query"]}
        )
    return call


def _faults_of_path(path: str) -> dict[str, list[str]]:
    if not path.startswith(PREFIX):
        return {"path": [f"must begin with {PREFIX}, which is signed too"]}
    if "{" in path:
        named = path[path.index("{") :].partition("/")[0]
        return {"path": [f"put a value in the place of {named}"]}
    if not _PATH.fullmatch(path) or _DOTS.search(path):
        return {"path": ["must be as it is sent: ASCII, others in %XX, no query, no dots"]}
    return {}


def _can_be_signed(call: DraftedCall) -> bool:
    body = call.body.encode()
    asked = SignedCall(
        method=call.method,
        path=call.path.encode(),
        query=call.query.encode(),
        body=body,
        content_type=None,
        api_key=None,
        signature=None,
        timestamp=None,
        forced_mode=None,
        address="",
    )
    return len(body) <= MAX_BODY and call.text.encode() in candidates(asked)


def curl_command(
    base_url: str, method: str, target: str, body: str, headers: Mapping[str, str]
) -> str:
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
        if body.lstrip().startswith("{"):
            # curl would call it a form, which the server refuses for what is a JSON object.
            words += ["-H", "Content-Type: application/json"]
        words += ["--data-raw", body]
    return shlex.join([*words, base_url.rstrip("/") + target])


def signing_script(
    call: DraftedCall, base_url: str, api_key: str, kind: TokenKind, *, has_timestamp: bool
) -> str:
    """Return commands of a shell that sign a call by openssl and send it."""
    headers = {"Apikey": api_key, "Signature": "$SIGNATURE"}
    lines, text = [f"TEXT={shlex.quote(call.text)}"], "$TEXT"
    if has_timestamp:
        lines.append("STAMP=$(date +%s)")
        headers, text = {**headers, "Timestamp": "$STAMP"}, "$STAMP$TEXT"
    if kind == "hmac":
        lines.insert(0, "IFS= read -rs -p 'Secret: ' SECRET")
        signs = "openssl dgst -sha256 -hmac \"$SECRET\" | sed 's/^.*= //'"
    else:
        signs = "openssl dgst -sha256 -sign key.pem | openssl base64 -A"
    lines.append(f"SIGNATURE=$(printf '%s' \"{text}\" | {signs})")
    command = curl_command(base_url, call.method, call.target, call.body, headers)
    for name, value in headers.items():
        if value.startswith("$"):
            # In quotation marks in which the shell puts the value in; headers come before all else.
            command = command.replace(f"'{name}: {value}'", f'"{name}: {value}"', 1)
    return "\n".join([*lines, command])
