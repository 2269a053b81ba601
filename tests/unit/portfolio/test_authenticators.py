"""Where passkeys are for, and by what authenticators know users."""

import subprocess
import sys
from dataclasses import replace

import pytest

from coffers.clock import Millis
from coffers.portfolio.authenticators import PasskeySite, handle_of, site_of
from coffers.store.records import User
from factories import NOW


@pytest.mark.parametrize(
    ("base_url", "rp_id", "origin"),
    [
        ("https://coffers.example", "coffers.example", "https://coffers.example"),
        ("https://Coffers.Example:443/", "coffers.example", "https://coffers.example"),
        ("https://coffers.example:8443", "coffers.example", "https://coffers.example:8443"),
        ("https://home", "home", "https://home"),
        ("http://localhost:8787", "localhost", "http://localhost:8787"),
        ("http://localhost:80", "localhost", "http://localhost"),
        ("http://coffers.localhost:8787/x", "coffers.localhost", "http://coffers.localhost:8787"),
    ],
)
def test_names_over_tls_and_this_machine_have_passkeys(
    base_url: str, rp_id: str, origin: str
) -> None:
    assert site_of(base_url) == PasskeySite(rp_id, origin)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://coffers.example",
        "http://127.0.0.1:8787",
        "https://127.0.0.1",
        "https://[::1]:8787",
        "https://192.0.2.7:8787",
        "http://notlocalhost",
        "https://",
        "",
    ],
)
def test_other_addresses_have_none(base_url: str) -> None:
    assert site_of(base_url) is None


def test_a_handle_tells_users_and_installations_apart() -> None:
    ann = User(7, "ann", "real", "USD", version=1, created_at=NOW)
    handles = {
        handle_of(ann),
        handle_of(replace(ann, id=8)),
        handle_of(replace(ann, created_at=Millis(NOW + 1))),
    }
    assert len(handles) == 3
    assert handle_of(replace(ann, name="Ann", version=2)) == handle_of(ann)
    assert {len(each) for each in handles} == {16}
    assert b"ann" not in handle_of(ann)


def test_a_server_loads_no_library_of_second_factors_before_somebody_has_one() -> None:
    names = ("webauthn", "cbor2", "OpenSSL", "pyotp", "segno")
    told = f"import sys, coffers.cli.site; print([m for m in {names} if m in sys.modules])"
    command = [sys.executable, "-c", told]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"
