"""Both drivers of PostgreSQL take TLS as the URL asks for it, and nothing less."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from asyncpg import InterfaceError, PostgresError
from sqlalchemy.engine import URL, make_url

from bitcoin_world import own_certificate
from coffers.store import driver
from coffers.store.libpq import Line

_TLS_ASKED = bytes.fromhex("0000000804d2162f")


@asynccontextmanager
async def server(certificate: Path) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Lend a port that talks TLS as PostgreSQL does, and what was asked of it encrypted."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(8) == _TLS_ASKED
        writer.write(b"S")
        try:
            await writer.start_tls(context)
            if begun := await reader.read(8):
                heard.append(begun)
        except OSError:
            pass
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()[1], heard


async def tried(url: URL) -> None:
    """Connect by each driver; no server ends a connection in order here."""
    with pytest.raises((PostgresError, InterfaceError, OSError)):
        await driver.connect(url)
    with pytest.raises(psycopg.Error):
        await Line.open(url, "SELECT 1", is_pooled=False)


async def test_a_server_is_talked_to_by_its_own_name_alone_where_that_is_asked_for(
    tmp_path: Path,
) -> None:
    certificate = own_certificate(tmp_path)
    options = f"sslmode=verify-full&sslrootcert={certificate}"
    async with server(certificate) as (port, heard):
        await tried(make_url(f"postgresql+asyncpg://me@localhost:{port}/coffers?{options}"))
        assert heard == []
        await tried(make_url(f"postgresql+asyncpg://me@127.0.0.1:{port}/coffers?{options}"))
        assert len(heard) == 2
        await tried(make_url(f"postgresql+asyncpg://me@localhost:{port}/coffers?sslmode=require"))
        assert len(heard) == 4
