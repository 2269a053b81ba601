"""What is known of single venues, kept as data beside the code: one file a subject.

Rules are found by a venue's family: the ccxt id first, then those of the classes that it derives
from (`myokx` is an `okx`), then `*` for all.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar

import msgspec

Rule = TypeVar("Rule")

EVERY_VENUE = "*"
EVERY_WALLET = "*"


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer whose meaning ccxt's exception class alone gets wrong.

    All that is given must fit: the venue's `code`, a `text` in the answer (lower case), the HTTP
    `status`, and `only` the exceptions of this ccxt class. `says` replaces the kind's sentence.
    """

    kind: str
    code: str | None = None
    text: str | None = None
    status: int | None = None
    only: str | None = None
    says: str | None = None


class FlowRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a venue tells deposits and withdrawals.

    `page` is the most rows that one call returns, `window_days` the longest span of one call and
    `until` the parameter that ends it (None where there is none). `offset` is the parameter that
    counts the rows to leave out, `number` the one that numbers pages from 1. `takes_since` is False
    where ccxt sends the start of a span as something else, `takes_limit` where it sends no limit
    and drops what is above it: `page` is the least that a full answer holds then. `histories` names
    the ccxt calls where those it claims are of no use, and calls of ours (`own_histories`) beside
    them; none at all leaves the flows unknown. `params` are what a history is always asked with.

    `wallets` are those that must have been read for the history to say something, `elsewhere` the
    wallet that a raw field's value stands for. `untold` are currencies whose deposits are in no
    history: where one is held, the flows are unknown. `fiat_orders` says that Binance's call for
    them is there. `since` is the year in which the venue began, or its history does.

    `newest_first` is the raw field of a row's time, in milliseconds or as a text (in UTC where it
    names no offset), where an answer begins with the newest row whatever the start of the span: one
    that ends before the span is not gone on with.

    `coin` is the raw field of a row's currency, where ccxt makes something else of it.

    `undone` are values, by the raw field that holds them, of what is no finished flow, where ccxt
    hands on the venue's own word; `credited` those of deposits that are in the balance already,
    whatever ccxt calls them: most venues let them be traded before they let them be withdrawn.
    """

    page: int
    window_days: int = 90
    until: str | None = None
    offset: str | None = None
    number: str | None = None
    takes_since: bool = True
    takes_limit: bool = True
    histories: list[str] | None = None
    params: dict[str, dict[str, int]] = {}
    wallets: tuple[str, ...] = ("spot",)
    elsewhere: dict[str, dict[str, str]] = {}
    untold: list[str] = []
    fiat_orders: bool = False
    since: int = 2011
    newest_first: str | None = None
    coin: str | None = None
    undone: dict[str, list[str]] = {}
    credited: dict[str, list[str]] = {}


class CredentialRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What reading needs at a venue where that is not what the library declares.

    `fields` are our names of credentials with the library's ("options.x" is one of its options);
    `optional` are those that may be left out. `spared` are credentials that the library asks for
    and that only trading uses.
    """

    fields: dict[str, str]
    optional: dict[str, str] = {}
    spared: tuple[str, ...] = ()


class SymbolRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a venue dresses an asset's name; `term_digits` are those of a bonded term, DOT28.S.

    `bundles` are the marks of contracts on many units ("1000" of 1000SHIB, before or behind the
    name) with how many; `whole` are names that only look so. `dressed` is what the venue's own
    names mean before a suffix, where ccxt does not put its common names in place.
    """

    suffixes: list[str] = []
    prefixes: list[str] = []
    term_digits: int = 0
    aliases: dict[str, str] = {}
    dressed: dict[str, str] = {}
    bundles: dict[str, int] = {}
    whole: list[str] = []


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a venue's own answer holds what ccxt's balance leaves out or merges.

    `paths` lead to the entries: "*" is each of a list, "0" the first, "@" each value of an object,
    whose key is the field "@" then, and a bare value the field "". Every other field is the way to
    one of theirs. `code` names the asset, or else it is always the `asset`. `free` is the first of
    these that is told, `held` the sum of these. With `wallet` (the balance before unrealised
    profit) or `equity` an entry is one of a margined wallet; without `free` and `held` too it tells
    a debt alone. `skip` are values that mark an entry as void, `keep` those without which it is
    one, and `unread` those of a mode in which the amounts mean something else. `also` are further
    entries of the same answer.
    """

    code: str = ""
    asset: str | None = None
    paths: tuple[str, ...] = ("",)
    free: list[str] = []
    held: list[str] = []
    wallet: str | None = None
    equity: str | None = None
    unrealised: str | None = None
    borrowed: str | None = None
    interest: str | None = None
    skip: dict[str, list[str]] = {}
    keep: dict[str, list[str]] = {}
    unread: dict[str, list[str]] = {}
    also: list["Rows"] = []


class ContractRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ccxt's positions leave open: where the answer holds its list, and some fields' names.

    `unified` is where the list is in the answer for an account in unified mode. `leverage` and
    `unrealised` tell that better than the field that ccxt takes; `margin` is the
    initial margin at the mark price, of which the notional value is a whole multiple: the leverage.
    `is_in_units` says that sizes count units, not contracts. `invented` are fields that ccxt fills
    where the venue tells nothing. With `adds_profit` the wallet leaves out what open positions win
    or lose, so that it is taken from here, in the asset that they are settled in.
    """

    path: str = ""
    unified: str | None = None
    leverage: str | None = None
    unrealised: str | None = None
    margin: str | None = None
    is_in_units: bool = False
    invented: list[str] = []
    adds_profit: bool = False


class Mode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that tells an account's mode in one word.

    `address` is the parameter that takes the account's address, `unread` are the words for modes in
    which the wallet's amounts mean something else.
    """

    method: str
    params: dict[str, str]
    address: str
    unread: list[str]


class Wallet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part of a reading: our name of it, and the call with which it is read.

    Without `rows` the amounts are those of ccxt's balance. With several, the first that fits the
    answer counts. With `contracts` it lists open positions. `page` is the parameter that numbers
    an answer's pages from 1 on, each of `size` entries; `hedge` where the answer tells the position
    mode; `mode` is asked first. `is_sparse` says that ccxt lists all currencies of the venue, those
    without an amount in the answer too. `only` are options of the library's, as it sets them when
    it finds out an account's mode with the first part, of the accounts that have this part: one
    that is true or not, or one of some numbers. In others it is empty, and so it is where the venue
    refuses the call with one of the codes in `unopened`: such a wallet was never opened.

    Where deposits arrive in a wallet of their own (OKX, WhiteBIT), that is read with spot:
    else a deposit would be a flow without a rise in value.
    """

    wallet: str
    params: dict[str, str | int | bool] = {}
    method: str = "fetch_balance"
    rows: list[Rows] = []
    contracts: ContractRows | None = None
    page: str | None = None
    hedge: str | None = None
    mode: Mode | None = None
    is_sparse: bool = False
    only: dict[str, bool | list[int]] = {}
    unopened: list[str] = []


class OrderRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a venue takes market orders through ccxt, and tells them again.

    `buys` is what ccxt makes of a purchase: with "base" it sends the amount; with "price" it sends
    what the amount costs at the price that it is given; with "cost" it sends that where it is given
    as the parameter `cost`, which is the venue's own where ccxt would put the amount there. Without
    it nobody knows what would be bought, and nothing is. `takes_none` is why it takes no market
    order of either side.

    `id_param` is how ccxt, or else the venue, calls the client's order id, `id_form` what the venue
    takes as one: the 32 hexadecimal digits that we make, a UUID with its hyphens, "gate" (at most
    28 characters after "t-"), or a number of `id_bits`. `found_by` tells how ccxt looks an order up
    by it: as the parameter `clientOrderId`, in the place of the venue's own id, or in its lists, as
    the parameter `list_param`; without it no request carries an id of ours, and that there is no
    order says nothing. It says nothing either once an order was sent longer ago than
    `told_for_hours`, for which the venue tells by our id what is at its end; None is for ever.

    `depth` is how many levels of an order book are asked for. `params` go with purchases, `options`
    are options of the library's.
    """

    buys: Literal["base", "price", "cost"] | None = None
    cost: str = "cost"
    takes_none: str | None = None
    id_param: str = "clientOrderId"
    id_form: Literal["hex", "uuid", "gate", "number"] = "hex"
    id_bits: int = 53
    found_by: Literal["param", "id", "lists"] | None = None
    list_param: str = "clientOrderId"
    told_for_hours: int | None = None
    depth: int = 100
    params: dict[str, bool] = {}
    options: dict[str, int | dict[str, bool]] = {}


@cache
def refusals() -> dict[str, list[Refusal]]:
    """Return the refusals that need a second look, by venue."""
    return msgspec.json.decode(_data("refusals"), type=dict[str, list[Refusal]])


@cache
def flow_rules() -> dict[str, FlowRule]:
    """Return how flows are paged, by venue."""
    return msgspec.json.decode(_data("flows"), type=dict[str, FlowRule])


def flow_rule(family: Sequence[str]) -> FlowRule:
    """Return how a venue tells its flows."""
    return first(flow_rules(), family) or flow_rules()[EVERY_VENUE]


@cache
def order_rules() -> dict[str, OrderRule]:
    """Return how market orders are placed, by venue."""
    return msgspec.json.decode(_data("orders"), type=dict[str, OrderRule])


def order_rule(family: Sequence[str]) -> OrderRule:
    """Return how a venue takes market orders."""
    return first(order_rules(), family) or OrderRule()


@cache
def credential_rules() -> dict[str, CredentialRule]:
    """Return which credentials reading needs, by venue, where that is not what the library says."""
    return msgspec.json.decode(_data("credentials"), type=dict[str, CredentialRule])


@cache
def symbol_rules() -> dict[str, SymbolRule]:
    """Return how assets are named, by venue."""
    return msgspec.json.decode(_data("symbols"), type=dict[str, SymbolRule])


@cache
def wallets() -> dict[str, dict[str, list[Wallet]]]:
    """Return the parts of each kind of market, by venue and kind or the catalogue's `wallet`."""
    return msgspec.json.decode(_data("wallets"), type=dict[str, dict[str, list[Wallet]]])


@cache
def uncovered() -> dict[str, dict[str, dict[str, str]]]:
    """Return what a reading is known to leave out, by venue, kind as in `wallets`, and name."""
    return msgspec.json.decode(_data("uncovered"), type=dict[str, dict[str, dict[str, str]]])


@cache
def shapes() -> dict[str, dict[str, list[str]]]:
    """Return where a balance answer holds its amounts, as `path:type`, by venue and wallet."""
    return msgspec.json.decode(_data("shapes"), type=dict[str, dict[str, list[str]]])


@cache
def identities() -> dict[str, dict[str, str]]:
    """Return where a balance answer names its account, as a path, by venue and wallet."""
    return msgspec.json.decode(_data("identity"), type=dict[str, dict[str, str]])


def first(rules: Mapping[str, Rule], family: Sequence[str]) -> Rule | None:
    """Return the rule of the nearest member of a family, None where only all venues' is left."""
    for name in family:
        if name in rules:
            return rules[name]
    return None


def _data(subject: str) -> bytes:
    return (files(__package__) / "data" / f"{subject}.json").read_bytes()
