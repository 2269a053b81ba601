"""Importing the client loads nothing of the server."""

import subprocess
import sys

LOADED = (
    "import sys; import coffers.client; "
    "print(sorted({name.partition('.')[0] for name in sys.modules}), "
    "sorted(name for name in sys.modules if name.startswith('coffers.')))"
)


def test_the_client_loads_neither_framework_nor_database_nor_exchange_library() -> None:
    told = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    ).stdout
    heavy = ("fastapi", "starlette", "sqlalchemy", "ccxt", "pydantic", "uvicorn", "cryptography")
    for name in heavy:
        assert f"'{name}'" not in told
    own = told[told.index("] [") :]
    assert "coffers.client.clients" in own
    assert own.count("'coffers.") == own.count("'coffers.client")
