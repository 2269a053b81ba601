"""What a form says of an error."""

import pytest

from coffers.errors import NotFound
from coffers.portfolio.errands import NoWorker, TooManyOpen
from coffers.store.errors import StoreUnavailable
from coffers.web.faults import faults_of


def test_a_database_that_is_away_is_no_fault_of_the_form() -> None:
    found = faults_of(StoreUnavailable("the database did not answer"), ())
    assert (found.status, found.fields) == (503, {})
    # What was begun before may go on: that nothing changes, nobody knows here.
    assert found.told == ["The database did not answer."]


def test_what_will_do_later_is_told_apart_from_what_is_wrong() -> None:
    assert faults_of(NoWorker(), ()).status == 503
    assert faults_of(TooManyOpen(), ()).status == 429


def test_what_is_nobodys_is_no_fault_of_a_form() -> None:
    with pytest.raises(NotFound):
        faults_of(NotFound("there is no account 7"), ())
