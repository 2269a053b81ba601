"""What a key may do, by the call with which its venue tells it."""

from collections.abc import Awaitable, Callable, Mapping

from coffers.connectors.exchange import rights_readers
from coffers.connectors.exchange.rights_told import is_untold
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from coffers.logs import seldom

RightsReader = Callable[[VenueSession], Awaitable[KeyRights]]
"""Asks one venue what the session's key may do; raises `ConnectorFailure`."""

_log = seldom("coffers.connectors")


async def read_rights(session: VenueSession) -> KeyRights:
    """Return what the session's key may do, `UNKNOWN_RIGHTS` where the venue does not tell.

    A venue that answers, but does not tell this key (one of a sub-account, one without the right
    to ask), leaves the rights unknown: that the key reads is then for the reading to prove.

    Raises:
        ConnectorFailure: when the venue refused the key or gave no usable answer.
    """
    reader = READERS.get(session.venue.id)
    if reader is None:
        return UNKNOWN_RIGHTS
    try:
        return await reader(session)
    except ConnectorFailure as failure:
        if not is_untold(failure):
            raise
        _log.info("rights not told", venue=session.venue.id, reason=str(failure))
        return UNKNOWN_RIGHTS


READERS: Mapping[str, RightsReader] = {
    # Binance.US has no such call: its keys' rights stay unknown.
    "binance": rights_readers.binance,
    "binanceusdm": rights_readers.binance,
    "binancecoinm": rights_readers.binance,
    "bingx": rights_readers.bingx,
    "bitfinex": rights_readers.bitfinex,
    "bitget": rights_readers.bitget,
    "bybit": rights_readers.bybit,
    "bybiteu": rights_readers.bybit,
    "bybitid": rights_readers.bybit,
    "coinbase": rights_readers.coinbase,
    "deribit": rights_readers.deribit,
    "gate": rights_readers.gate,
    "gateeu": rights_readers.gate,
    "htx": rights_readers.htx,
    "kraken": rights_readers.kraken,
    "kucoin": rights_readers.kucoin,
    "kucoinfutures": rights_readers.kucoin,
    "myokx": rights_readers.okx,
    "okx": rights_readers.okx,
    "okxus": rights_readers.okx,
}
"""The venues that tell, by ccxt id."""
