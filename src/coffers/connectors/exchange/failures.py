"""What went wrong in a call to a venue -> the one typed failure, with a sentence for the user.

ccxt's classes are told apart by name, so that nothing here has to import ccxt. The venue's code
and status come from the answer that was heard, never from ccxt's text, which holds whole addresses
with their signatures.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from coffers.clock import DAY, SECOND, Millis
from coffers.connectors.exchange.client import Heard
from coffers.connectors.exchange.rules import EVERY_VENUE, Refusal, refusals
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.logs import redact_text

LONGEST_TEXT = 160
"""Characters of a venue's own text that are passed on."""

LONGEST_LOOKED_AT = 2048
"""Characters of it in which secrets are looked for: what is left may be shorter by those."""

SHORTEST_HIDDEN = 5
"""Characters from which a key or a secret is one."""

SHORTEST_WORD = 3
"""Characters from which a word of an answer is told apart in ccxt's text."""

LONGEST_WAIT = Millis(3 * DAY)
"""The longest pause that a venue may ask for; Binance bans for up to three days."""

# The order counts: PermissionDenied derives from AuthenticationError, and InvalidNonce,
# RateLimitExceeded and ExchangeNotAvailable from NetworkError.
_KINDS = (
    ("PermissionDenied", FailureKind.PERMISSION_DENIED),
    ("AuthenticationError", FailureKind.KEY_REFUSED),
    ("InvalidNonce", FailureKind.CLOCK_DRIFT),
    ("RateLimitExceeded", FailureKind.RATE_LIMITED),
    ("DDoSProtection", FailureKind.RATE_LIMITED),
    ("ExchangeNotAvailable", FailureKind.VENUE_DOWN),
    ("NetworkError", FailureKind.UNREACHABLE),
    ("ClientError", FailureKind.UNREACHABLE),
    ("TimeoutError", FailureKind.UNREACHABLE),
    ("OSError", FailureKind.UNREACHABLE),
    ("NotSupported", FailureKind.UNSUPPORTED),
)

_SENTENCES = {
    FailureKind.KEY_REFUSED: "refused the API key",
    FailureKind.PERMISSION_DENIED: "does not let this API key read what is needed",
    FailureKind.ADDRESS_REFUSED: "does not accept the API key from this server's address",
    FailureKind.REGION_REFUSED: "does not serve the region that this server is in",
    FailureKind.CLOCK_DRIFT: "found the request's time or number out of order, a second time too",
    FailureKind.RATE_LIMITED: "asks to be called less often",
    FailureKind.VENUE_DOWN: "is not available at present",
    FailureKind.UNREACHABLE: "could not be reached or did not answer in time",
    FailureKind.UNEXPECTED_ANSWER: "gave an answer that cannot be used",
    FailureKind.UNSUPPORTED: "does not offer what is needed through the exchange library",
}

UNTOLD = frozenset(
    {
        FailureKind.KEY_REFUSED,
        FailureKind.PERMISSION_DENIED,
        FailureKind.UNSUPPORTED,
        FailureKind.UNEXPECTED_ANSWER,
    }
)
"""Once the balances were read, these failures of another call say only that it tells nothing."""

_REFUSALS = frozenset({FailureKind.KEY_REFUSED, FailureKind.PERMISSION_DENIED})

_UNSENDABLE = (
    "cannot be called with these credentials: "
    "one is missing, or does not have the form in which the venue gives it out"
)

_NO_ERROR = {"0", "200", "200000", "00000", "000000"}

_CODES = (
    *("code", "retCode", "err-code", "error_code", "errorCode", "errorcode"),
    *("label", "ret_code", "rc", "status_code", "name"),
)
_TEXTS = (
    *("msg", "retMsg", "err-msg", "message", "error_description", "error_message"),
    *("errorMsg", "errormsg", "ret_msg", "mc", "reason", "detail"),
)

# What Python raises over credentials of another form than ccxt takes apart before it sends.
_MALFORMED = frozenset({"Unsignable", "AuthenticationError", "ValueError"})
_BROKEN = frozenset(
    {"TypeError", "LookupError", "AttributeError", "BadRequest", "ArgumentsRequired"}
)

# What has a meaning of its own even where nothing was sent.
_OTHERWISE = frozenset({"NotSupported", "RestrictedLocation", "AccountSuspended"})

_BANNED_UNTIL = re.compile(r"until (\d{13})\b")


@dataclass(frozen=True, slots=True)
class Venue:
    """A venue by its ccxt id, its name for people, and the classes that it derives from."""

    id: str
    name: str
    family: tuple[str, ...]


def failure_of(
    error: BaseException,
    venue: Venue,
    heard: Heard,
    now: Millis,
    hidden: Sequence[str] = (),
) -> ConnectorFailure:
    """Return the failure that an exception of a call means.

    Args:
        error: what was raised, by ccxt or inside of it.
        venue: who was asked.
        heard: what it answered, where it did.
        now: the present, for a `Retry-After` that is a date.
        hidden: texts that must not appear in the message, such as the key and its secret.
    """
    if isinstance(error, ConnectorFailure):
        return error
    if heard.status is None and (unsent := _unsent(error, venue, heard, hidden)):
        return unsent
    code, text = _said(heard.answer) if "BaseError" in _names(error) else (None, None)
    override = _override(error, venue, heard, code)
    kind = FailureKind(override.kind) if override else _kind(error, heard)
    sentence = (override and override.says) or _SENTENCES[kind]
    return ConnectorFailure(
        kind,
        f"{venue.name} {sentence}{_detail(code, text, hidden)}.",
        code=code or type(error).__name__,
        retry_after=_pause(heard, now) if kind is FailureKind.RATE_LIMITED else None,
    )


def unexpected(venue: Venue, reason: str, code: str) -> ConnectorFailure:
    """Return the failure for an answer that was understood and cannot be right."""
    sentence = _SENTENCES[FailureKind.UNEXPECTED_ANSWER]
    message = f"{venue.name} {sentence}: {reason}."
    return ConnectorFailure(FailureKind.UNEXPECTED_ANSWER, message, code=code)


def was_unsent(error: BaseException, heard: Heard) -> bool:
    """Return whether ccxt itself refused a call, before anything left this server.

    Over what went wrong on the way it raises a `NetworkError`, and over an answer that broke off
    an `ExchangeError` with the cause. It reckons with what is sent before it sends that.
    """
    names = _names(error)
    is_own = bool(names & {"BaseError", "ArithmeticError"}) and "NetworkError" not in names
    return is_own and heard.status is None and error.__cause__ is None


def _unsent(
    error: BaseException, venue: Venue, heard: Heard, hidden: Sequence[str]
) -> ConnectorFailure | None:
    """Return the failure of a call that never left, None where it did or may have."""
    names = _names(error)
    if _MALFORMED & names:
        message = f"{venue.name} {_UNSENDABLE}."
        return ConnectorFailure(FailureKind.KEY_REFUSED, message, code="malformed_credentials")
    is_refused = was_unsent(error, heard) and not _OTHERWISE & names
    if _BROKEN & names or is_refused:
        # Python's own errors may show what was at hand; ccxt's say what it misses.
        is_told = is_refused and "BaseError" in names
        why = _detail(None, str(error), hidden) if is_told else ""
        message = f"{venue.name} cannot be asked through the exchange library at present{why}."
        kind = FailureKind.UNEXPECTED_ANSWER
        return ConnectorFailure(kind, message, code=type(error).__name__)
    return None


def _override(error: BaseException, venue: Venue, heard: Heard, code: str | None) -> Refusal | None:
    names = _names(error)
    said = str(heard.answer).lower() if heard.answer is not None else ""
    for member in (*venue.family, EVERY_VENUE):
        for rule in refusals().get(member, ()):
            if _fits(rule, names, heard.status, code, said):
                return rule
    return None


def _fits(
    rule: Refusal, names: frozenset[str], status: int | None, code: str | None, said: str
) -> bool:
    return (
        (rule.code is None or rule.code == code)
        and (rule.status is None or rule.status == status)
        and (rule.text is None or rule.text in said)
        and (rule.only is None or rule.only in names)
    )


def _kind(error: BaseException, heard: Heard) -> FailureKind:
    names = _names(error)
    kind = next((kind for name, kind in _KINDS if name in names), FailureKind.UNEXPECTED_ANSWER)
    if kind is FailureKind.VENUE_DOWN and heard.status is None and "OnMaintenance" not in names:
        return FailureKind.UNREACHABLE
    if kind in _REFUSALS and not _is_said(error, heard):
        kind = FailureKind.UNEXPECTED_ANSWER
    if kind is FailureKind.UNEXPECTED_ANSWER:
        return _kind_of_broken(error, heard)
    return kind


def _is_said(error: BaseException, heard: Heard) -> bool:
    """Return whether a refusal is the venue's own: an HTTP error, or in words of its answer.

    GRVT's `{}` makes ccxt complain of a login that failed: an outage, no refusal of the key.
    """
    if heard.status is not None and heard.status >= 400:  # noqa: PLR2004  # HTTP errors
        return True
    raised = str(error)
    return any(word in raised for word in _words(heard.answer))


def _words(answer: object) -> Iterator[str]:
    match answer:
        case Mapping():
            for value in answer.values():
                yield from _words(value)
        case list():
            for value in answer:
                yield from _words(value)
        case str() | int() if len(str(answer)) >= SHORTEST_WORD:
            yield str(answer)


def _kind_of_broken(error: BaseException, heard: Heard) -> FailureKind:
    """Tell an answer that broke off, or a server's own error, from one that makes no sense."""
    if heard.status is None and error.__cause__ and "ClientError" in _names(error.__cause__):
        return FailureKind.UNREACHABLE
    if heard.status is not None and heard.status >= 500:  # noqa: PLR2004  # HTTP server errors
        return FailureKind.VENUE_DOWN
    return FailureKind.UNEXPECTED_ANSWER


def _names(error: BaseException) -> frozenset[str]:
    return frozenset(cls.__name__ for cls in type(error).__mro__)


def _said(answer: object) -> tuple[str | None, str | None]:
    """Return the code and the text with which a venue explains itself, where they are found."""
    if not isinstance(answer, Mapping):
        return None, None
    inner = answer.get("error") or answer.get("errors") or answer.get("data")
    if isinstance(inner, list) and inner:
        if not isinstance(inner[0], Mapping):
            return str(inner[0]), None
        inner = inner[0]
    parts = [inner, answer] if isinstance(inner, Mapping) else [answer]
    code = next(filter(None, (_first(part, _CODES) for part in parts)), None)
    text = next(filter(None, (_first(part, _TEXTS) for part in parts)), None)
    if isinstance(inner, str):
        # Some write a code there, CLIENT_IP_BLOCKED, and others a sentence.
        return (code or (None if " " in inner else inner)), text or inner
    return code, text


def _first(answer: Mapping[str, object], names: Sequence[str]) -> str | None:
    values = (answer.get(name) for name in names)
    found = (str(value) for value in values if isinstance(value, str | int) and value)
    return next((text for text in found if text not in _NO_ERROR), None)


def _detail(code: str | None, text: str | None, hidden: Sequence[str]) -> str:
    said = ": ".join(dict.fromkeys(part for part in (code, text) if part))
    for secret in hidden:
        # Fewer letters are no secret, and would be taken out of every word that has them.
        if len(secret) >= SHORTEST_HIDDEN:
            said = said.replace(secret, "***")
    said = re.sub(r"[^\x20-\x7e]+", " ", redact_text(said, LONGEST_LOOKED_AT))
    said = said.strip().rstrip(" .")
    return f" ({said[:LONGEST_TEXT]})" if said else ""


def _pause(heard: Heard, now: Millis) -> int | None:
    """Return the pause that a venue asks for; Binance writes "IP banned until 1659146400000"."""
    pause = _retry_after(heard.headers, now)
    banned = _BANNED_UNTIL.search(str(heard.answer))
    if pause is None and banned is not None:
        return min(max(int(banned[1]) - now, 0), LONGEST_WAIT)
    return pause


def _retry_after(headers: Mapping[str, str], now: Millis) -> int | None:
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    if text is None:
        return None
    if text.isdigit():
        return min(int(text) * SECOND, LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
    return min(max(round(until * 1000) - now, 0), LONGEST_WAIT)
