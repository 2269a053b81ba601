"""Connecting: a market is chosen, its form filled in, and handed to a worker to be checked."""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from coffers.errors import CoffersError, NotFound
from coffers.markets.catalogue import Market
from coffers.markets.fields import SECRET_FIELDS
from coffers.portfolio.asking import Given, errand_of, family_of
from coffers.portfolio.errand_forms import (
    CheckAsked,
    ConnectAsked,
    WalletAsked,
)
from coffers.portfolio.looks import Looks
from coffers.portfolio.markets import can_connect
from coffers.portfolio.pending import Pending
from coffers.web.answers import SECURITY, Renderer, see_other
from coffers.web.credential_fields import fields_of
from coffers.web.faults import Faults, faults_of
from coffers.web.market_list import choices_of
from coffers.web.rooms import Asked, OwnPage, Rooms


class ConnectPages:
    """Asks for what is to be connected."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._pending = Pending(rooms.store, rooms.vault, rooms.clock)
        self._looks = Looks(rooms.settings, rooms.clock)
        self.own = (
            OwnPage("/connect", self.choose),
            OwnPage("/connect/{code}", self.form, self.check),
            OwnPage("/connect/{code}/looks", sent=self.looks),
        )

    async def choose(self, asked: Asked) -> Response:
        """Return every market that can be connected, or those that a search finds."""
        text = asked.request.query_params.get("q", "").strip()[:100]
        return self._renderer.page(
            asked.request,
            "connect.html",
            who=asked.who,
            text=text,
            choices=choices_of(self._rooms.catalogue, text),
        )

    async def form(self, asked: Asked) -> Response:
        """Return the form of a market.

        Raises:
            NotFound: when there is no such market, or it cannot be connected.
        """
        market = self._market(asked)
        return self.form_page(asked, market, {"name": market.name, "include_in_summary": "1"})

    async def looks(self, asked: Asked) -> Response:
        """Tell a script what an address looks like so far.

        It comes in a form, since addresses of pages are logged by proxies: who pastes a seed phrase
        by mistake has it in no log.

        Raises:
            NotFound: when there is no such wallet.
        """
        market = self._market(asked)
        if market.chain is None:
            raise NotFound(market.code)
        look = await self._looks.at(market, asked.form.get("address", ""))
        told = {"is_good": look.is_good, "told": look.told}
        return JSONResponse(told, headers={**SECURITY, "Cache-Control": "no-store"})

    async def check(self, asked: Asked) -> Response:
        """Have a worker look at what was given, and lead to what it finds. Nothing is stored."""
        market, form, user = self._market(asked), asked.form, asked.who.user
        try:
            _, wanted = errand_of(self._rooms.catalogue, user.id, _given(market, form))
            number = await self._pending.begin(user.id, _to_check(wanted))
        except CoffersError as error:
            faults = faults_of(error, [each.name for each in fields_of(market)])
            return self.form_page(asked, market, form, faults)
        return see_other(f"/connect/checked/{number}")

    def _market(self, asked: Asked) -> Market:
        code: str = asked.request.path_params["code"]
        market = self._rooms.catalogue.get(code)
        if market is None or not can_connect(market):
            raise NotFound(code)
        return market

    def form_page(
        self, asked: Asked, market: Market, form: Mapping[str, str], faults: Faults | None = None
    ) -> Response:
        """Return the form of a market with what was typed, but for secrets, and what is wrong."""
        settings, faults = self._rooms.settings, faults or Faults(status=200)
        family = [] if market.chain else family_of(self._rooms.catalogue, market)
        return self._renderer.page(
            asked.request,
            "connect_market.html",
            faults.status,
            who=asked.who,
            market=market,
            fields=fields_of(market),
            others=[each for each in family if each.code != market.code],
            # What was secret is not sent back.
            form={name: text for name, text in form.items() if name not in SECRET_FIELDS},
            faults=faults.fields,
            told=faults,
            is_trading_on=settings.trading,
            refuses_withdraw=settings.key_policy == "refuse_withdraw",
        )


def _given(market: Market, form: Mapping[str, str]) -> Given:
    also = [name.removeprefix("also_") for name in form if name.startswith("also_")]
    credentials = {each.name: form.get(each.name) or None for each in fields_of(market)}
    in_summary = "include_in_summary" in form
    return Given(market.code, form.get("name", ""), credentials, also, in_summary)


def _to_check(wanted: ConnectAsked | WalletAsked) -> CheckAsked:
    if isinstance(wanted, WalletAsked):
        return CheckAsked(wallet=wanted)
    return CheckAsked(connect=wanted)
