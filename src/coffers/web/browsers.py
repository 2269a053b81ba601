"""Whether a browser asks, and what it calls itself, in few words."""

from typing import Final

from coffers.serving.encodings import weights_of

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""What stands in the name, the more special first: each also says that it is the later ones."""

_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_LONGEST: Final = 40


def browser_of(agent: str) -> str:
    """Return a browser and its system, such as "Firefox on Linux", as far as it says."""
    browser = next((name for part, name in _BROWSERS if part in agent), None)
    system = next((name for part, name in _SYSTEMS if part in agent), None)
    if browser is None:
        return agent[:_LONGEST] or "unknown"
    return browser if system is None else f"{browser} on {system}"


def prefers_pages(accept: str) -> bool:
    """Return whether an `Accept` header names pages and likes nothing for programs better.

    All browsers name them where somebody opens an address; programs name JSON, or nothing.
    """
    weights = weights_of(accept.lower())
    page = weights.get("text/html", 0.0)
    return page > 0 and page >= weights.get("application/json", 0.0)
