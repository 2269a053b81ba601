"""The baseline's server: `python -m bench.baseline.server PORT`, its database by the settings."""

import asyncio
import sys

import uvicorn
from bench.baseline.app import make_app
from fastapi import FastAPI
from sqlalchemy import create_engine

from coffers.cli.rooms import opened_store, opened_vault
from coffers.markets.chains import catalogue_of
from coffers.settings import load_settings


async def _app() -> FastAPI:
    settings = load_settings()
    async with opened_store(settings) as store:
        vault = await opened_vault(settings, store)
    return make_app(create_engine(settings.database()), vault, catalogue_of(settings))


if __name__ == "__main__":
    # As in coffers.api.server and bench.static_server, so that only the application differs.
    uvicorn.run(
        asyncio.run(_app()),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )
