"""What a server process answers: the pages, and the API behind them."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from coffers.access.passwords import Passwords
from coffers.api import server
from coffers.api.app import make_app
from coffers.api.services import Services
from coffers.api.surroundings import Surroundings

OF_PROGRAMS: Final = (
    "/public/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/img/",
    "/openapi.json",
    "/docs",
)
"""How paths begin that no page has: all of the API's do."""


def app() -> server.ServedApp:
    """Return the application for a server process, with the settings of the environment.

    Raises:
        SettingsError: for a setting that cannot be meant.
    """
    return server.app(site_of)


def site_of(services: Services, passwords: Passwords | None = None) -> ASGIApp:
    """Return the pages and the API on services that are open for as long as it is used."""
    return make_app(services, lambda api: LatePages(api, lambda: _pages(services, passwords, api)))


class LatePages:
    """Loads the pages when somebody opens one; all else is for the API.

    A server that only programs ask starts a seventh sooner and takes 5 MB less.
    """

    def __init__(self, api: ASGIApp, load: Callable[[], ASGIApp]) -> None:
        self._api = api
        self._load = load
        self._pages: ASGIApp | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"].startswith(OF_PROGRAMS):
            await self._api(scope, receive, send)
        else:
            await (self._pages or await self._loaded())(scope, receive, send)

    async def _loaded(self) -> ASGIApp:
        async with self._loading:
            if self._pages is None:
                # Not in the event loop, where nothing else would be answered meanwhile.
                self._pages = await asyncio.to_thread(self._load)
        return self._pages


def _pages(services: Services, passwords: Passwords | None, api: FastAPI) -> ASGIApp:
    from coffers.portfolio.sign_in import SignIn
    from coffers.web.calls import calls_of
    from coffers.web.rooms import Rooms
    from coffers.web.site import Site

    surroundings = Surroundings(services.settings)
    rooms = Rooms(
        settings=services.settings,
        store=services.store,
        vault=services.vault,
        listing=services.listing,
        shelf=services.shelf,
        streams=services.streams,
        catalogue=services.catalogue,
        sign_in=SignIn(services.store, passwords or Passwords(), services.clock),
        clock=services.clock,
        address_of=surroundings.address_of,
        base_url=surroundings.base_url,
        calls=cache(lambda: calls_of(api.openapi())),
    )
    return Site(rooms, api)
