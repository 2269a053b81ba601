from coffers.sandbox.accounts import Account
from coffers.sandbox.assets import UNPRICED
from coffers.sandbox.demo import demo_keys
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.prices import DAY

NOW = 1_760_000_000_123


def accounts(exchange: Exchange) -> list[Account]:
    return [exchange.ledger.get(demo.venue, demo.key) for demo in demo_keys()]


def test_every_fresh_world_knows_the_demo_keys(exchange: Exchange) -> None:
    for demo, account in zip(demo_keys(), accounts(exchange), strict=True):
        held = {asset: (balance.free, balance.locked) for asset, balance in account.spot.items()}
        assert held == demo.balances
        assert account.secret == demo.secret
        assert account.may_trade(NOW) is demo.can_trade


def test_they_are_plainly_made_up() -> None:
    assert all(demo.key.startswith("demo-") for demo in demo_keys())
    assert all(demo.secret.startswith("demo-") for demo in demo_keys())


def test_the_demo_shows_locked_amounts_an_unpriced_asset_and_the_other_venue() -> None:
    saver, trader, american = demo_keys()
    assert any(locked for _, locked in saver.balances.values())
    assert UNPRICED in trader.balances
    assert american.venue == "binanceus"


def test_each_has_a_history_with_something_recent_and_something_pending(
    exchange: Exchange,
) -> None:
    for account in accounts(exchange):
        done = [moved for moved in account.transfers if not moved.is_pending]
        assert any(NOW - moved.at < 30 * DAY for moved in done)
        assert any(NOW - moved.at > 90 * DAY for moved in done)
        assert [moved.is_pending for moved in account.transfers].count(True) == 1


def test_the_same_world_begins_with_the_same_history() -> None:
    worlds = [accounts(Exchange(7, lambda: NOW)) for _ in range(2)]
    assert worlds[0] == worlds[1]


def test_a_reset_undoes_everything(exchange: Exchange) -> None:
    before = accounts(exchange)
    exchange.clock.freeze(5)
    before[0].spot.clear()
    exchange.reset()
    assert exchange.now() == NOW
    assert accounts(exchange)[0].spot
