"""Assets as a user sees them: names, where they are held, and whether they count and why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from coffers.clock import iso
from coffers.errors import NotFound
from coffers.markets.assets import is_of_one_venue, name_of
from coffers.money import plain
from coffers.portfolio.prices import PriceOf
from coffers.portfolio.visibility import Visible, visible
from coffers.store.assets import unmet
from coffers.store.engine import Store, Transaction
from coffers.store.records import Asset, AssetOverride, Mode
from coffers.valuation.choices import Choices
from coffers.valuation.model import UNLISTED, Price, PriceBook
from coffers.valuation.value import is_agreed

_VOUCH = "To count it all the same, say which contract or coin it is priced as."

AssetState = Literal["priced", "unpriced", "held_back", "ignored", "apart"]
"""`ignored` counts for nothing by the user's wish; what is unpriced or held back is in no total. A
token that is `apart` is on no list, and counts for nothing before it is vouched for."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What one wallet of an account has of an asset, in units of it; debts are subtracted."""

    account_id: int
    market_code: str
    wallet: str
    venue_code: str
    owned: Decimal


@dataclass(frozen=True, slots=True)
class AssetView:
    """An asset with what the user says of it, its price now, and why it counts or does not."""

    asset: Asset
    override: AssetOverride | None
    state: AssetState
    why: str
    price: PriceOf
    held: tuple[Holding, ...]

    @property
    def name(self) -> str | None:
        """The user's name of it, or else ours; None where there is neither."""
        return (self.override and self.override.name) or self.asset.name

    @property
    def symbol(self) -> str:
        """The user's symbol of it, or else its code."""
        return (self.override and self.override.symbol) or self.asset.code


@dataclass(frozen=True, slots=True)
class AssetsWanted:
    """Which assets are asked for: those with `text` in code or name, or those that are held.

    `after` is the code that the page before ended with, "" for the first page.
    """

    text: str = ""
    is_held: bool = False
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class AssetPage:
    """A page of assets by code; `next_after` begins the next one, None after the last."""

    assets: tuple[AssetView, ...]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What a user holds and says, and the prices as they count for the user."""

    held: Mapping[str, tuple[Holding, ...]]
    choices: Choices
    overrides: Mapping[str, AssetOverride]
    book: PriceBook | None
    visible: Visible

    def price(self, code: str) -> PriceOf:
        if self.book is None:
            return PriceOf(code, 0)
        book = self.book
        return PriceOf(code, book.epoch, book.prices.get(code), book.held_back.get(code))


class Assets:
    """Finds assets. `book` is the newest price book, as it is for everybody."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self, user_id: int, mode: Mode, book: PriceBook | None, wanted: AssetsWanted
    ) -> AssetPage:
        """Return a page of the assets that a user asks for, as accounts of a mode hold them."""
        async with self._store.reading() as tx:
            known = await _known(tx, user_id, mode, book)
            codes = known.held.keys() if wanted.is_held else known.visible.codes()
            found = sorted(
                code
                for code in codes
                if code > wanted.after and _is_called(code, known, wanted.text)
            )
            shown = found[: wanted.limit]
            met = await tx.assets.of(shown)
        views = tuple(_view(met.get(code) or _unmet(code), known) for code in shown)
        return AssetPage(views, shown[-1] if len(found) > wanted.limit else None)

    async def one(self, user_id: int, mode: Mode, book: PriceBook | None, text: str) -> AssetView:
        """Return one asset by its code, however it is written ("btc").

        Raises:
            NotFound: when none is known to the user under this code, whoever else has it.
        """
        async with self._store.reading() as tx:
            known = await _known(tx, user_id, mode, book)
            code = known.visible.named(text)
            if code is None:
                raise NotFound(f"no asset {text!r} was met in your accounts or at an exchange")
            met = await tx.assets.of({code})
        return _view(met.get(code) or _unmet(code), known)


async def _known(tx: Transaction, user_id: int, mode: Mode, book: PriceBook | None) -> _Known:
    every = await tx.accounts.of_user(user_id)
    accounts = {account.id: account for account in every if account.mode == mode}
    choices = await tx.choices.of(user_id)
    held: dict[str, tuple[Holding, ...]] = {}
    for account_id, positions in (await tx.holdings.of_accounts(user_id, list(accounts))).items():
        for each in positions:
            code = choices.asset_of(account_id, each)
            market = accounts[account_id].market_code
            holding = Holding(account_id, market, each.wallet, each.venue_code, each.owned)
            held[code] = (*held.get(code, ()), holding)
    own = None if book is None else choices.book(book)
    overrides, found = await tx.choices.overrides(user_id), await visible(tx, user_id, book)
    return _Known(held, choices, overrides, own, found)


def _unmet(code: str) -> Asset:
    return replace(unmet(code), name=name_of(code))


def _is_called(code: str, known: _Known, text: str) -> bool:
    if not text:
        return True
    said = known.overrides.get(code)
    names = [code, name_of(code)]
    if said is not None:
        names += [said.name, said.symbol]
    return any(text.lower() in name.lower() for name in names if name is not None)


def _view(asset: Asset, known: _Known) -> AssetView:
    code = asset.code
    if not known.visible.tells_when(code):
        asset = replace(asset, first_seen_at=None)
    price = known.price(code)
    state, why = _state(price, known)
    return AssetView(asset, known.overrides.get(code), state, why, price, known.held.get(code, ()))


def _state(found: PriceOf, known: _Known) -> tuple[AssetState, str]:
    code = found.asset
    if known.choices.ignores(code):
        return "ignored", "You ignore it: it counts for nothing."
    held, price = found.held_back, found.price
    if (why := _why_apart(price, known, code)) is not None:
        return "apart", why
    if held is not None:
        return "held_back", (
            f"Its price leapt from {plain(held.believed.usd)} to {plain(held.price.usd)} USD, and "
            f"one source alone says so. It is believed from {iso(held.until)} on if it persists, "
            "as soon as a second source agrees, or when you accept it."
        )
    if price is not None:
        return "priced", _why_priced(price, known, code)
    return "unpriced", _why_unpriced(known, code)


def _why_apart(price: Price | None, known: _Known, code: str) -> str | None:
    """Return why a held token counts for nothing; None where it counts, or is on a list."""
    parts = {each.wallet for each in known.held.get(code, ())}
    if code in known.choices.priced_as or not parts or not parts <= {UNLISTED, "spam"}:
        return None
    if UNLISTED not in parts:
        return "It is on no list, and looks like another one or an advertisement. " + _VOUCH
    if is_agreed(price):
        return None
    told = "one source alone tells its price" if price is not None else "nobody tells its price"
    return f"It is on no list, and {told}; it counts as soon as two agree. " + _VOUCH


def _why_priced(price: Price, known: _Known, code: str) -> str:
    choices = known.choices
    key = choices.priced_as.get(code)
    if key is not None and price.route == (f"{key}~USD",):
        return f"It is priced as {key}, as you said."
    if code in choices.accepted:
        return "It has a price; one that leapt you accepted by hand."
    if len(price.route) == 1 and "~" in price.route[0]:
        if UNLISTED in {each.wallet for each in known.held.get(code, ())}:
            return "It is on no list, and two sources that know nothing of each other agree on it."
        return "No connected exchange trades it; another source tells its price."
    if is_of_one_venue(code):
        return f"{_of_one_venue(code)} It counts at what is paid there."
    return "Connected exchanges trade it."


def _why_unpriced(known: _Known, code: str) -> str:
    key = known.choices.priced_as.get(code)
    if known.book is None:
        return "There are no prices yet."
    if key is not None:
        return f"It is priced as {key}, as you said, and no source tells a price of that."
    if code in known.choices.distrusted:
        return "You said that its symbol is no name of it, so what is paid for that is no price."
    if known.book.doubts(code):
        return f"{_of_one_venue(code, 'may be')} It has no price until that is sure."
    if is_of_one_venue(code):
        return f"{_of_one_venue(code)} Its market there is too small, or away, to tell a price."
    return "No connected exchange trades it, and no other source tells its price."


def _of_one_venue(code: str, verb: str = "is") -> str:
    symbol, _, venue = code.rpartition("@")
    return (
        f"What {venue} trades as {symbol} has another price there than {symbol} has elsewhere, so "
        f"it {verb} an asset of its own. If it is {symbol} all the same, say that its code means "
        "that."
    )
