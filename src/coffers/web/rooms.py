"""What the pages stand on, and what each of them is told of a request."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from coffers.clock import Clock
from coffers.markets.catalogue import Catalogue
from coffers.portfolio.authenticators import PasskeySite, site_of
from coffers.portfolio.bookshelf import BookShelf
from coffers.portfolio.guessing import Visitor
from coffers.portfolio.listing import Listing
from coffers.portfolio.sessions import SignedIn
from coffers.portfolio.sign_in import SignIn
from coffers.secret import Secret
from coffers.serving.streams import Streams
from coffers.settings import Settings
from coffers.store.engine import Store
from coffers.vault.vault import Vault
from coffers.web.calls import Call
from coffers.web.forms import cookie_name, held


@dataclass(frozen=True, slots=True)
class Rooms:
    """What pages are made of.

    `address_of` tells where a request came from, and `base_url` how the server was reached; both
    see through the proxies that the operator trusts. `calls` tells the API's calls; the first time
    takes half a second.
    """

    settings: Settings
    store: Store
    vault: Vault
    listing: Listing
    shelf: BookShelf
    streams: Streams
    catalogue: Catalogue
    sign_in: SignIn
    clock: Clock
    address_of: Callable[[Scope], str]
    base_url: Callable[[Scope], str]
    calls: Callable[[], Sequence[Call]]

    def is_secure(self, scope: Scope) -> bool:
        """Return whether the browser came by TLS."""
        return self.base_url(scope).startswith("https:")

    def passkey_site(self, request: Request) -> PasskeySite | None:
        """Return where passkeys are for at the address that a browser shows; None for none."""
        site = site_of(self.base_url(request.scope))
        scheme, host = urlsplit(self.base_url(request.scope)).scheme, request.headers.get("host")
        # A browser makes none for a page that it has by another name.
        return site if site == site_of(f"{scheme}://{host}") else None

    def session_of(self, request: Request) -> Secret | None:
        """Return what the browser holds of a session, None where it holds nothing."""
        return held(request, cookie_name(is_secure=self.is_secure(request.scope)))

    def visitor(self, request: Request) -> Visitor:
        """Return where a try to sign in comes from."""
        agent = request.headers.get("user-agent", "")
        return Visitor(self.address_of(request.scope), agent)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a page by somebody who is signed in.

    `form` has the fields of a form that a page of this session sent; it is empty where none was.
    """

    request: Request
    who: SignedIn
    form: Mapping[str, str]

    @property
    def id(self) -> int:
        """The number in the page's path."""
        number: int = self.request.path_params["id"]
        return number


Shown = Callable[[Asked], Awaitable[Response]]
Opened = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class OwnPage:
    """A page that needs somebody who is signed in.

    `path` is as Starlette has paths; a number in it is `{id:id}`. `sent` answers the page's form.
    """

    path: str
    shown: Shown | None = None
    sent: Shown | None = None


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page for everybody; it looks after its forms itself."""

    path: str
    shown: Opened | None = None
    sent: Opened | None = None
