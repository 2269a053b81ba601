"""The playground: what is signed of a call, step by step, and a call that is tried from here.

Secrets never come here: with script the browser signs, without it a shell does.
"""

import asyncio
from collections.abc import Mapping
from itertools import groupby
from typing import Final

from starlette.responses import Response

from coffers.errors import InvalidRecord
from coffers.portfolio.signed_calls import (
    METHODS,
    PREFIX,
    DraftedCall,
    drafted,
    signing_script,
)
from coffers.portfolio.tokens import Tokens
from coffers.store.records import Token
from coffers.web.answers import Renderer
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.token_pages import short_key, state_of

FIRST: Final = {"method": "GET", "path": f"{PREFIX}ver1/accounts", "query": "per_page=10"}
"""The call that is there at first."""

FIELDS: Final = ("token", "method", "path", "query", "body")


class Playground:
    """Shows what is signed of a call."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._tokens = Tokens(rooms.store, rooms.vault, rooms.clock)
        self.own = (OwnPage("/playground", self.show, self.draw),)

    async def show(self, asked: Asked) -> Response:
        """Return the page, for the token and the call that the address names."""
        given = asked.request.query_params
        form = dict(FIRST) if "path" not in given else {}
        return await self._shown(asked, {**form, **{name: given[name] for name in given}})

    async def draw(self, asked: Asked) -> Response:
        """Return the page for the call that the form says; nothing of it is in an address."""
        return await self._shown(asked, asked.form)

    async def _shown(self, asked: Asked, given: Mapping[str, str]) -> Response:
        rooms, form = self._rooms, {name: given.get(name, "") for name in FIELDS}
        now = rooms.clock.now()
        tokens = [
            token
            for token in reversed(await self._tokens.of_user(asked.who.user.id))
            if state_of(token, now) == "valid"
        ]
        token = next((each for each in tokens if str(each.id) == form["token"]), None)
        token = token or next(iter(tokens), None)
        faults: dict[str, list[str]] = {}
        call: DraftedCall | None = None
        try:
            call = drafted(form["method"], form["path"], form["query"], form["body"])
        except InvalidRecord as error:
            faults = error.attributes
        # Half a second the first time, in which others are answered.
        calls = await asyncio.to_thread(rooms.calls)
        base_url = rooms.base_url(asked.request.scope)
        is_wrong = bool(faults) and asked.request.method == "POST"
        return self._renderer.page(
            asked.request,
            "playground.html",
            400 if is_wrong else 200,
            who=asked.who,
            now=now,
            form=form,
            faults=faults,
            tokens=tokens,
            token=token,
            short_key=short_key,
            methods=METHODS,
            call=call,
            script=_script(call, token, base_url),
            base_url=base_url,
            prefix=PREFIX,
            groups=[(name, list(found)) for name, found in groupby(calls, lambda each: each.group)],
            known=next(
                (
                    each
                    for each in calls
                    if (each.method, each.path) == (form["method"], form["path"])
                ),
                None,
            ),
        )


def _script(call: DraftedCall | None, token: Token | None, base_url: str) -> str | None:
    if call is None or token is None:
        return None
    return signing_script(
        call, base_url, token.api_key, token.kind, has_timestamp=token.require_timestamp
    )
