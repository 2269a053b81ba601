"""Settings come from the environment, are checked, and a misspelt one is an error."""

from pathlib import Path

import pytest

from coffers.errors import SettingsError
from coffers.settings import load_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")


def test_defaults_need_no_setting_at_all() -> None:
    settings = load_settings()
    assert settings.database() == "sqlite:////data/coffers/coffers.db"
    assert settings.key_file == Path("/data/coffers/master.key")


def test_variables_and_overrides_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COFFERS_PORT", "9999")
    monkeypatch.setenv("COFFERS_TRUSTED_PROXIES", "10.0.0.0/8, ::1/128")
    assert load_settings().port == 9999
    assert load_settings(port=1, host=None).port == 1
    assert len(load_settings().trusted_proxies) == 2


def test_nobody_outside_is_asked_for_prices_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().price_fallbacks == ()
    monkeypatch.setenv("COFFERS_PRICE_FALLBACKS", "frankfurter, coingecko,frankfurter")
    assert load_settings().price_fallbacks == ("frankfurter", "coingecko")


def test_an_unknown_variable_is_an_error_with_the_near_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COFFERS_SYNC_INTERVALL", "5")
    with pytest.raises(SettingsError, match="did you mean COFFERS_SYNC_INTERVAL"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "70000", "65535"),
        ("PORT", "x", "integer"),
        ("EXCHANGE_GATEWAY", "127.0.0.1:9000", "http"),
        ("SYNC_INTERVAL", "0", "greater"),
        ("KEY_POLICY", "yes", "refuse_withdraw"),
        ("TRUSTED_PROXIES", "here", "network"),
        ("PRICE_FALLBACKS", "coingeko", "coingecko"),
        ("PRICE_SPIKE", "1", "greater"),
    ],
)
def test_a_bad_value_is_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"COFFERS_{name}", value)
    with pytest.raises(SettingsError, match=rf"COFFERS_{name}.*{says}"):
        load_settings()


def test_database_urls_get_their_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COFFERS_DATABASE_URL", "postgresql://me:fake@localhost/coffers")
    settings = load_settings()
    assert settings.database() == "postgresql+asyncpg://me:fake@localhost/coffers"
    assert "fake" not in repr(settings)


def test_without_a_pooler_there_is_one_way_to_the_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COFFERS_DATABASE_URL", "postgresql://me:fake@localhost/coffers")
    settings = load_settings()
    assert not settings.is_pooled
    assert settings.direct_database() == settings.database()


def test_beside_a_pooler_the_server_itself_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COFFERS_DATABASE_URL", "postgresql://me:fake@pooler:6432/coffers")
    monkeypatch.setenv("COFFERS_DATABASE_DIRECT_URL", "postgresql://me:fake@server/coffers")
    settings = load_settings()
    assert settings.is_pooled
    assert settings.database() == "postgresql+asyncpg://me:fake@pooler:6432/coffers"
    assert settings.direct_database() == "postgresql+asyncpg://me:fake@server/coffers"
    assert "fake" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "direct"),
    [
        (None, "postgresql://localhost/coffers"),
        ("sqlite:////tmp/coffers.db", "postgresql://localhost/coffers"),
        ("postgresql://pooler/coffers", "sqlite:////tmp/coffers.db"),
    ],
)
def test_only_postgresql_has_a_direct_address(
    monkeypatch: pytest.MonkeyPatch, url: str | None, direct: str
) -> None:
    if url is not None:
        monkeypatch.setenv("COFFERS_DATABASE_URL", url)
    monkeypatch.setenv("COFFERS_DATABASE_DIRECT_URL", direct)
    with pytest.raises(SettingsError, match="COFFERS_DATABASE_DIRECT_URL"):
        load_settings().direct_database()


def test_another_kind_of_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COFFERS_DATABASE_URL", "mysql://localhost/coffers")
    with pytest.raises(SettingsError, match="COFFERS_DATABASE_URL"):
        load_settings()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:///", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://coffers.db", "names no file"),
        ("sqlite:////tmp/coffers.db?timeout=5", "'timeout'"),
        ("postgresql://me:hunter2@db:port/coffers", "percent-encoded"),
        ("postgresql://me:hunter2@db/coffers?application_name=x", "'application_name'"),
        ("postgresql://me:hunter2@db/coffers?connect_timeout=5", "'connect_timeout'"),
        ("postgresql://me:hunter2@db/coffers?sslmode=yes", "verify-full"),
        ("postgresql://me:hunter2@db/coffers?sslmode=require&ssl=require", "once"),
        ("postgresql://me:hunter2@db/coffers?sslmode=verify-full", "needs sslrootcert"),
        ("postgresql://me:hunter2@db/coffers?sslrootcert=/nowhere", "'/nowhere' cannot be read"),
    ],
)
@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_DIRECT_URL"])
def test_a_database_that_cannot_be_meant_is_an_error_that_shows_no_password(
    monkeypatch: pytest.MonkeyPatch, name: str, url: str, says: str
) -> None:
    monkeypatch.setenv(f"COFFERS_{name}", url)
    with pytest.raises(SettingsError, match=rf"COFFERS_{name}: .*{says}") as refusal:
        load_settings()
    assert "hunter2" not in str(refusal.value)


def test_tls_to_the_database_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").touch()
    url = f"postgresql://me@db/coffers?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem"
    monkeypatch.setenv("COFFERS_DATABASE_URL", url)
    assert load_settings().database() == url.replace("://", "+asyncpg://", 1)


def test_what_holds_a_password_can_be_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, cache = "postgresql://me:hunter2@db/coffers", "redis://:hunter2@cache"
    for name, text in (("DATABASE_URL", url), ("DATABASE_DIRECT_URL", url), ("VALKEY_URL", cache)):
        (tmp_path / name).write_text(f"{text}\n")
        monkeypatch.setenv(f"COFFERS_{name}_FILE", str(tmp_path / name))
    settings = load_settings()
    assert settings.database() == url.replace("://", "+asyncpg://", 1)
    assert settings.is_pooled
    assert settings.valkey_url is not None
    assert settings.valkey_url.get_secret_value() == cache
    assert "hunter2" not in repr(settings)


def test_a_file_that_cannot_be_meant_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "url"
    monkeypatch.setenv("COFFERS_DATABASE_URL_FILE", str(file))
    with pytest.raises(SettingsError, match=f"COFFERS_DATABASE_URL_FILE: {file} cannot be read"):
        load_settings()
    file.write_text("mysql://me:hunter2@db")
    with pytest.raises(SettingsError, match="COFFERS_DATABASE_URL: must begin"):
        load_settings()
    monkeypatch.setenv("COFFERS_DATABASE_URL", "sqlite:////tmp/x.db")
    with pytest.raises(SettingsError, match="COFFERS_DATABASE_URL is set as well"):
        load_settings()


def test_an_account_is_not_stale_before_three_readings_were_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_settings().stale_age == 1800
    monkeypatch.setenv("COFFERS_SYNC_INTERVAL", "86400")
    assert load_settings().stale_age == 3 * 86400
    monkeypatch.setenv("COFFERS_STALE_AFTER", "600000")
    assert load_settings().stale_age == 600_000
