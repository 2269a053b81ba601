"""A passkey of the browser's own making: it is added, signs in alone, and is removed.

Browsers make them for hosts with a name, so the server is visited by that of this machine.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from browsing import PASSWORD, Program, Visitor, visiting

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def visitor(chromium: Browser, settled: Program) -> Iterator[Visitor]:
    """Somebody at a device that keeps passkeys, who has signed in by the password."""
    named = replace(settled, url=settled.url.replace("127.0.0.1", "localhost"))
    with visiting(chromium, named) as found:
        device = found.page.context.new_cdp_session(found.page)
        device.send("WebAuthn.enable")
        device.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        found.signs_in()
        yield found


def says_who(visitor: Visitor) -> None:
    """Give the password, where that is wanted before a change."""
    if visitor.page.get_by_role("button", name="It is me").is_visible():
        visitor.page.get_by_label("Password").fill(PASSWORD)
        visitor.page.get_by_role("button", name="It is me").click()
        visitor.page.get_by_role("button", name="It is me").wait_for(state="detached")


def test_a_passkey_is_added_signs_in_alone_and_is_removed(visitor: Visitor) -> None:
    page = visitor.page
    visitor.goes("/security")
    says_who(visitor)
    page.get_by_label("Name", exact=True).fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("heading", level=1, name="recovery codes").wait_for()
    visitor.check()

    page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in*")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{visitor.program.url}/")
    visitor.goes("/security")
    row = page.get_by_role("region", name="Passkeys").get_by_role("row").filter(has_text="Laptop")
    expect(row).to_contain_text("localhost")
    visitor.check()

    page.get_by_role("link", name="Make new ones").click()
    page.get_by_role("heading", level=1, name="Make new recovery codes?").wait_for()
    visitor.check()
    visitor.goes("/security")

    says_who(visitor)
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    assert visitor.faults == []
