from coffers.sandbox.call import Call
from coffers.sandbox.journal import Journal

ONE = Call("binance", "GET", "/api/v3/account", key="key-number-1")
TWO = Call("binance", "GET", "/api/v3/account", key="key-number-2")
PUBLIC = Call("binance", "GET", "/api/v3/time")


def test_requests_are_counted_by_path_and_the_most_at_once_by_key() -> None:
    journal = Journal()
    with journal.attend(ONE), journal.attend(TWO), journal.attend(PUBLIC):
        pass
    with journal.attend(TWO), journal.attend(TWO):
        pass
    assert journal.counts == {"binance GET /api/v3/account": 4, "binance GET /api/v3/time": 1}
    assert journal.most_at_once == {"binance key-number-1": 1, "binance key-number-2": 2}


def test_what_is_still_open_survives_a_clearing() -> None:
    journal = Journal()
    with journal.attend(ONE):
        journal.clear()
        with journal.attend(ONE):
            pass
    assert journal.most_at_once == {"binance key-number-1": 2}


def test_the_log_holds_what_was_answered() -> None:
    journal = Journal()
    journal.note(ONE, 5, 200)
    (entry,) = journal.entries
    assert (entry.at, entry.key, entry.status) == (5, "key-number-1", 200)
