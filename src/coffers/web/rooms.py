"""What the pages stand on, and what each of them is told of a request."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Scope

from coffers.clock import Clock
from coffers.markets.catalogue import Catalogue
from coffers.portfolio.bookshelf import BookShelf
from coffers.portfolio.listing import Listing
from coffers.portfolio.sign_in import SignedIn, SignIn
from coffers.settings import Settings
from coffers.store.engine import Store


@dataclass(frozen=True, slots=True)
class Rooms:
    """What pages are made of.

    `address_of` tells where a request came from, and `base_url` how the server was reached; both
    see through the proxies that the operator trusts.
    """

    settings: Settings
    store: Store
    listing: Listing
    shelf: BookShelf
    catalogue: Catalogue
    sign_in: SignIn
    clock: Clock
    address_of: Callable[[Scope], str]
    base_url: Callable[[Scope], str]

    def is_secure(self, scope: Scope) -> bool:
        """Return whether the browser came by TLS."""
        return self.base_url(scope).startswith("https:")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a page by somebody who is signed in."""

    request: Request
    who: SignedIn
