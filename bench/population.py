"""A made-up population of users of realistic shape, the same rows for the same seed.

A user has 1 to 500 accounts, most of them one or two; an account 3 to 60 positions, most of them
few. Every user's rows are made of the seed and the user's number alone, so that they can be made
in portions, and a broken-off run can go on.

The three probe users come first. What they have is the same whatever else there is, so that what
is measured with them is alike at every size.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from bench.seed import PRICED, asset

from coffers.clock import DAY, HOUR, MINUTE, Millis
from coffers.store.account_rows import new_columns
from coffers.store.records import NewAccount
from coffers.store.rollups import DAILY, HOURLY

PROBES = {1: 1, 2: 20, 3: 100}
"""The probe users: their ids, with how many accounts each has."""

MOST_ACCOUNTS = 500
FEWEST_POSITIONS, MOST_POSITIONS = 3, 60
TEMPLATES = 2_048
"""Sets of positions that accounts have; each is one account's, or many accounts'."""

TOKENS = 2_000
"""Tokens without a price that wallets hold."""

Row = tuple[Any, ...]
Rows = dict[str, list[Row]]
"""Rows by the name of their table, in the order of `COLUMNS`."""

_EXCHANGES = ("binance", "binance", "binance", "bybit", "okx", "kraken", "coinbase", "kucoin")
_WALLETS = ("ethereum", "bitcoin", "solana", "arbitrum", "tron")
_SHARE_OF_WALLETS = 0.3
_ACCOUNT = (*new_columns(0, NewAccount(0, "", ""), None, "", Millis(0)), "lock_reason")
_HISTORY = ("user_id", "account_id", "began_at", "known_since", "ends_at", "is_complete")
_STATE = ("has_gaps", "steps", "failures", "next_at")

COLUMNS: dict[str, tuple[str, ...]] = {
    "users": (
        *("id", "name", "mode", "display_currency", "version", "created_at", "locale"),
        "last_event",
    ),
    "api_tokens": (
        *("user_id", "id", "api_key", "kind", "rsa_public_key", "permissions"),
        *("allowed_networks", "require_timestamp", "created_at"),
    ),
    "accounts": _ACCOUNT,
    "credentials": ("user_id", "account_id", "key_id", "blob"),
    "positions": (
        *("user_id", "account_id", "wallet", "asset", "venue_code"),
        *("free", "in_orders", "borrowed", "interest"),
    ),
    "flows": (
        *("user_id", "account_id", "direction", "external_id", "asset", "venue_code"),
        *("amount", "fee", "fee_asset", "at", "btc", "usd"),
    ),
    "snapshots": ("user_id", "account_id", "at", "btc", "usd", "tier"),
    "flow_histories": (*_HISTORY, *_STATE),
    "trade_histories": (
        *("user_id", "account_id", "known_since", "known_until", "is_complete", "is_untold"),
        *("look_at", *_STATE),
    ),
    "auto_balances": ("user_id", "account_id", "next_at", "failures", "prices"),
    "webhooks": (
        *("user_id", "id", "url", "kinds", "mode", "key_id", "blob", "is_active", "enqueued_to"),
        *("numbered", "failures", "created_at", "updated_at"),
    ),
    "events": ("user_id", "number", "kind", "account_id", "mode", "at", "body"),
}
"""What is written of each table; the rest has its default."""


@dataclass(frozen=True, slots=True)
class Population:
    """What all is made of: the seed, the present moment, and how many snapshots an account has.

    `key_id` names the master key that the made-up credentials pretend to be sealed under.
    """

    now: Millis
    snapshots: int
    key_id: str
    seed: int = 1
    _templates: tuple[tuple[Row, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the sets of positions."""
        made = tuple(self._template(number) for number in range(TEMPLATES))
        object.__setattr__(self, "_templates", made)

    def accounts_of(self, user_id: int) -> int:
        """Return how many accounts a user has."""
        if user_id in PROBES:
            return PROBES[user_id]
        size = self._random(user_id, "size").paretovariate(1.15)
        return min(int(size), MOST_ACCOUNTS)

    def user(self, user_id: int, first_account: int, accounts: int, rows: Rows) -> None:
        """Add the rows of a user, whose accounts are numbered from `first_account` on."""
        chance = self._random(user_id, "rows")
        name = f"probe-{accounts}" if user_id in PROBES else f"user-{user_id}"
        began = self.now - chance.randrange(60, 700) * DAY
        rows["users"].append((user_id, name, "real", "USD", 1, began, "en", 2 * accounts))
        rows["api_tokens"].append(
            (user_id, user_id, f"made-up-{user_id:024}", "rsa", "-", "accounts_read", "", 0, began)
        )
        if user_id not in PROBES and chance.random() < 0.02:  # noqa: PLR2004 - one in fifty
            rows["webhooks"].append(self._webhook(user_id, 2 * accounts, began))
        for place in range(accounts):
            self._account(chance, user_id, first_account + place, began, rows)
            for number in (2 * place + 1, 2 * place + 2):
                at = self.now - chance.randrange(29 * DAY)
                event = (user_id, number, "balances_changed", first_account + place, "real")
                rows["events"].append((*event, at, '{"assets":["BTC"]}'))

    def _account(
        self, chance: random.Random, user_id: int, account_id: int, began: int, rows: Rows
    ) -> None:
        is_probe = user_id in PROBES
        is_wallet = not is_probe and chance.random() < _SHARE_OF_WALLETS
        own = (user_id, account_id)
        state = self._accounts_state(chance, is_probe=is_probe)
        market = chance.choice(_WALLETS if is_wallet else _EXCHANGES)
        rows["accounts"].append(self._account_row(own, market, began, state))
        rows["credentials"].append((*own, self.key_id, chance.randbytes(180)))
        template = chance.randrange(TEMPLATES // 2) + is_wallet * (TEMPLATES // 2)
        rows["positions"].extend(own + held for held in self._templates[template])
        snapshots = ROLLED_UP if is_probe else _some(self.snapshots)
        worth = chance.randrange(10**9)
        rows["snapshots"].extend(
            (
                *own,
                self.now - ago,
                f"1.{worth + place:010}",
                f"98{place % 997}.{worth}4321",
                sum(ago >= tier.age for tier in (HOURLY, DAILY)),
            )
            for place, ago in enumerate(snapshots)
        )
        for number in range(3 if is_probe else min(int(chance.expovariate(0.3)), 30)):
            rows["flows"].append(self._flow(chance, own, number, is_probe=is_probe))
        self._walks(chance, own, began, rows, is_wallet=is_wallet, is_probe=is_probe)

    def _accounts_state(self, chance: random.Random, *, is_probe: bool) -> dict[str, object]:
        """Return what differs from an account that was just connected; nothing is due."""
        later = self.now + DAY + chance.randrange(6 * HOUR)
        read: dict[str, object] = {
            "read_at": self.now - MINUTE,
            "next_sync_at": later,
            "flows_until": self.now,
        }
        fate = chance.random()
        if is_probe or fate > 0.03:  # noqa: PLR2004 - of a hundred accounts three are in trouble
            return read
        failing = {"failures": 5, "failure_kind": "unreachable", "failure_message": "no answer"}
        locked = {"is_locked": True, "lock_reason": "invalid_api_key", "key_state": "expired"}
        return {**read, **failing, **(locked if fate < 0.01 else {})}  # noqa: PLR2004 - one of them

    def _account_row(
        self, own: tuple[int, int], market: str, began: int, state: dict[str, object]
    ) -> Row:
        user_id, account_id = own
        key = f"made-up-{account_id:032}"
        new = NewAccount(user_id, market, f"Account {account_id}", api_key=key)
        fresh = new_columns(account_id, new, key, key, Millis(began))
        columns = {**fresh, "missing_wallets": "[]", "lock_reason": None, **state}
        return tuple(columns[name] for name in _ACCOUNT)

    def _flow(
        self, chance: random.Random, own: tuple[int, int], number: int, *, is_probe: bool
    ) -> Row:
        days = (0, 3, 20)[number] if is_probe else chance.randrange(700)
        code = asset(chance.randrange(PRICED))
        at = self.now - days * DAY - HOUR
        return (*own, "in", str(number), code, code, "3.25", "0", code, at, "0.001", "100.5")

    def _walks(
        self,
        chance: random.Random,
        own: tuple[int, int],
        began: int,
        rows: Rows,
        *,
        is_wallet: bool,
        is_probe: bool,
    ) -> None:
        """Add the walks: of a hundred one is not at its end yet, none may go on now."""
        later = self.now + DAY + chance.randrange(6 * HOUR)
        is_open = not is_probe and chance.random() < 0.01  # noqa: PLR2004 - one in a hundred
        state = (0, 9, 0, later if is_open else None)
        flows = (*own, began, began - 300 * DAY, None, int(not is_open))
        rows["flow_histories"].append((*flows, *state))
        if not is_wallet:
            trades = (*own, began, self.now, 1, 0, later)
            rows["trade_histories"].append((*trades, 0, 9, 0, later))
        if not is_probe and chance.random() < 0.02:  # noqa: PLR2004 - one in fifty
            rows["auto_balances"].append((*own, later, 0, '{"BTC":"100000"}'))

    def _webhook(self, user_id: int, events: int, began: int) -> Row:
        where = (user_id, user_id, f"https://example.com/{user_id}", "[]", "real")
        return (*where, self.key_id, b"\x00" * 80, 1, events, 0, 0, began, began)

    def _template(self, number: int) -> tuple[Row, ...]:
        """Return positions: of the first half of the sets priced ones, of the others tokens too."""
        chance = self._random(number, "template")
        count = FEWEST_POSITIONS + int(2 * (chance.paretovariate(0.8) - 1))
        codes: dict[str, None] = {}
        while len(codes) < min(count, MOST_POSITIONS):
            # Few assets are held by nearly all, most by few.
            code = asset(int(PRICED * chance.random() ** 3))
            if number >= TEMPLATES // 2 and chance.random() < 0.3:  # noqa: PLR2004 - of wallets
                code = f"ethereum:0x{chance.randrange(TOKENS):040x}"
            codes[code] = None
        return tuple(_position(chance, code) for code in codes)

    def _random(self, number: int, what: str) -> random.Random:
        return random.Random(f"{self.seed} {what} {number}")  # noqa: S311 - made-up data


def _position(chance: random.Random, code: str) -> Row:
    free, in_orders = f"{chance.randrange(97)}.{chance.randrange(10**8):08}", chance.randrange(89)
    return ("spot", code, code, free, f"0.{in_orders:02}", "0", "0")


def _rolled_up() -> tuple[int, ...]:
    """Return how long ago the snapshots were that are kept of a year, once rolled up."""
    minutes = [5 * MINUTE * step for step in range(2 * DAY // (5 * MINUTE))]
    hours = [2 * DAY + HOUR * step for step in range(58 * DAY // HOUR)]
    days = [60 * DAY + DAY * step for step in range(305)]
    return (*minutes, *hours, *days)


ROLLED_UP = _rolled_up()


@cache
def _some(count: int) -> tuple[int, ...]:
    """Return so many of them, evenly: the newest and older ones."""
    count = min(count, len(ROLLED_UP))
    return tuple(ROLLED_UP[place * len(ROLLED_UP) // count] for place in range(count))


def portions(
    population: Population, accounts: int, size: int, done: tuple[int, int] = (0, 0)
) -> Iterator[tuple[Rows, int, int]]:
    """Make the rows of so many accounts, in portions of about `size`.

    `done` are the last user and the last account that there are already. Yields the rows, with
    the last user and account that they reach.
    """
    user_id, account_id = done
    while account_id < accounts:
        rows: Rows = {name: [] for name in COLUMNS}
        first = account_id
        while account_id < accounts and account_id - first < size:
            user_id += 1
            count = min(population.accounts_of(user_id), accounts - account_id)
            population.user(user_id, account_id + 1, count, rows)
            account_id += count
        yield rows, user_id, account_id
