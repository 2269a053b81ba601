"""The routes of the wire contract beside the account list."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI, Path, Request
from fastapi.responses import Response

from coffers.access.call import Caller
from coffers.api.documents import ERRORS_OF_SIGNED, ERRORS_OF_UNSIGNED, NOT_FOUND, SIGNED
from coffers.api.door import Door
from coffers.api.paths import BASE
from coffers.api.services import Services
from coffers.clock import SECOND
from coffers.markets.icons import asset_icon, icon


def add_routes(app: FastAPI, services: Services, door: Door) -> None:
    """Add `ping`, `time`, `validate` and the icons."""

    async def signed(request: Request) -> Caller:
        return await door.admit(request.scope, request.receive)

    async def not_banned(request: Request) -> None:
        await door.check_address(request.scope)

    @app.get(
        f"{BASE}/ping",
        tags=["general"],
        summary="Is the server there?",
        dependencies=[Depends(not_banned)],
        responses=ERRORS_OF_UNSIGNED,
    )
    async def ping() -> dict[str, str]:
        """Answer, so that a client knows that the server can be reached."""
        return {"pong": "pong"}

    @app.get(
        f"{BASE}/time",
        tags=["general"],
        summary="What time is it there?",
        dependencies=[Depends(not_banned)],
        responses=ERRORS_OF_UNSIGNED,
    )
    async def time() -> dict[str, int]:
        """Return the server's time in Unix seconds."""
        return {"server_time": services.clock.now() // SECOND}

    @app.get(
        f"{BASE}/validate",
        tags=["general"],
        summary="Are token and signature good?",
        dependencies=[Depends(signed)],
        responses=ERRORS_OF_SIGNED,
        openapi_extra=SIGNED,
    )
    async def validate() -> dict[str, bool]:
        """Tell that the token and the signature are good; what is not is an error."""
        return {"valid": True}

    @app.get(
        "/img/exchanges/{code}.svg",
        tags=["icons"],
        summary="A market's icon",
        response_class=Response,
        responses={200: {"content": {"image/svg+xml": {}}}, **NOT_FOUND},
    )
    async def market_icon(code: Annotated[str, Path(description="A market's code.")]) -> Response:
        """Return the icon of a market."""
        return _drawing(icon(code, services.catalogue))

    @app.get(
        "/img/currencies/{code:asset}.svg",
        tags=["icons"],
        summary="An asset's icon",
        response_class=Response,
        responses={200: {"content": {"image/svg+xml": {}}}, **NOT_FOUND},
    )
    async def currency_icon(code: Annotated[str, Path(description="An asset's code.")]) -> Response:
        """Return the icon of an asset: its letters on a colour."""
        return _drawing(asset_icon(code))


def _drawing(body: bytes) -> Response:
    headers = {"Cache-Control": "public, max-age=86400", "Content-Security-Policy": _NO_SCRIPT}
    return Response(body, media_type="image/svg+xml", headers=headers)


_NO_SCRIPT: Final = "default-src 'none'; style-src 'unsafe-inline'"
