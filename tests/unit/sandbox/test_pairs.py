from coffers.sandbox.assets import ASSETS, UNPRICED
from coffers.sandbox.pairs import PAIRS


def test_the_world_is_wide_enough() -> None:
    assert len(ASSETS) >= 40
    assert len(PAIRS["binance"]) >= 120


def test_the_pairs_that_everything_is_priced_through_are_there() -> None:
    assert {"BTCUSDT", "ETHUSDT", "BTCUSDC", "EURUSDT", "FDUSDUSDT", "TUSDUSDT"} <= set(
        PAIRS["binance"]
    )
    assert {"BTCUSD", "ETHUSD", "USDTUSD", "USDCUSD", "BTCUSDT"} <= set(PAIRS["binanceus"])


def test_one_asset_is_in_no_pair() -> None:
    traded = {
        asset.code
        for listed in PAIRS.values()
        for pair in listed.values()
        for asset in (pair.base, pair.quote)
    }
    assert set(ASSETS) - traded == {UNPRICED}


def test_some_pairs_are_hardly_traded() -> None:
    for listed in PAIRS.values():
        thin = [pair for pair in listed.values() if pair.daily_usd < 10_000]
        assert 3 <= len(thin) < len(listed) / 4


def test_no_pair_is_upside_down() -> None:
    assert "BTCETH" not in PAIRS["binance"]
    assert "BNBBNB" not in PAIRS["binance"]


def test_a_step_is_worth_cents_and_a_tick_leaves_digits() -> None:
    for pair in PAIRS["binance"].values():
        assert pair.step * pair.base.anchor <= 12
        assert pair.base.anchor / pair.quote.anchor / pair.tick >= 80
