from coffers.connectors.exchange import rules
from coffers.connectors.exchange.balances import kinds_of
from coffers.connectors.exchange.coverage import coverage, coverage_of
from coffers.connectors.exchange.venues import family_of
from coffers.markets.catalogue import load_catalogue

KNOWN = coverage(load_catalogue())


def test_every_market_that_the_library_can_reach_is_told_about() -> None:
    reachable = {market.code for market in load_catalogue() if market.connectable}
    assert set(KNOWN) == reachable


def test_what_is_read_of_a_market_and_what_is_not() -> None:
    binance = KNOWN["binance"]
    assert binance.covered == ("spot", "funding", "earn")
    assert binance.not_covered["futures"] == (
        "Connect them as binance_futures and binance_futures_coin."
    )
    assert KNOWN["gate_io_btc_perpetual"].covered == ("futures", "contracts")


def test_a_market_that_cannot_be_read_says_so() -> None:
    bydfi = KNOWN["bydfi"]
    assert not bydfi.is_readable
    assert bydfi.not_covered["futures"] == "Coffers does not read futures accounts there yet."
    assert "leave open whether profit is part" in bydfi.not_covered["wallets"]


def test_a_venue_of_which_nothing_is_known_claims_nothing_beyond_spot() -> None:
    market = load_catalogue().get("bitstamp")
    assert market is not None
    told = coverage_of(market, ("bitstamp",))
    assert told.covered == ("spot",)
    assert set(told.not_covered) == {"other wallets"}


def test_every_code_that_a_sentence_sends_to_exists() -> None:
    codes = {market.code for market in load_catalogue()}
    for venue in rules.uncovered().values():
        for sentence in (text for kind in venue.values() for text in kind.values()):
            named = {word.strip(".,:") for word in sentence.split() if "_" in word}
            assert named <= codes


def test_whatever_is_said_to_be_left_out_belongs_to_a_kind_that_is_connected() -> None:
    kinds: dict[str, set[str]] = {}
    for market in load_catalogue():
        for member in family_of(market.venue) if market.venue else ():
            kinds.setdefault(member, set()).update(kinds_of(market))
    for venue, told in rules.uncovered().items():
        assert venue == rules.EVERY_VENUE or set(told) <= kinds[venue], venue


def test_a_market_that_cannot_be_read_says_why() -> None:
    for code, told in KNOWN.items():
        if not told.is_readable:
            assert len(told.not_covered) > 1, code
