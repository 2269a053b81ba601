"""What a venue tells to a key: its currencies' networks, deposit addresses, the most leverage.

Networks, though most tell them to a key only, are the same for everybody; nothing of the account is
kept of that answer.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.listing import flag_of, number_of, positive_number
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.pairs import DepositAddress, Network, VenueCurrency

_Row = Mapping[str, Any]

_UNTOLD = "untold"
"""The code of a failure of a venue that does not tell what is asked, to any key."""


async def read_currencies(session: VenueSession) -> list[VenueCurrency]:
    """Return a venue's currencies with their networks, asked with the session's key.

    Raises:
        ConnectorFailure: of kind `UNSUPPORTED` where the venue does not tell them; when it gave no
            usable answer.
    """
    if not session.can("fetchCurrencies"):
        raise _untold(session, "its currencies' networks")
    # Readings do without it, where the venue would be asked for it each time.
    if "fetchCurrencies" in session.exchange.options:
        session.exchange.options["fetchCurrencies"] = _enabled(session.exchange.options)
    found = currencies_of(await session.ask("fetch_currencies"))
    if not found:
        raise unexpected(session.venue, "it tells no currency's networks", "no_networks")
    return found


def currencies_of(told: Mapping[str, _Row] | None) -> list[VenueCurrency]:
    """Return those of ccxt's currencies of which more is told than a name, by their names."""
    found = [_currency(code, row) for code, row in (told or {}).items() if row]
    told_of = [each for each in found if each.networks or each.deposits is not None]
    return sorted(told_of, key=lambda each: each.code)


async def deposit_address(
    session: VenueSession, currency: str, network: str | None
) -> DepositAddress:
    """Return where the session's account takes deposits of a currency, by ccxt's names.

    Raises:
        ConnectorFailure: when the venue refused to tell, or gave no usable answer.
    """
    params = {} if network is None else {"network": network}
    if session.can("fetchDepositAddress"):
        row = await session.ask("fetch_deposit_address", currency, params)
    elif session.can("fetchDepositAddressesByNetwork"):
        rows = await session.ask("fetch_deposit_addresses_by_network", currency)
        row = rows.get(network) or {}
    else:
        raise _untold(session, "deposit addresses")
    address = row.get("address")
    if not isinstance(address, str) or not address:
        raise unexpected(session.venue, "it names no address", "no_address")
    return DepositAddress(address, str(row.get("tag") or ""))


async def max_leverage(session: VenueSession, symbol: str) -> Decimal | None:
    """Return the most leverage of a contract, that of its smallest positions; None where untold.

    Raises:
        ConnectorFailure: when the venue refused to tell, or gave no usable answer.
    """
    if not session.can("fetchMarketLeverageTiers"):
        return None
    tiers = await session.ask("fetch_market_leverage_tiers", symbol)
    told = [positive_number(tier.get("maxLeverage")) for tier in tiers]
    return max((leverage for leverage in told if leverage is not None), default=None)


def _enabled(options: Mapping[str, Any]) -> object:
    """Return the option that lets ccxt ask, which is a table of other options at some venues."""
    told = options["fetchCurrencies"]
    return told if isinstance(told, Mapping) else True


def _untold(session: VenueSession, what: str) -> ConnectorFailure:
    message = f"{session.venue.name} does not tell {what} through the exchange library."
    return ConnectorFailure(FailureKind.UNSUPPORTED, message, code=_UNTOLD)


def _currency(code: str, row: _Row) -> VenueCurrency:
    networks = [_network(own, each) for own, each in (row.get("networks") or {}).items() if each]
    return VenueCurrency(
        code=code,
        venue_code=str(row.get("id") or code),
        name=_text(row.get("name")),
        deposits=_any(flag_of(row.get("deposit")), [each.deposits for each in networks]),
        withdrawals=_any(flag_of(row.get("withdraw")), [each.withdrawals for each in networks]),
        networks=tuple(sorted(networks, key=lambda each: each.code)),
    )


def _network(code: str, row: _Row) -> Network:
    withdraw = (row.get("limits") or {}).get("withdraw") or {}
    info = row.get("info")
    own: _Row = info if isinstance(info, Mapping) else {}
    return Network(
        code=str(row.get("id") or code),
        library_code=code,
        # Binance tells these, and who speaks its dialect.
        name=_text(own.get("name")) or _text(own.get("chainName")),
        is_default=flag_of(own.get("isDefault")),
        deposits=flag_of(row.get("deposit")),
        withdrawals=flag_of(row.get("withdraw")),
        fee=number_of(row.get("fee")),
        min_withdrawal=number_of(withdraw.get("min")),
        max_withdrawal=number_of(withdraw.get("max")),
        withdrawal_step=number_of(row.get("precision")),
        deposit_note=_text(own.get("depositDesc")),
        withdrawal_note=_text(own.get("withdrawDesc")),
        note=_text(own.get("specialTips")),
        address_form=_text(own.get("addressRegex")),
        tag_form=_text(own.get("memoRegex")),
    )


def _any(told: bool | None, of_networks: list[bool | None]) -> bool | None:
    """Return what is said of a currency, or else whether any of its networks allows it."""
    if told is not None:
        return told
    if any(of_networks):
        return True
    return False if of_networks and all(each is False for each in of_networks) else None


def _text(told: object) -> str | None:
    return told if isinstance(told, str) else None
