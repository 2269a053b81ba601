"""What a key may do, by the call with which its venue tells it."""

from collections.abc import Awaitable, Callable, Mapping

from coffers.clock import Millis
from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.session import VenueSession
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights

RightsReader = Callable[[VenueSession], Awaitable[KeyRights]]
"""Asks one venue what the session's key may do; raises `ConnectorFailure`."""

_BINANCE_TRADING = (
    "enableSpotAndMarginTrading",
    "enableMargin",
    "enableFutures",
    "enableVanillaOptions",
    "enablePortfolioMarginTrading",
    "enableFixApiTrade",
)


async def read_rights(session: VenueSession) -> KeyRights:
    """Return what the session's key may do, `UNKNOWN_RIGHTS` where the venue does not tell.

    Raises:
        ConnectorFailure: when the venue refused the key or gave no usable answer.
    """
    reader = READERS.get(session.venue.id)
    return UNKNOWN_RIGHTS if reader is None else await reader(session)


async def _binance(session: VenueSession) -> KeyRights:
    """Read `GET /sapi/v1/account/apiRestrictions` ("Get API Key Permission").

    A right to trade that has run out leaves a key that can be read: then it is no right any more,
    and the key has no expiry.
    """
    told = await session.ask("sapiGetAccountApiRestrictions")
    if not isinstance(told, Mapping) or not isinstance(told.get("enableReading"), bool):
        raise unexpected(session.venue, "it does not tell what the key may do", "no_rights")
    expiry = _moment(told.get("tradingAuthorityExpirationTime"))
    is_over = expiry is not None and expiry <= session.now()
    trade = _any(told, _BINANCE_TRADING)
    return KeyRights(
        read=_flag(told, "enableReading"),
        trade=False if is_over else trade,
        withdraw=_flag(told, "enableWithdrawals"),
        address_restricted=_flag(told, "ipRestrict"),
        expires_at=None if is_over else expiry,
    )


def _flag(told: Mapping[str, object], name: str) -> bool | None:
    value = told.get(name)
    return value if isinstance(value, bool) else None


def _any(told: Mapping[str, object], names: tuple[str, ...]) -> bool | None:
    flags = [_flag(told, name) for name in names]
    if True in flags:
        return True
    return None if flags[0] is None else False


def _moment(value: object) -> Millis | None:
    return Millis(value) if isinstance(value, int) and value > 0 else None


READERS: Mapping[str, RightsReader] = {
    # Binance.US has no such call: its keys' rights stay unknown.
    "binance": _binance,
    "binanceusdm": _binance,
    "binancecoinm": _binance,
}
"""The venues that tell, by ccxt id."""
