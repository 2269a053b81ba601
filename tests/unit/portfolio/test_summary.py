"""Several accounts as one."""

from decimal import Decimal

from coffers.clock import Millis
from coffers.portfolio.summary import summed
from coffers.portfolio.view import AccountView, Quality
from coffers.store.records import Account, User
from coffers.valuation.figures import UNKNOWN_FIGURES, CurrencyFigures, Figures
from factories import NOW, account

ANN = User(1, "ann", "real", "USD", 1, NOW)


def view(known: Account, usd: str | None) -> AccountView:
    figures = UNKNOWN_FIGURES if usd is None else CurrencyFigures(amount=Decimal(usd))
    quality = Quality(NOW, NOW, (), (), flows_known=True)
    return AccountView(known, Figures(figures, figures, figures, "USD"), quality)


def test_amounts_are_summed_and_the_worst_key_and_the_latest_change_told() -> None:
    later = Millis(NOW + 5)
    views = [
        view(account(key_state="ok", updated_at=NOW), "10"),
        view(account(key_state="expire_soon", updated_at=later), "2.5"),
    ]
    summary = summed(ANN, views, "USD")
    assert summary.figures.usd.amount == Decimal("12.5")
    assert (summary.key_state, summary.updated_at) == ("expire_soon", later)


def test_what_is_unknown_of_one_account_is_unknown_of_all() -> None:
    summary = summed(ANN, [view(account(), "10"), view(account(), None)], "USD")
    assert summary.figures.usd.amount is None


def test_no_accounts_are_worth_nothing() -> None:
    summary = summed(ANN, [], "USD")
    assert (summary.figures.usd.amount, summary.key_state, summary.updated_at) == (0, "ok", NOW)


def test_the_worst_state_is_a_refused_key() -> None:
    views = [view(account(key_state=state), "1") for state in ("ok", "expired", "expire_soon")]
    assert summed(ANN, views, "USD").key_state == "expired"
