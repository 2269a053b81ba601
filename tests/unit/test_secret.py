"""A secret does not show itself."""

import pickle

import pytest

from coffers.secret import Secret


def test_a_secret_shows_stars_and_gives_itself_only_when_asked() -> None:
    secret = Secret("not-a-real-key")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
    assert secret.reveal() == "not-a-real-key"


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("not-a-real-key"))


def test_secrets_compare_by_content() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != "a"
    assert not Secret("")
