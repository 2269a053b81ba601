"""One reader a venue: which call tells what a key may do, and how its answer is written.

Each reader names the page of the venue's documents that it follows.
"""

from collections.abc import Mapping
from dataclasses import replace

from coffers.clock import DAY, Millis
from coffers.connectors.exchange import rights_words
from coffers.connectors.exchange.rights_told import (
    flag,
    instant,
    is_untold,
    listed,
    millis,
    no_rights,
    only,
    part,
    parted,
    restricted,
    rows,
    seconds,
)
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure
from coffers.keyrights import KeyRights

_BINANCE_TRADING = (
    "enableSpotAndMarginTrading",
    "enableMargin",
    "enableFutures",
    "enableVanillaOptions",
    "enablePortfolioMarginTrading",
    "enableFixApiTrade",
)


async def binance(session: VenueSession) -> KeyRights:
    """Read `GET /sapi/v1/account/apiRestrictions` ("Get API Key Permission").

    A right to trade that has run out leaves a key that can be read: then it is no right any more,
    and the key has no expiry.
    """
    told = await session.ask("sapiGetAccountApiRestrictions")
    if not isinstance(told, Mapping) or flag(told, "enableReading") is None:
        raise no_rights(session)
    expiry = millis(told.get("tradingAuthorityExpirationTime"))
    is_over = expiry is not None and expiry <= session.now()
    return KeyRights(
        read=flag(told, "enableReading"),
        trade=False if is_over else _any(told, _BINANCE_TRADING),
        withdraw=flag(told, "enableWithdrawals"),
        address_restricted=flag(told, "ipRestrict"),
        expires_at=None if is_over else expiry,
    )


def _any(told: Mapping[str, object], names: tuple[str, ...]) -> bool | None:
    flags = [flag(told, name) for name in names]
    if True in flags:
        return True
    return None if flags[0] is None else False


async def bingx(session: VenueSession) -> KeyRights:
    """Read `GET /openApi/v1/account/apiPermissions` ("Query user API Key permissions").

    The page shows no body; other answers of this API stand in a `data` object, so both are read.
    """
    answer = part(session, await session.ask("accountV1PrivateGetAccountApiPermissions"))
    inner = answer.get("data")
    told = inner if isinstance(inner, Mapping) else answer
    if "permissions" not in told:
        raise no_rights(session)
    numbers = told["permissions"]
    words = [str(each) for each in numbers] if isinstance(numbers, list) else None
    rights = rights_words.BINGX.rights(words)
    return replace(rights, address_restricted=restricted(told.get("ipAddresses")))


async def bitfinex(session: VenueSession) -> KeyRights:
    """Read `POST /v2/auth/r/permissions` ("Key Permissions"): rows of scope, read and write."""
    told = await session.ask("privatePostAuthRPermissions")
    if not isinstance(told, list) or not told:
        raise no_rights(session)
    words: list[str] = []
    for row in told:
        match row:
            case [str(scope), 0 | 1 as may_read, 0 | 1 as may_write, *_]:
                words += [f"{scope}:read"] * may_read + [f"{scope}:write"] * may_write
            case _:
                return KeyRights()
    return rights_words.BITFINEX.rights(words)


_UNIFIED_ACCOUNT = "40085"
"""Bitget's code for a unified account that is asked as a classic one."""


async def bitget(session: VenueSession) -> KeyRights:
    """Read `GET /api/v2/spot/account/info` ("Get Account Information").

    A unified account's key is refused there: of it `GET /api/v3/account/info` tells.
    """
    try:
        answer = await session.ask("privateSpotGetV2SpotAccountInfo")
    except ConnectorFailure as failure:
        if failure.code != _UNIFIED_ACCOUNT:
            raise
        return await _bitget_unified(session)
    told = part(session, answer, "data")
    rights = rights_words.BITGET.rights(listed(told.get("authorities")) or None)
    return replace(rights, address_restricted=restricted(told.get("ips")))


async def _bitget_unified(session: VenueSession) -> KeyRights:
    """Read `GET /api/v3/account/info` ("Get Account Info"): fields, and whether to write."""
    told = part(session, await session.ask("privateUtaGetV3AccountInfo"), "data")
    rights = rights_words.BITGET_UNIFIED.rights(listed(told.get("permissions")) or None)
    # The page has hyphens, answers have been seen with underscores.
    match str(told.get("permType")).replace("_", "-"):
        case "read-and-write":
            pass
        case "read-only":
            rights = replace(rights, trade=False, withdraw=False)
        case _:
            rights = KeyRights(read=rights.read)
    return replace(rights, address_restricted=restricted(told.get("ips")))


_PERSONAL = 1


async def bybit(session: VenueSession) -> KeyRights:
    """Read `GET /v5/user/query-api` ("Get API Key Information").

    A key of a third party's application is bound to addresses that this answer leaves out.
    """
    told = part(session, await session.ask("privateGetV5UserQueryApi"), "result")
    is_personal, is_restricted = told.get("type") == _PERSONAL, restricted(told.get("ips"))
    return replace(
        _bybit_rights(told),
        address_restricted=is_restricted if is_personal or is_restricted else None,
        expires_at=instant(told.get("expiredAt")),
    )


def _bybit_rights(told: Mapping[str, object]) -> KeyRights:
    match told.get("readOnly"):
        case 1:
            return KeyRights(read=True, trade=False, withdraw=False)
        case 0:
            return replace(
                rights_words.BYBIT.rights(_bybit_words(told.get("permissions"))), read=True
            )
    return KeyRights()


def _bybit_words(groups: object) -> list[str] | None:
    """Return the groups in which anything is permitted; of the wallet, what is permitted."""
    if not isinstance(groups, Mapping) or not groups:
        return None
    words: list[str] = []
    for group, value in groups.items():
        permitted = listed(value)
        if permitted is None:
            return None
        words += permitted if group == "Wallet" else [str(group)] * bool(permitted)
    return words


async def coinbase(session: VenueSession) -> KeyRights:
    """Read `GET /api/v3/brokerage/key_permissions` ("Get API Key Permissions").

    What may transfer may send coins away, so that is the right to withdraw.
    """
    told = part(session, await session.ask("v3PrivateGetBrokerageKeyPermissions"))
    if "can_view" not in told:
        raise no_rights(session)
    return KeyRights(
        read=flag(told, "can_view"),
        trade=flag(told, "can_trade"),
        withdraw=flag(told, "can_transfer"),
    )


async def deribit(session: VenueSession) -> KeyRights:
    """Read `GET /private/list_api_keys`, the one of all keys that is asking.

    A scope that is left out is none. With security keys the account needs a second factor for
    this call: then it is refused.
    """
    told = rows(session, await session.ask("privateGetListApiKeys"), "result")
    own = only(told, lambda each: each.get("client_id") == session.exchange.apiKey)
    rights = rights_words.DERIBIT.rights(parted(own.get("max_scope"), None))
    return replace(rights, address_restricted=restricted(own.get("ip_whitelist")))


_GATE_SHOWN = 8
"""Characters of a masked key from which it is told apart from others."""


async def gate(session: VenueSession) -> KeyRights:
    """Read `GET /account/detail` and `GET /account/main_keys` ("Query All Main Account Key ...").

    The first tells this key's addresses, the second the rights of all keys of the main account,
    whose ends are masked. The documented names have none for withdrawing, so that it is missing
    says nothing.
    """
    told = part(session, await session.ask("privateAccountGetDetail"))
    if "ip_whitelist" not in told and "user_id" not in told:
        raise no_rights(session)
    rights = rights_words.GATE.rights(await _gate_words(session))
    return replace(
        rights,
        withdraw=rights.withdraw or None,
        address_restricted=restricted(told.get("ip_whitelist")),
    )


async def _gate_words(session: VenueSession) -> list[str] | None:
    try:
        keys = await session.ask("privateAccountGetMainKeys")
    except ConnectorFailure as failure:
        if not is_untold(failure):
            raise
        return None
    own = only(keys if isinstance(keys, list) else [keys], lambda each: _is_masked(session, each))
    named = own.get("perms")
    if not isinstance(named, list) or not named:
        return None
    return [_gate_word(each) for each in named]


def _is_masked(session: VenueSession, entry: Mapping[str, object]) -> bool:
    key = entry.get("key")
    shown = key.rstrip("*") if isinstance(key, str) else ""
    return len(shown) >= _GATE_SHOWN and str(session.exchange.apiKey).startswith(shown)


def _gate_word(named: object) -> str:
    match named:
        case {"name": str(name), "read_only": bool(is_read_only)}:
            return f"{name}:read" if is_read_only else f"{name}:write"
    return "unreadable"


_HTX_SUCCESS = 200


async def htx(session: VenueSession) -> KeyRights:
    """Read `GET /v2/user/api-key` ("API key query") for the own `GET /v2/user/uid`.

    Only keys of a main account may ask; ccxt takes the refusal for an answer. `validDays` are
    whole days that are left.
    """
    uid = part(session, await session.ask("v2PrivateGetUserUid")).get("data")
    if not isinstance(uid, int):
        raise no_rights(session)
    asked = {"uid": uid, "accessKey": session.exchange.apiKey}
    match await session.ask("v2PrivateGetUserApiKey", asked):
        case {"code": int(code), "message": str()} if code != _HTX_SUCCESS:
            return KeyRights()
        case answer:
            told = rows(session, answer, "data")
    own = only(told, lambda each: each.get("accessKey") == session.exchange.apiKey)
    return replace(
        rights_words.HTX.rights(parted(own.get("permission"))),
        address_restricted=restricted(own.get("ipAddresses")),
        expires_at=_end_of_day(session, own.get("validDays")),
    )


def _end_of_day(session: VenueSession, days: object) -> Millis | None:
    """Return the end of the day that is so many after this one: it stays put as days go by."""
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        return None
    today = session.now() // DAY
    return millis((today + days + 1) * DAY)


async def kraken(session: VenueSession) -> KeyRights:
    """Read `POST /0/private/GetApiKeyInfo` ("Get API Key Info"); any key may ask."""
    told = part(session, await session.ask("privatePostGetApiKeyInfo"), "result")
    return replace(
        rights_words.KRAKEN.rights(listed(told.get("permissions"))),
        address_restricted=restricted(told.get("ipAllowlist")),
        expires_at=seconds(told.get("validUntil")),
    )


async def kucoin(session: VenueSession) -> KeyRights:
    """Read `GET /api/v1/user/api-key` ("Get Apikey Info")."""
    told = part(session, await session.ask("privateGetUserApiKey"), "data")
    return replace(
        rights_words.KUCOIN.rights(parted(told.get("permission"))),
        address_restricted=restricted(told.get("ipWhitelist")),
        expires_at=millis(told.get("expiredAt")),
    )


async def okx(session: VenueSession) -> KeyRights:
    """Read `GET /api/v5/account/config` ("Get account configuration")."""
    told = part(session, await session.ask("privateGetAccountConfig"), "data", "0")
    rights = rights_words.OKX.rights(parted(told.get("perm")))
    return replace(rights, address_restricted=restricted(told.get("ip")))
