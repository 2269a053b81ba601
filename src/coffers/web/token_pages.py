"""API tokens: what there are, making one, whose secret is shown once, and revoking."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.responses import Response

from coffers.access.addresses import is_like_network
from coffers.access.tokens import PERMISSIONS, parse_networks, read_public_key
from coffers.clock import Millis
from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio.tokens import Tokens, Wanted, token_name
from coffers.store.errors import KeyTaken
from coffers.store.records import Token
from coffers.web.answers import Renderer, see_other
from coffers.web.rooms import Asked, OwnPage, Rooms

LASTS: Final = {
    "7d": "a week",
    "30d": "30 days",
    "90d": "90 days",
    "365d": "a year",
    "": "for ever, until it is revoked",
}
"""For how long a token can be chosen to last."""

USUAL: Final[Mapping[str, str]] = {
    "may_accounts_read": "on",
    "kind": "hmac",
    "expires_at": "90d",
}
"""What the form says at first: to read alone, and not for ever."""

_Given = TypeVar("_Given")


@dataclass(frozen=True, slots=True)
class Listed:
    """A token as a row. `state` is valid, expired or revoked."""

    token: Token
    state: str

    @property
    def short_key(self) -> str:
        """The API key, recognisable and short."""
        return short_key(self.token.api_key)


class TokenPages:
    """Lists, makes and revokes tokens."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._tokens = Tokens(rooms.store, rooms.vault, rooms.clock)
        self.own = (
            OwnPage("/tokens", self.show),
            OwnPage("/tokens/new", self.new, self.make),
            OwnPage("/tokens/{id:id}/revoke", self.confirm, self.revoke),
        )

    async def show(self, asked: Asked) -> Response:
        """Return the page of all tokens."""
        now = self._rooms.clock.now()
        listed = [
            Listed(token, state_of(token, now))
            for token in reversed(await self._tokens.of_user(asked.who.user.id))
        ]
        return self._renderer.page(
            asked.request,
            "tokens.html",
            who=asked.who,
            now=now,
            in_force=[each for each in listed if each.state == "valid"],
            over=[each for each in listed if each.state != "valid"],
        )

    async def new(self, asked: Asked) -> Response:
        """Return the form of a new token.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are: a token outlives
                the session of a browser that was left open.
        """
        self._require_check(asked)
        return self._form(asked, USUAL, {})

    async def make(self, asked: Asked) -> Response:
        """Make a token and show it, with its secret this once.

        A form that is sent again, as when the answer is loaded anew, makes no second token: the API
        key is made of what the form was drawn with.

        Raises:
            CheckNeeded: as `new` does.
        """
        self._require_check(asked)
        form = asked.form
        try:
            wanted = _wanted(form, self._rooms.address_of(asked.request.scope))
            issued = await self._tokens.create(asked.who.user.id, wanted, _key_of(asked))
        except InvalidRecord as error:
            return self._form(asked, form, error.attributes)
        except KeyTaken:
            return see_other("/tokens", "made-before")
        return self._renderer.page(
            asked.request,
            "token_made.html",
            who=asked.who,
            token=issued.token,
            secret=None if issued.secret is None else issued.secret.reveal(),
        )

    async def confirm(self, asked: Asked) -> Response:
        """Return the page that asks whether a token is to be revoked, where it is not.

        Raises:
            NotFound: when it is nobody's, or somebody else's.
        """
        token, now = await self._tokens.get(asked.who.user.id, asked.id), self._rooms.clock.now()
        if token.revoked_at is not None:
            return see_other("/tokens", "revoked")
        return self._renderer.page(
            asked.request,
            "token_revoke.html",
            who=asked.who,
            now=now,
            row=Listed(token, ""),
        )

    async def revoke(self, asked: Asked) -> Response:
        """Revoke a token; one that is revoked already is.

        Raises:
            NotFound: when it is nobody's, or somebody else's.
        """
        token = await self._tokens.get(asked.who.user.id, asked.id)
        with suppress(NotFound):  # a second press finds nothing left to revoke
            await self._tokens.revoke(token.user_id, token.api_key)
        return see_other("/tokens", "revoked")

    def _require_check(self, asked: Asked) -> None:
        # A visitor of the demo has no password to show.
        if asked.who.user.name != self._rooms.settings.demo_user:
            asked.who.require_check(self._rooms.clock.now())

    def _form(
        self, asked: Asked, form: Mapping[str, str], faults: Mapping[str, list[str]]
    ) -> Response:
        kept = dict(form)
        if "PRIVATE" in kept.get("public_key", ""):
            del kept["public_key"]
        if "allowed_networks" in faults:
            # What was pasted by mistake may be a secret.
            said = _networks_in(form)
            kept["allowed_networks"] = "\n".join(each for each in said if is_like_network(each))
        return self._renderer.page(
            asked.request,
            "token_new.html",
            400 if faults else 200,
            who=asked.who,
            form=kept,
            faults=faults,
            once=form.get("once") or secrets.token_urlsafe(16),
            lasts=LASTS,
            address=self._rooms.address_of(asked.request.scope),
        )


def short_key(api_key: str) -> str:
    """Return an API key as it is recognised, where the whole of it would be in the way."""
    return f"{api_key[:8]}…{api_key[-4:]}"


def state_of(token: Token, now: Millis) -> str:
    """Return whether a token is valid, expired or revoked."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "valid"


def _key_of(asked: Asked) -> str:
    """Return the API key that a form makes a token of: the same one however often it is sent."""
    return hmac.digest(
        asked.who.token.reveal().encode(), f"token:{asked.form.get('once', '')}".encode(), "sha256"
    ).hex()


def _wanted(form: Mapping[str, str], address: str) -> Wanted:
    """Return what a form asks for.

    Raises:
        InvalidRecord: naming all fields that do not say it.
    """
    permissions = tuple(each for each in PERMISSIONS if form.get(f"may_{each}"))
    networks = _networks_in(form)
    if form.get("from_here"):
        networks.append(address)
    name, expires = form.get("name", ""), form.get("expires_at", "")
    pem, is_rsa = form.get("public_key", "").strip(), form.get("kind") == "rsa"
    faults = {**_faults(token_name, name), **_faults(parse_networks, networks)}
    if not permissions:
        faults["permissions"] = ["choose one at least"]
    if is_rsa:
        faults |= _faults(read_public_key, pem) if pem else {"public_key": ["can't be blank"]}
    elif pem:
        faults["public_key"] = ["is for a key of your own: choose that, or leave it empty"]
    if expires not in LASTS:
        faults["expires_at"] = ["does not have a valid value"]
    if faults:
        raise InvalidRecord(faults)
    return Wanted(
        permissions=permissions,
        rsa_public_key=pem if is_rsa else None,
        networks=tuple(networks),
        expires=expires or None,
        require_timestamp=bool(form.get("require_timestamp")),
        name=name,
    )


def _networks_in(form: Mapping[str, str]) -> list[str]:
    return form.get("allowed_networks", "").replace(",", " ").split()


def _faults(check: Callable[[_Given], object], given: _Given) -> dict[str, list[str]]:
    try:
        check(given)
    except InvalidRecord as error:
        return error.attributes
    return {}
