"""The page that lists the market catalogue for people: docs/markets.md."""

from collections.abc import Iterable

from coffers.connectors.exchange.account_rules import subaccount_rules
from coffers.markets.catalogue import CatalogueFile
from coffers.markets.fields import own_fields

HEAD = """\
# Markets

Every kind of account that the catalogue knows, by the code that the API uses. *Venue* is the id in
the exchange library (ccxt {ccxt}); a market without one is known by its code and cannot be
connected through the library. *Wallet* is said where an exchange has several accounts of one type.
What is read of each, and what is not, is in [exchanges](exchanges.md).
This page is written by `scripts/make_catalogue.py`.

| Code | Account | Venue | Types | Wallet | Fields to connect it |
|---|---|---|---|---|---|
"""

FIELDS = """
## Fields

`coffers account connect` asks for the required fields. `secret` and `passphrase` are asked for
unseen or come on standard input, and are stored sealed; so is `login`. Where a bearer key is all
there is, it goes into `secret`, since whoever has it needs no more. Blanks around a text are
trimmed. A key in PEM is put into whole lines again, also where its line ends were pasted as `\\n`
or lost.

| Field | What it is |
|---|---|
| `api_key` | the key's public half |
| `secret` | what signs or proves: an API secret, a private key, a bearer key |
| `passphrase` | the one chosen when the key was made |
| `customer_id` | the exchange's number of the user or account |
| `address` | the wallet's or account's address, where that is what the exchange knows |
| `login` | the name one logs in with |
| `subaccount_name` | the id of a sub-account that the main account's key reads; see below |

At these exchanges a field is something else than its name says, or has a form that is checked:

| Venue | Field | What to give | Form |
|---|---|---|---|
"""

KEYS = """
Where the exchange knows wallets instead of keys, give the least that reads: the address alone where
balances are public; else the key of an API wallet, a session or a subkey, which the exchange lets
you make beside your wallet. Give a wallet's own private key only where the table leaves no other,
and then that of a wallet that holds nothing else. A seed phrase is refused.

## Sub-accounts

A reading of a main account never holds its sub-accounts. `coffers subaccounts ID` lists them where
the exchange tells them to a key. Where that key may read them too, one is connected with
`--subaccount` and its id from the list; what such a reading lacks is open contracts, and deposits
and withdrawals, which are marked unknown. Elsewhere connect a sub-account with a key of its own.

| Venue | The main account's key reads |
|---|---|
"""

_PLAIN_FORMS = frozenset({"word", "text", "secret"})


def page_text(file: CatalogueFile) -> str:
    """Return the page."""
    head = HEAD.format(ccxt=file.ccxt)
    return "".join((head, _markets(file), FIELDS, _fields(), KEYS, _subaccounts()))


def _markets(file: CatalogueFile) -> str:
    return _table(
        (
            f"`{market.code}`",
            market.exchange_name,
            f"`{market.venue}`" if market.venue else "not connectable",
            ", ".join(market.market_types),
            (market.wallet or "").replace("_", " "),
            ", ".join(f"`{field}`" for field in market.required_fields),
        )
        for market in file.markets
    )


def _fields() -> str:
    return _table(
        (
            f"`{venue}`",
            f"`{name}`",
            field.told,
            "" if field.form in _PLAIN_FORMS else field.form.replace("_", " "),
        )
        for venue, fields in own_fields().items()
        for name, field in fields.items()
    )


def _subaccounts() -> str:
    return _table(
        (f"`{venue}`", ", ".join(rule.read) or rule.own or "none of them")
        for venue, rule in subaccount_rules().items()
        if rule.listed
    )


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
