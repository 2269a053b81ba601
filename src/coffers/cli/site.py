"""What a server process answers: the pages, and the API behind them."""

from functools import cache

from fastapi import FastAPI
from starlette.types import ASGIApp

from coffers.access.passwords import Passwords
from coffers.api import server
from coffers.api.app import make_app
from coffers.api.services import Services
from coffers.api.surroundings import Surroundings
from coffers.portfolio.sign_in import SignIn
from coffers.web.calls import calls_of
from coffers.web.rooms import Rooms
from coffers.web.site import Site


def app() -> server.ServedApp:
    """Return the application for a server process, with the settings of the environment.

    Raises:
        SettingsError: for a setting that cannot be meant.
    """
    return server.app(site_of)


def site_of(services: Services, passwords: Passwords | None = None) -> ASGIApp:
    """Return the pages and the API on services that are open for as long as it is used."""
    surroundings = Surroundings(services.settings)
    return make_app(services, lambda api: Site(_rooms(services, passwords, surroundings, api), api))


def _rooms(
    services: Services, passwords: Passwords | None, surroundings: Surroundings, api: FastAPI
) -> Rooms:
    return Rooms(
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
