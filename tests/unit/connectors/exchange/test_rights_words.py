import pytest

from coffers.connectors.exchange.rights_words import Words
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights

WORDS = Words(
    read=frozenset({"look"}),
    trade=frozenset({"buy", "sell"}),
    withdraw=frozenset({"send"}),
    others=frozenset({"greet"}),
)


@pytest.mark.parametrize(
    ("told", "rights"),
    [
        (["look"], KeyRights(True, False, False)),
        (["look", "greet"], KeyRights(True, False, False)),
        (["look", "sell"], KeyRights(True, True, False)),
        (["send"], KeyRights(False, False, True)),
        ([], KeyRights(False, False, False)),
    ],
)
def test_what_is_told_is_there_and_all_else_is_not(told: list[str], rights: KeyRights) -> None:
    assert WORDS.rights(told) == rights


def test_a_new_word_may_mean_any_right_that_was_not_told() -> None:
    assert WORDS.rights(["look", "spend"]) == KeyRights(True, None, None)


def test_a_word_in_other_letters_is_a_new_word() -> None:
    assert WORDS.rights(["look", "SEND"]).withdraw is None


def test_words_that_could_not_be_read_tell_nothing() -> None:
    assert WORDS.rights(None) == UNKNOWN_RIGHTS
