"""Each venue's answer: keys that trade, withdraw or expire, and fields of another shape."""

from typing import Any

import pytest

from coffers.clock import DAY, from_iso
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from factories import NOW
from unit.connectors.exchange.rights_bodies import body, rights_of, told

ODD: list[Any] = [None, 7, {}, [7], "", True]

SOON = NOW + 3 * DAY
SECOND = NOW // 1000


async def binance(**changes: Any) -> KeyRights:
    return await rights_of("binance", {**body("binance"), **changes})


async def test_binance_withdraws() -> None:
    assert (await binance(enableWithdrawals=True)).withdraw is True


@pytest.mark.parametrize("right", ["enableSpotAndMarginTrading", "enableMargin", "enableFutures"])
async def test_binance_any_right_to_trade_is_one(right: str) -> None:
    assert (await binance(**{right: True})).trade is True


async def test_binance_a_right_to_trade_that_runs_out_is_the_keys_expiry() -> None:
    rights = await binance(enableSpotAndMarginTrading=True, tradingAuthorityExpirationTime=SOON)
    assert (rights.trade, rights.expires_at) == (True, SOON)


async def test_binance_a_right_to_trade_that_has_run_out_leaves_a_readable_key() -> None:
    rights = await binance(enableSpotAndMarginTrading=True, tradingAuthorityExpirationTime=NOW - 1)
    assert (rights.read, rights.trade, rights.expires_at) == (True, False, None)


async def test_binance_what_is_not_told_is_unknown() -> None:
    assert await rights_of("binance", {"enableReading": True}) == KeyRights(read=True)


async def test_binance_without_the_flag_of_reading_it_is_another_answer() -> None:
    with pytest.raises(Exception, match="does not tell what the key may do"):
        await rights_of("binance", {"enableReading": "yes"})


@pytest.mark.parametrize(
    ("numbers", "rights"),
    [
        ([1, 2], (True, True, False)),
        ([2, 3], (True, True, False)),
        ([2, 4, 7], (True, False, False)),
        ([2, 5], (True, False, True)),
        ([1], (False, True, False)),
        ([2, 6], (True, None, None)),
        ("2", (None, None, None)),
    ],
)
async def test_bingx_numbers_mean_rights(numbers: Any, rights: Any) -> None:
    found = await told("bingx", "data", permissions=numbers)
    assert (found.read, found.trade, found.withdraw) == rights


async def test_bingx_an_answer_without_an_envelope_is_read_too() -> None:
    assert await rights_of("bingx", body("bingx")["data"]) == await rights_of("bingx")


@pytest.mark.parametrize(
    ("scope", "rights"),
    [
        ("orders", (True, True, False)),
        ("funding", (True, True, False)),
        ("settings", (True, False, False)),
        ("withdraw", (True, False, True)),
        ("ui_withdraw", (True, False, True)),
        ("moonshots", (True, None, None)),
    ],
)
async def test_bitfinex_scopes_that_may_be_written(scope: str, rights: Any) -> None:
    rows = [row for row in body("bitfinex") if row[0] != scope]
    found = await rights_of("bitfinex", [*rows, [scope, 1, 1]])
    assert (found.read, found.trade, found.withdraw) == rights


@pytest.mark.parametrize("row", [["orders"], ["orders", 1], ["orders", 1, 2], "orders", None])
async def test_bitfinex_a_row_of_another_shape_leaves_all_unknown(row: Any) -> None:
    assert await rights_of("bitfinex", [*body("bitfinex"), row]) == UNKNOWN_RIGHTS


@pytest.mark.parametrize(
    ("authorities", "rights"),
    [
        (["readonly"], (True, False, False)),
        (["trade", "readonly"], (True, True, False)),
        (["coow", "cpow", "stow", "smow"], (True, True, False)),
        (["stor", "wtow"], (True, False, False)),
        (["stor", "wwow"], (True, False, True)),
        (["stor", "zzow"], (True, None, None)),
        ([], (None, None, None)),
        ("trade", (None, None, None)),
    ],
)
async def test_bitget_authorities(authorities: Any, rights: Any) -> None:
    found = await told("bitget", "data", authorities=authorities)
    assert (found.read, found.trade, found.withdraw) == rights


async def test_bitget_no_list_of_addresses() -> None:
    assert (await told("bitget", "data", ips="")).address_restricted is False


async def test_bybit_a_writing_key_may_what_its_groups_permit() -> None:
    rights = await told("bybit", "result", readOnly=0)
    assert (rights.read, rights.trade, rights.withdraw) == (True, True, False)


async def test_bybit_withdraws() -> None:
    groups = {"Spot": [], "Wallet": ["AccountTransfer", "Withdraw"]}
    rights = await told("bybit", "result", readOnly=0, permissions=groups)
    assert (rights.trade, rights.withdraw) == (False, True)


async def test_bybit_a_reading_key_does_neither_whatever_its_groups_permit() -> None:
    rights = await told("bybit", "result", permissions={"Wallet": ["Withdraw"]})
    assert (rights.trade, rights.withdraw) == (False, False)


@pytest.mark.parametrize(
    "groups",
    [{"Wallet": ["Teleport"]}, {"Moonshots": ["Order"]}, {"Wallet": "Withdraw"}, {}, [], None],
)
async def test_bybit_groups_of_another_shape_leave_unknown_what_they_may_mean(groups: Any) -> None:
    rights = await told("bybit", "result", readOnly=0, permissions=groups)
    assert (rights.read, rights.trade, rights.withdraw) == (True, None, None)


@pytest.mark.parametrize("value", [None, 2, "1", ""])
async def test_bybit_without_knowing_whether_it_writes_all_is_unknown(value: Any) -> None:
    rights = await told("bybit", "result", readOnly=value)
    assert (rights.read, rights.trade, rights.withdraw) == (None, None, None)


async def test_bybit_expires() -> None:
    moment = "2026-05-01T03:21:05Z"
    rights = await told("bybit", "result", ips=["*"], deadlineDay=83, expiredAt=moment)
    assert (rights.address_restricted, rights.expires_at) == (False, from_iso(moment))


async def test_bybit_a_third_partys_key_may_be_bound_elsewhere() -> None:
    assert (await told("bybit", "result", type=2, ips=["*"])).address_restricted is None
    assert (await told("bybit", "result", type=2)).address_restricted is True
    assert (await told("bybit", "result", ips=None)).address_restricted is None


async def test_coinbase_trades_and_transfers() -> None:
    rights = await told("coinbase", can_trade=True, can_transfer=True)
    assert rights == KeyRights(read=True, trade=True, withdraw=True)


@pytest.mark.parametrize("value", ["true", 1, None])
async def test_coinbase_what_is_no_flag_is_unknown(value: Any) -> None:
    rights = await told("coinbase", can_view=value, can_transfer=value)
    assert rights == KeyRights(read=None, trade=False, withdraw=None)


@pytest.mark.parametrize(
    ("permissions", "rights"),
    [
        (["query-funds", "modify-trades"], (True, True, False)),
        (["query-funds", "close-trades"], (True, True, False)),
        (["query-funds", "withdraw-funds"], (True, False, True)),
        (["query-ledger"], (False, False, False)),
        ([], (False, False, False)),
        (["query-funds", "fly"], (True, None, None)),
        (["query-funds", 7], (None, None, None)),
        (None, (None, None, None)),
    ],
)
async def test_kraken_permissions(permissions: Any, rights: Any) -> None:
    found = await told("kraken", "result", permissions=permissions)
    assert (found.read, found.trade, found.withdraw) == rights


async def test_kraken_expires() -> None:
    rights = await told("kraken", "result", validUntil=str(SECOND), ipAllowlist=[])
    assert (rights.address_restricted, rights.expires_at) == (False, SECOND * 1000)


@pytest.mark.parametrize(
    ("permission", "rights"),
    [
        ("General, Spot", (True, True, False)),
        ("General,Futures,InnerTransfer,FlexTransfers,Earn", (True, True, False)),
        ("General,Withdrawal", (True, False, True)),
        ("General, Spot, InnerTransfer, Transfer", (True, True, None)),
        ("", (None, None, None)),
        (["General"], (None, None, None)),
    ],
)
async def test_kucoin_permissions(permission: Any, rights: Any) -> None:
    found = await told("kucoin", "data", permission=permission)
    assert (found.read, found.trade, found.withdraw) == rights


async def test_kucoin_expires() -> None:
    assert (await told("kucoin", "data", expiredAt=SOON)).expires_at == SOON


async def test_kucoin_addresses_that_are_not_told() -> None:
    assert (await told("kucoin", "data", ipWhitelist=None)).address_restricted is None


@pytest.mark.parametrize(
    ("perm", "rights"),
    [
        ("read_only,trade", (True, True, False)),
        ("read_only,trade,withdraw", (True, True, True)),
        ("read_only,lend", (True, None, None)),
        ("", (None, None, None)),
        (None, (None, None, None)),
    ],
)
async def test_okx_permissions(perm: Any, rights: Any) -> None:
    found = await told("okx", "data", "0", perm=perm)
    assert (found.read, found.trade, found.withdraw) == rights


async def test_okx_no_bound_address() -> None:
    assert (await told("okx", "data", "0", ip="")).address_restricted is False


_FIELDS = [
    ("bingx", ("data",), ["permissions", "ipAddresses"]),
    ("bitget", ("data",), ["authorities", "ips"]),
    ("bybit", ("result",), ["readOnly", "permissions", "ips"]),
    ("deribit", ("result", "1"), ["max_scope", "ip_whitelist"]),
    ("kraken", ("result",), ["permissions", "ipAllowlist"]),
    ("kucoin", ("data",), ["permission", "ipWhitelist"]),
    ("okx", ("data", "0"), ["perm", "ip"]),
]


@pytest.mark.parametrize(("venue", "path", "fields"), _FIELDS)
@pytest.mark.parametrize("odd", ODD)
async def test_fields_of_another_shape_never_break_a_reading_nor_add_a_right(
    venue: str, path: tuple[str, ...], fields: list[str], odd: Any
) -> None:
    for field in fields:
        rights = await told(venue, *path, **{field: odd})
        assert rights.trade is not True
        assert rights.withdraw is not True
