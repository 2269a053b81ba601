"""A server's URL says where it is; a wrong one is refused without showing any of it."""

from typing import Any

import pytest
from redis.asyncio import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection

from coffers.errors import SettingsError
from coffers.settings import load_settings
from coffers.valkey.address import Address, read_address


def taken(address: Address) -> tuple[type, dict[str, Any]]:
    """What the client library makes of an address."""
    pool = ConnectionPool.from_url(address.url.reveal())
    named = ("host", "port", "path", "username", "password", "db")
    given = pool.connection_kwargs
    return pool.connection_class, {name: given[name] for name in named if name in given}


@pytest.mark.parametrize("scheme", ["redis", "valkey", "REDIS"])
def test_a_host_alone_is_enough(scheme: str) -> None:
    address = read_address(f"{scheme}://cache.example")
    assert taken(address) == (Connection, {"host": "cache.example"})
    assert str(address) == "cache.example:6379"


@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
def test_everything_can_be_said(scheme: str) -> None:
    address = read_address(f"{scheme}://me:p%40ss@[::1]:7000/3")
    said = {"host": "::1", "port": 7000, "username": "me", "password": "p@ss", "db": 3}
    assert taken(address) == (SSLConnection, said)
    assert str(address) == "::1:7000"
    assert "p%40ss" not in repr(address)


def test_a_password_needs_no_user() -> None:
    address = read_address("redis://:fake@localhost/1")
    assert taken(address) == (Connection, {"host": "localhost", "password": "fake", "db": 1})


def test_a_socket_is_named_by_its_path() -> None:
    address = read_address("unix://:fake@/run/valkey%20a.sock?db=2")
    said = {"path": "/run/valkey a.sock", "password": "fake", "db": 2}
    assert taken(address) == (UnixDomainSocketConnection, said)
    assert str(address) == "/run/valkey a.sock"


@pytest.mark.parametrize(
    "url",
    [
        "http://hunter2@localhost",
        "localhost:6379",
        "",
        "redis://",
        "redis:///0",
        "redis://me:hunter2/x@localhost",
        "redis://me:hunter2#@localhost",
        "redis://localhost/hunter2",
        "redis://localhost?password=hunter2",
        "redis://localhost:70000",
        "unix://",
        "unix://hunter2.sock",
        "unix:///s?db=hunter2",
        "redis://[hunter2",
    ],
)
def test_another_url_is_refused_without_showing_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        read_address(url)
    assert "hunter2" not in str(caught.value)
    if url:
        monkeypatch.setenv("COFFERS_VALKEY_URL", url)
        with pytest.raises(SettingsError, match="COFFERS_VALKEY_URL") as refused:
            load_settings()
        assert "hunter2" not in str(refused.value)


def test_the_setting_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COFFERS_VALKEY_URL", "redis://:fake@localhost")
    assert "fake" not in repr(load_settings())
