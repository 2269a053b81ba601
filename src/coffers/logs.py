"""Structured logs, with everything that could be a secret taken out on the way.

Whatever is logged, by us or by a library, goes through `redact`: values under telling names are
replaced, and texts lose what follows `secret=`, `signature=` and their like, query strings whole.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

# structlog loads rich wherever it is installed, for tracebacks that show the values of variables,
# secrets among them, and greenlet for contexts of its own. None of ours need them, and a server is
# 5 MB smaller without.
_without = {"rich", "greenlet"} - sys.modules.keys()
for _name in _without:
    sys.modules[_name] = None  # type: ignore[assignment]  # what an import takes for absence
import structlog  # noqa: E402 - see above

for _name in _without:
    del sys.modules[_name]

_STARS = "***"
_TELLING = re.compile(
    r"secret|signature|passphrase|password|passwd|authorization|cookie|private|mnemonic|seed"
    r"|api[-_]?key|access[-_]?key|master[-_]?key|token",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    r"(?P<name>[\w-]*(?:secret|signature|passphrase|password|api[-_]?key|access[-_]?key|token|sign)"
    r"[\w-]*)(?P<by>\"?'?\s*[=:]\s*\"?'?)[^\s&\"',;)}]+",
    re.IGNORECASE,
)
_QUERY = re.compile(r"(?P<address>(?:https?://|/)[^\s?\"']*)\?[^\s\"')]+")
_USERINFO = re.compile(r"://[^/\s@]+@")


def redact_text(text: str) -> str:
    """Return a text without query strings, assigned secrets and passwords in addresses."""
    text = _QUERY.sub(r"\g<address>?" + _STARS, text)
    text = _USERINFO.sub(f"://{_STARS}@", text)
    return _ASSIGNED.sub(r"\g<name>\g<by>" + _STARS, text)


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


def configure_logs(level: str = "info", form: Literal["auto", "json", "text"] = "auto") -> None:
    """Send all logs of the process to stderr, one event a line, secrets taken out."""
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
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
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
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
    for chatty in ("uvicorn.access", "httpx", "httpcore", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    for own in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(own).handlers = []
        logging.getLogger(own).propagate = True


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a room."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound
