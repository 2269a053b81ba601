"""What Coffers adds to every ccxt exchange: exact numbers, the gateway, and an ear for answers.

ccxt parses bare JSON numbers as floats and, in Python, ignores its own `quoteJsonNumbers`; a page
of HTML with status 200 passes through its parsers as an empty answer. `Listening` is mixed in
before an exchange's class and mends both for every call that the class makes.
"""

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from ssl import SSLContext
from typing import Any

import msgspec
from aiohttp import BaseConnector, ClientSession, DummyCookieJar

from coffers.clock import Clock
from coffers.connectors.exchange.sending import send
from coffers.tls import believed

WORDS = {
    "hyperliquid": frozenset(
        {"default", "dexAbstraction", "disabled", "portfolioMargin", "unifiedAccount"}
    )
}
"""The answers that are a bare JSON text, at venues that have such: there an account's mode."""


_PARTS = {"free", "used", "total"}
_ZEROS = ("0", "0.0", "0.00000000")


class NotJson(Exception):
    """An answer is no JSON object, no JSON array, no whole number and no known word."""


class Unsignable(Exception):
    """A request cannot be signed with these credentials: they do not have the venue's form."""


class Heard(msgspec.Struct, frozen=True):
    """What the venue answered last: the status is None where nothing was heard at all."""

    status: int | None = None
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    answer: object = None


NOTHING_HEARD = Heard()


_HEARD: ContextVar[Heard] = ContextVar("heard", default=NOTHING_HEARD)
"""What the request of this task heard: requests that are sent at once each have a task."""


def heard_by(error: BaseException, last: Heard) -> Heard:
    """Return what the request heard that an error came of; `last` where it came of none."""
    heard = getattr(error, "heard", last)
    return heard if isinstance(heard, Heard) else last


def exact_json(body: str) -> object:
    """Return the JSON value with every fractional number as the text that was sent.

    Raises:
        ValueError: for what is no JSON, NaN and infinities included.
    """
    try:
        return _QUICK.decode(body)
    except ValueError:
        # It also refuses half of a surrogate pair, which names of coins have had.
        return _DECODER.decode(body)


def routed(url: str, gateway: str | None, venue: str) -> str:
    """Return `<gateway>/<ccxt id>/<original host><path and query>`, or the URL itself without one.

    The path and the query stay byte for byte as they were signed.
    """
    if gateway is None:
        return url
    _, _, rest = url.partition("://")
    return f"{gateway}/{venue}/{rest}"


class Listening:
    """Mixed in before a class of `ccxt.async_support`; `clock` is set on the class.

    The gateway is applied to the finished request rather than to `urls['api']`: so it also covers
    the addresses that some venues build elsewhere, and signatures that include the venue's own
    host stay valid behind a forwarding proxy.
    """

    id: str
    number: type
    gateway: str | None = None
    clock: Clock
    heard: Heard = NOTHING_HEARD
    own_session: bool
    session: ClientSession
    ssl_context: SSLContext | None
    tcp_connector: BaseConnector
    aiohttp_trust_env: bool
    timeout: int
    last_http_response: str | None
    prepare_request_headers: Callable[[dict[str, str] | None], dict[str, str]]
    parse_json: Callable[[str], object]
    handle_errors: Callable[..., object]
    handle_http_status_code: Callable[..., None]

    def milliseconds(self) -> int:
        """Return the time, from the clock that everything else goes by."""
        return self.clock.now()

    def _hears(self, heard: Heard) -> None:
        self.heard = heard
        _HEARD.set(heard)

    def on_json_response(self, body: str) -> object:
        """Parse a body that looks like JSON, and keep what it says."""
        answer = exact_json(body)
        self._hears(_with_answer(_HEARD.get(), answer))
        return answer

    def calculate_rate_limiter_cost(self, *args: Any) -> object:  # noqa: ANN401  # ccxt's own method
        """Reckon with floats meanwhile: some venues compare the cost, which is no amount."""
        reckon = super().calculate_rate_limiter_cost  # type: ignore[misc]  # of the ccxt class
        self.number, exact = float, self.number
        try:
            return reckon(*args)
        finally:
            self.number = exact

    def extend(self, *args: Mapping[str, object] | None) -> dict[str, object]:
        """Merge mappings; ccxt's own stumbles over None, which Coinbase International hands it."""
        if None in args:
            args = tuple({} if arg is None else arg for arg in args)
        merged: dict[str, object] = super().extend(*args)  # type: ignore[misc]  # of the ccxt class
        return merged

    def safe_balance(self, balance: dict[str, Any]) -> dict[str, Any]:
        """Return what ccxt makes of a balance.

        Most currencies of a balance are not held. ccxt adds each of these zeros up digit by digit,
        which is a third of all that it does with a balance; here they get the sums as they are.
        """
        unheld = {code: entry for code, entry in balance.items() if _is_unheld(code, entry)}
        for code in unheld:
            del balance[code]
        whole: dict[str, Any] = super().safe_balance(balance)  # type: ignore[misc]  # of the ccxt class
        for code, entry in unheld.items():
            entry["total"] = "0"
            whole[code] = entry
            for part in _PARTS:
                whole[part][code] = entry[part]
        return whole

    def sign(self, *args: Any, **named: Any) -> object:  # noqa: ANN401  # ccxt's own method
        """Sign a request; what breaks over the form of a secret is told apart from an answer.

        Raises:
            Unsignable: when the credentials are of no use, such as a secret that is no base64.
        """
        try:
            return super().sign(*args, **named)  # type: ignore[misc]  # of the ccxt class
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise Unsignable from error

    def open(self, lazy: bool = False) -> None:  # ccxt's own method
        """Open the connections, which keep no cookies.

        Accounts share them: what a venue gave one would go out with another's requests.
        """
        if self.ssl_context is None:
            self.ssl_context = believed()
        super().open(lazy)  # type: ignore[misc]  # of the ccxt class
        if self.own_session and not isinstance(self.session.cookie_jar, DummyCookieJar):
            keeping = self.session
            self.session = ClientSession(
                connector=self.tcp_connector,
                trust_env=self.aiohttp_trust_env,
                cookie_jar=DummyCookieJar(),
            )
            keeping.detach()

    async def fetch(
        self,
        url: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: str | None = None,
    ) -> object:
        """Send the request by way of the gateway and return the JSON that came.

        Raises:
            NotJson: when the answer is something else, such as a page of HTML.
        """
        self._hears(NOTHING_HEARD)
        try:
            return await self._fetched(url, method, headers, body)
        except Exception as error:
            # Some methods of ccxt send several requests at once: the next one's beginning must not
            # take away what this one was told.
            error.heard = _HEARD.get()  # type: ignore[attr-defined]
            raise

    async def _fetched(
        self, url: str, method: str, headers: dict[str, str] | None, body: str | None
    ) -> object:
        url = routed(url, self.gateway, self.id)
        sent = self.prepare_request_headers(headers)
        came = await send(self.session, method, url, sent, body, self.timeout / 1000)
        self._hears(Heard(came.status, came.headers))
        # ccxt's own name: Kraken's cancelling looks there for what the answer said.
        self.last_http_response = came.text
        answer = self.parse_json(came.text)
        outcome = came.status, came.reason, url, method
        self.handle_errors(*outcome, came.headers, came.text, answer, sent, body)
        self.handle_http_status_code(*outcome, came.text)
        if isinstance(answer, dict | list):
            return answer
        if came.text.isdigit():
            return came.text
        if (word := came.text.strip('"')) in WORDS.get(self.id, ()):
            self._hears(_with_answer(_HEARD.get(), word))
            return came.text
        raise NotJson


def _is_unheld(code: object, entry: object) -> bool:
    """Whether an entry says in the usual words that nothing is held, and says no more."""
    return (
        isinstance(entry, dict)
        and code != "info"
        and entry.keys() == _PARTS
        and entry["total"] is None
        and entry["free"] in _ZEROS
        and entry["used"] in _ZEROS
    )


def _with_answer(heard: Heard, answer: object) -> Heard:
    return Heard(heard.status, heard.headers, answer)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


_QUICK = msgspec.json.Decoder(float_hook=str)
# `json.loads` makes a decoder each time that it is told how to read numbers.
_DECODER = json.JSONDecoder(parse_float=str, parse_constant=_refuse_constant)
