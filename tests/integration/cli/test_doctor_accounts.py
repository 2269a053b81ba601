"""What the doctor says of accounts, on both databases."""

from dataclasses import replace

from coffers.cli.doctor import _accounts
from coffers.clock import DAY, Millis, SystemClock
from coffers.store.engine import Store
from coffers.store.records import AccountStatus
from served import add_account, serving


async def test_accounts_that_could_not_be_read_are_told_by_market(store: Store) -> None:
    async with serving(store) as api:
        account = await add_account(store, (await api.caller()).user)
    later = Millis(SystemClock().now() + DAY)
    for failures, expected in ((0, ""), (3, ", not read at the last try: 1 of binance")):
        async with store.transaction() as tx:
            await tx.accounts.record_status(
                account.user_id,
                account.id,
                AccountStatus(
                    replace(account.sync, failures=failures, next_sync_at=later),
                    "valid",
                    is_locked=False,
                    lock_reason=None,
                ),
                later,
            )
        found = await _accounts(store)
        assert found.said == f"0 locked, 0 overdue{expected}"
        assert found.state == ("warning" if failures else "ok")
