"""Reaching a server: with a password, another database, over TCP; and what is none."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import redisd
from coffers.errors import SettingsError
from coffers.settings import Settings
from coffers.valkey import server as server_module
from coffers.valkey.server import Gone, Script, SharedServer, opened_server, server_of
from redisd import Redis, shared

ADD = Script("return {redis.call('INCRBY', KEYS[1], ARGV[1])}")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[SharedServer]:
    server = shared(url)
    await server.open()
    yield server
    await server.close()


async def test_questions_that_are_asked_at_once_get_their_own_answers(redis: Redis) -> None:
    async with opened(redis.url) as server:
        asked = [server.run(ADD, ("coffers:sum",), 1) for _ in range(100)]
        assert sorted(await asyncio.gather(*asked)) == [[number] for number in range(1, 101)]


async def test_who_gives_up_does_not_take_the_answer_of_another(redis: Redis) -> None:
    async with opened(redis.url) as server:
        asked = [asyncio.create_task(server.run(ADD, ("coffers:sum",), 10)) for _ in range(9)]
        await asyncio.sleep(0)
        for task in asked:
            task.cancel()
        for number in (1, 2):
            [told] = await server.run(ADD, ("coffers:sum",), 1)
            assert told % 10 == number
        assert server.is_up


async def test_a_process_that_was_busy_does_not_take_the_server_for_gone(redis: Redis) -> None:
    async with opened(redis.url) as server:
        asked = asyncio.create_task(server.run(ADD, ("coffers:sum",), 1))
        asyncio.get_running_loop().call_soon(time.sleep, 0.25)
        assert await asked == [1]
        assert server.is_up


async def test_a_server_that_hangs_costs_those_who_wait_their_turn_no_more(
    mortal_redis: Redis,
) -> None:
    async with opened(mortal_redis.url) as server:
        mortal_redis.hang()
        begun = time.monotonic()
        asked = [server.run(ADD, ("coffers:sum",), 1) for _ in range(50)]
        told = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(answer, Gone) for answer in told)
        # One after the other they would take 5 seconds.
        assert 0.1 <= time.monotonic() - begun < 3
        mortal_redis.wake()


async def test_a_password_and_a_database_are_told() -> None:
    with redisd.running("--requirepass", "fake") as redis:
        for url in (redis.url, f"unix://:wrong@{redis.path}"):
            async with opened(url) as server:
                assert not server.is_up
        async with opened(f"unix://:fake@{redis.path}?db=3") as server:
            await server.run(ADD, ("coffers:sum",), 7)
        assert b"db3:keys=" in _keyspace(redis)


def _keyspace(redis: Redis) -> bytes:
    return redis.say("AUTH fake\r\nINFO keyspace")


async def test_a_reason_to_fail_tells_no_password() -> None:
    with redisd.running("--requirepass", "fake") as redis:
        with pytest.raises(Gone) as caught:
            await shared(f"unix://:wrong@{redis.path}").check()
        assert str(caught.value) == f"{redis.path} takes a connection, but then: WRONGPASS"


async def test_a_server_that_quotes_what_it_was_sent_is_not_quoted() -> None:
    quoting = redisd.running("--rename-command", "AUTH", "LOGIN")
    with quoting as redis, pytest.raises(Gone) as caught:
        await shared(f"unix://:fake@{redis.path}").check()
    assert str(caught.value) == f"{redis.path} takes no writes: ERR"


async def test_a_replica_that_takes_no_writes_is_no_server() -> None:
    replica = redisd.running("--replicaof", "127.0.0.1", "1")
    with replica as redis, pytest.raises(Gone, match="takes no writes"):
        await shared(redis.url).check()


async def test_nobody_there_is_told_by_its_place() -> None:
    with pytest.raises(Gone, match="127.0.0.1:1 takes no connection"):
        await shared("redis://127.0.0.1:1").check()


@pytest.mark.parametrize("speech", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK\r\n" * 9, b""])
async def test_what_speaks_otherwise_is_no_server(speech: bytes) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(speech)
        await writer.drain()
        writer.close()

    other = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(Gone):
            await shared(f"redis://127.0.0.1:{port}").check()


async def test_without_the_setting_there_is_no_server() -> None:
    async with opened_server(Settings()) as server:
        assert server is None


async def test_the_setting_without_the_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "find_spec", {}.get)
    settings = Settings(valkey_url="redis://localhost")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"install coffers\[valkey\]"):
        server_of(settings)


def test_without_the_setting_nothing_that_talks_to_a_server_is_loaded() -> None:
    program = "import coffers.api.services, sys; print({'redis', 'hiredis'} & set(sys.modules))"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
