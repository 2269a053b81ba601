"""What a transaction of Solana changed in a wallet, from its balances before and after."""

from decimal import Decimal
from typing import Any

import pytest

from coffers.connectors.chain.solana.transactions import effect_of
from coffers.connectors.reading import ConnectorFailure
from coffers.markets.chains import Chain, shipped_chains

USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


@pytest.fixture
def chain() -> Chain:
    found = shipped_chains().get("solana_wallet")
    assert found is not None
    return found


def told(**changes: Any) -> dict[str, Any]:
    meta = {
        "err": None,
        "fee": 5000,
        "preBalances": [100_000, 7, 1],
        "postBalances": [50_000, 7, 45_001],
        "preTokenBalances": [],
        "postTokenBalances": [],
        "loadedAddresses": {"writable": ["them"], "readonly": []},
        **changes,
    }
    return {"meta": meta, "transaction": {"message": {"accountKeys": ["me", "program"]}}}


def balance(index: int, raw: str, owner: str | None = "me", mint: str = USDC) -> dict[str, Any]:
    amount = {"amount": raw, "decimals": 6, "uiAmount": None}
    return {"accountIndex": index, "mint": mint, "owner": owner, "uiTokenAmount": amount}


def test_the_fee_is_apart_and_addresses_of_lookup_tables_count(chain: Chain) -> None:
    effect = effect_of(told(), "me", frozenset(), chain)
    assert effect.fee == Decimal("0.000005")
    assert [change.amount for change in effect.changes] == [Decimal("-0.000045")]
    effect = effect_of(told(), "them", frozenset(), chain)
    assert (effect.fee, effect.changes[0].amount) == (0, Decimal("0.000045"))


def test_what_goes_to_an_own_stake_is_no_change(chain: Chain) -> None:
    effect = effect_of(told(), "me", frozenset({"them"}), chain)
    assert [change.amount for change in effect.changes] == [0]


def test_tokens_of_the_owner_count_and_those_of_others_and_unlisted_ones_do_not(
    chain: Chain,
) -> None:
    rows = {
        "preTokenBalances": [balance(1, "5"), balance(2, "9", "them"), balance(1, "1", None)],
        "postTokenBalances": [balance(1, "2"), balance(2, "12", "them"), balance(1, "8", mint="x")],
    }
    effect = effect_of(told(**rows), "me", frozenset(), chain)
    tokens = [(change.asset, change.amount) for change in effect.changes[1:]]
    assert tokens == [("USDC", Decimal("-0.000003"))]
    assert effect.touched == {"program"}


@pytest.mark.parametrize(
    "changes",
    [
        {"preBalances": [1]},
        {"postBalances": [1, 2, 3, 4]},
        {"preBalances": [1, 2, -3]},
        {"preTokenBalances": [balance(9, "5")]},
        {"preTokenBalances": [balance(1, "5.5")]},
        {"preTokenBalances": [balance(1, "-5")]},
        {"fee": "5000"},
    ],
)
def test_balances_that_do_not_fit_are_refused(chain: Chain, changes: dict[str, Any]) -> None:
    with pytest.raises(ConnectorFailure):
        effect_of(told(**changes), "me", frozenset(), chain)
