"""The demo as programs of others meet it: a running server, and a key at the simulated exchange."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

Call = Callable[..., object]
"""Calls a method of a client by its name."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: what its first line told, the process, and what it writes where."""

    process: "subprocess.Popen[str]"
    place: Path
    told: dict[str, str]

    @property
    def server(self) -> str:
        """The server's own address, without the path of the API."""
        return self.told["base_url"].removesuffix("/public/api")

    def new_key(self, number: int, name: str, **balances: str) -> dict[str, str]:
        """Make a key at the simulated exchange; return what a client connects it by."""
        key = {"key": f"another-fake-key-{number}", "secret": f"another-fake-secret-{number}"}
        made = httpx.post(
            f"{self.told['sandbox_url']}/_sandbox/keys",
            json={"venue": "binance", **key, "balances": balances},
        )
        assert made.is_success, made.text
        return {"type": "binance", "name": name, "api_key": key["key"], "secret": key["secret"]}
