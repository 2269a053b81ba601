"""Structured logs, with everything that could be a secret taken out on the way.

Whatever is logged, by us or by a library, goes through `redact`: values under telling names are
replaced, and texts lose what follows `secret=`, `signature=` and their like, query strings whole.
"""

import logging
import re
import sys
import time
from collections import OrderedDict
from collections.abc import MutableMapping
from typing import Any, Final, Literal

# structlog loads rich wherever it is installed, for tracebacks that show the values of variables,
# secrets among them, and greenlet for contexts of its own. None of ours need them, and a server is
# 5 MB smaller without.
_without = {"rich", "greenlet"} - sys.modules.keys()
for _name in _without:
    sys.modules[_name] = None  # type: ignore[assignment]  # what an import takes for absence
import structlog  # noqa: E402 - see above

for _name in _without:
    del sys.modules[_name]

LONGEST: Final = 32 * 1024
"""Characters of one text that are logged: any traceback fits, and no answer of megabytes."""

SAID_AGAIN: Final = 600.0
"""Seconds after which a line of a `seldom` logger is written again in the same words."""

_STARS = "***"
_SELDOM: Final = "seldom"
_NAMES = (
    r"secret|signature|passphrase|password|passwd|private(?:[-_ ]?key)?"
    r"|api[-_]?key|access[-_]?key|master[-_]?key|token"
)
_LINES = r"authorization|cookie"
"""Headers whose values have blanks, commas and quotes of their own."""

_PHRASES = r"mnemonic|seed(?: (?:phrase|words))?"
_TELLING = re.compile(f"{_NAMES}|{_LINES}|{_PHRASES}", re.IGNORECASE)

# Up to the quote that closes it, which a cut may have taken; JSON within a text has its quotes
# escaped.
_QUOTED = (
    r"[bru]?(?:\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"?|'[^'\\]*+(?:\\.[^'\\]*+)*+'?"
    r"|\\{1,4}[\"'](?:(?!\\{1,4}[\"']).)*+(?:\\{1,4}[\"'])?)"
)
_PEM = r"-----BEGIN [^-]*+-----[^-]*+(?:-----END [^-]*+-----)?"


def _assigned(names: str, value: str) -> re.Pattern[str]:
    """Return a pattern of names with their values: in quotes, or else as given."""
    by = r"\\{0,4}[\"']?\s{0,8}[=:]\s{0,8}"
    pattern = rf"(?P<name>(?:{names})[\w-]{{0,64}})(?P<by>{by})(?:{_QUOTED}|{value})"
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


# Whoever is asked, or asks, may have chosen what a text says: each of these takes time in
# proportion to its length. None begins with a run that it would look through anew from each of its
# letters, and runs that it may have to go back through are short.
_ASSIGNED = (
    _assigned(_LINES, r"[^\r\n]+"),
    _assigned(_PHRASES, r"\w+(?:[\s,]{1,4}\w+){0,23}"),
    _assigned(rf"{_NAMES}|sign", rf"{_PEM}|[^\s&\"',;)}}]+"),
)
_ADDRESS = re.compile(r"(?P<address>(?:https?://|/)[^\s?\"']*+)(?P<query>\?[^\s\"')]+)?")
_USERINFO = re.compile(r"://[^/\s@]+@")
_BROKEN_OFF = re.compile(r"://[^/\s@]*\Z")
"""Where a text was cut, what may be a password whose `@` is gone."""


def redact_text(text: str, longest: int = LONGEST) -> str:
    """Return a text without query strings, assigned secrets and passwords in addresses.

    What goes beyond `longest` characters is cut off first, so that none of it is looked at.
    """
    if len(text) > longest:
        text = _BROKEN_OFF.sub(f"://{_STARS}", text[:longest]) + " ..."
    text = _ADDRESS.sub(_without_query, text)
    text = _USERINFO.sub(f"://{_STARS}@", text)
    for assigned in _ASSIGNED:
        text = assigned.sub(r"\g<name>\g<by>" + _STARS, text)
    return text


def _without_query(found: re.Match[str]) -> str:
    return f"{found['address']}?{_STARS}" if found["query"] else found[0]


def redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Take secrets out of a log event, as the last step before it is written."""
    for key, value in event.items():
        event[key] = _STARS if _TELLING.search(key) else _redacted(value)
    return event


def _redacted(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case dict():
            return redact(None, "", {str(key): inner for key, inner in value.items()})
        case list() | tuple():
            return [_redacted(inner) for inner in value]
        case _:
            return redact_text(str(value))


class Repeats:
    """Leaves out lines of `seldom` loggers that were written in the same words not long ago.

    The next one that is written tells how many were left out, as `left_out`. Only hashes are kept,
    of the `MOST` newest.
    """

    MOST = 2_000

    def __init__(self) -> None:
        self._written: OrderedDict[int, tuple[float, int]] = OrderedDict()

    def __call__(
        self, logger: logging.Logger, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Let a line pass, or drop it."""
        if not event.pop(_SELDOM, False):
            return event
        fault = sys.exc_info()[1] if event.get("exc_info") else None
        told = sorted((key, str(value)) for key, value in event.items())
        words = hash((logger.name, method, repr(fault), *told))
        now = time.monotonic()
        written_at, left_out = self._written.pop(words, (-SAID_AGAIN, 0))
        if now - written_at < SAID_AGAIN:
            self._written[words] = written_at, left_out + 1
            raise structlog.DropEvent
        self._written[words] = now, 0
        if len(self._written) > self.MOST:
            self._written.popitem(last=False)
        if left_out:
            event["left_out"] = left_out
        return event


Form = Literal["auto", "json", "text"]
"""How logs are written; `auto` is text on a terminal and JSON elsewhere."""


def is_json(form: Form) -> bool:
    """Return whether logs are JSON in a form, with standard error as it is now."""
    return form == "json" or (form == "auto" and not sys.stderr.isatty())


def configure_logs(level: str = "info", form: Form = "auto") -> None:
    """Send all logs of the process to stderr, one event a line, secrets taken out."""
    as_text = not is_json(form)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if as_text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            Repeats(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for own in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(own).handlers = []
        logging.getLogger(own).propagate = True
        # Another server in this process may have set one.
        logging.getLogger(own).setLevel(logging.NOTSET)
    for chatty in ("uvicorn.access", "httpx", "httpcore", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_no_callers_fault)


def _is_no_callers_fault(record: logging.LogRecord) -> bool:
    """Leave out warnings of what callers send that is no request, unless all is to be logged.

    Whoever reaches the port could fill the disk with them. Such requests are counted.
    """
    is_of_callers = record.levelno == logging.WARNING and "/protocols/" in record.pathname
    return not is_of_callers or logging.getLogger().isEnabledFor(logging.DEBUG)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a room."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def seldom(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a room for what may be said again and again while something is away.

    A line in the same words is written every ten minutes at most: an outage of a day must not fill
    the disk. What tells of a change to and fro belongs into `logger`, which leaves nothing out.
    """
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name, **{_SELDOM: True})
    return bound
