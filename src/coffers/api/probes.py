"""What an operator's machines ask: is it alive, can it serve, what does it count."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import GaugeMetricFamily

from coffers import metrics
from coffers.api.facts import facts
from coffers.api.services import Services
from coffers.clock import age
from coffers.errors import CoffersError
from coffers.store.errors import StoreUnavailable
from coffers.store.revision import is_current

FACTS_WITHIN: Final = 5.0
"""Seconds after which metrics are told without what the database knows: Prometheus gives up after
ten, and would take the process for dead."""

_NOT_READY: Final = 503


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a process can serve. `missing` says what keeps it from that, part by part.

    `price_age_seconds` is for information, null before the first price book.
    """

    ready: bool
    missing: dict[str, str]
    price_age_seconds: float | None


class _Facts:
    """What the database tells, asked once for all who ask at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._asking: asyncio.Task[list[GaugeMetricFamily]] | None = None

    async def told(self) -> Sequence[GaugeMetricFamily]:
        """Return the facts; none while the database is away, or silent."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(facts(self._services))
            # Nobody may be left to look.
            self._asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        asking = self._asking
        await asyncio.wait((asking,), timeout=FACTS_WITHIN)
        try:
            return asking.result() if asking.done() else ()
        except StoreUnavailable:
            return ()


def add_probes(app: FastAPI, services: Services) -> None:
    """Add `/healthz`, `/readyz` and `/metrics`."""
    known = _Facts(services)

    @app.get("/healthz", tags=["operation"])
    async def healthz() -> dict[str, str]:
        """Tell that the process answers; nothing else is looked at."""
        return {"status": "ok"}

    @app.get(
        "/readyz",
        tags=["operation"],
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "Not ready, and what is missing."}},
    )
    async def readyz() -> JSONResponse:
        """Tell whether the database answers, has this release's tables, and its key is at hand."""
        found = await readiness(services)
        body = {
            "ready": found.ready,
            "missing": found.missing,
            "price_age_seconds": found.price_age_seconds,
        }
        return JSONResponse(body, 200 if found.ready else _NOT_READY)

    @app.get(
        "/metrics",
        tags=["operation"],
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
    )
    async def scraped() -> Response:
        """Return the metrics in Prometheus's text format; without facts while it is away."""
        return Response(metrics.exposition(await known.told()), media_type=CONTENT_TYPE_LATEST)


async def readiness(services: Services) -> Readiness:
    """Look whether the process can serve."""
    missing: dict[str, str] = {}
    try:
        await _check_store(services, missing)
    except StoreUnavailable as fault:
        missing["database"] = str(fault)
    return Readiness(not missing, missing, await _price_age(services))


async def _check_store(services: Services, missing: dict[str, str]) -> None:
    if not await is_current(services.store):
        missing["tables"] = "the database does not have the tables of this release"
        return
    async with services.store.reading() as tx:
        key_ids = await tx.secrets.key_ids()
    try:
        for key_id in sorted(key_ids):
            services.vault.require(key_id)
    except CoffersError as fault:
        missing["vault"] = str(fault)


async def _price_age(services: Services) -> float | None:
    """Return the age of the newest price book in seconds, None where that is not known."""
    try:
        book = await services.shelf.newest()
    except StoreUnavailable:
        return None
    return age(None if book is None else book.at, services.clock.now())
