"""What signs somebody in, at the pages: the second step, the app, recovery codes, sessions."""

import html
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from pyotp import TOTP

from coffers.clock import HOUR, MINUTE, ManualClock
from coffers.store.audit import TrailFilter
from coffers.store.engine import Store
from coffers.store.records import AuditEvent
from coffers.web.forms import COOKIE, HALF
from pages import BASE, PASSWORD, Pages, opened


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    async with opened(sqlite_store) as found:
        yield found


def clock(pages: Pages) -> ManualClock:
    found = pages.api.clock
    assert isinstance(found, ManualClock)
    return found


def shown_codes(answer: httpx.Response) -> list[str]:
    return re.findall(r"<li><code>([^<]+)</code></li>", answer.text)


async def set_up(pages: Pages) -> tuple[TOTP, list[str]]:
    """Set an app up at the pages; return it with the recovery codes."""
    begun = await pages.send("/security/totp/begin")
    assert begun.headers["location"] == "/security/totp"
    page = (await pages.http.get("/security/totp")).text
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
    assert found is not None
    app = TOTP(found[1].replace(" ", ""))
    confirmed = await pages.send("/security/totp", code=code_of(pages, app))
    clock(pages).advance(30_000)
    return app, shown_codes(confirmed)


def code_of(pages: Pages, app: TOTP) -> str:
    return app.at(pages.api.clock.now() // 1000)


async def second(pages: Pages, **form: str) -> httpx.Response:
    """Send a form of the second step."""
    page = (await pages.http.get("/sign-in/second")).text
    key = re.search('name="form_key" value="([^"]+)"', page)
    assert key is not None
    return await pages.post("/sign-in/second", form_key=key[1], **form)


async def test_the_name_in_the_header_leads_to_what_signs_one_in(pages: Pages) -> None:
    await pages.begin()
    assert 'href="/security"' in (await pages.http.get("/")).text
    page = (await pages.http.get("/security")).text
    assert 'href="/password"' in page
    assert "this one" in page
    assert "It alone signs you in" in page


async def test_an_app_that_was_begun_by_a_clock_ahead_waits_for_no_code(pages: Pages) -> None:
    await pages.begin()
    clock(pages).advance(5 * MINUTE)
    await pages.send("/security/totp/begin")
    assert 'class="secret"' in (await pages.http.get("/security/totp")).text
    clock(pages).advance(-5 * MINUTE)
    answer = await pages.http.get("/security/totp", follow_redirects=True)
    assert 'class="secret"' not in answer.text


async def test_an_app_is_set_up_by_picture_or_text_and_a_code(pages: Pages) -> None:
    await pages.begin()
    await pages.send("/security/totp/begin")
    page = (await pages.http.get("/security/totp")).text
    assert "<svg" in page
    assert "style=" not in page
    uri = re.search('href="(otpauth://[^"]+)"', page)
    assert uri is not None
    assert "issuer=Coffers" in html.unescape(uri[1])
    wrong = await pages.send("/security/totp", code="12345")
    assert (wrong.status_code, "Code: is wrong" in wrong.text) == (400, True)
    _, codes = await set_up(pages)
    assert len(codes) == 10
    again = await pages.send("/security/totp", code="123456")
    assert again.headers["location"] == "/security?done=totp-before"
    security = (await pages.http.get(again.headers["location"])).text
    assert "Recovery codes were shown then" in security
    assert "10 of 10 are left" in security
    assert not any(code in security for code in codes)
    assert (await pages.http.get("/security/totp")).headers["location"] == "/security"


async def test_signing_in_then_takes_two_steps(pages: Pages) -> None:
    await pages.begin()
    app, _ = await set_up(pages)
    pages.http.cookies.clear()
    first = await pages.post("/sign-in", name="ann", password=PASSWORD, back="/security")
    assert first.headers["location"] == "/sign-in/second?back=/security"
    assert 'name="back" value="/security"' in (await pages.http.get(first.headers["location"])).text
    assert COOKIE not in pages.http.cookies
    assert (await pages.http.get("/")).headers["location"] == "/sign-in"
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/sign-in"):
        assert attribute in first.headers["set-cookie"]
    wrong = await second(pages, code="000000")
    assert (wrong.status_code, "Code: is wrong" in wrong.text) == (400, True)
    right = await second(pages, code=code_of(pages, app), back="/security")
    assert right.headers["location"] == "/security"
    assert (await pages.http.get("/")).status_code == 200
    assert HALF not in pages.http.cookies
    assert (await pages.http.get("/sign-in/second")).headers["location"].startswith("/sign-in?")


async def test_a_recovery_code_signs_in_where_the_phone_is_lost(pages: Pages) -> None:
    await pages.begin()
    _, codes = await set_up(pages)
    pages.http.cookies.clear()
    await pages.post("/sign-in", name="ann", password=PASSWORD)
    assert (await second(pages, code=codes[0])).headers["location"] == "/"
    assert "9 of 10 are left" in (await pages.http.get("/security")).text


async def test_new_recovery_codes_are_asked_about_before_the_old_ones_count_no_more(
    pages: Pages,
) -> None:
    await pages.begin()
    assert (await pages.http.get("/security/recovery")).headers["location"] == "/security"
    _, codes = await set_up(pages)
    assert 'href="/security/recovery"' in (await pages.http.get("/security")).text
    question = (await pages.http.get("/security/recovery")).text
    assert "The 10 that are left count no more" in question
    assert not any(code in question for code in codes)
    assert "10 of 10 are left" in (await pages.http.get("/security")).text
    renewed = shown_codes(await pages.send("/security/recovery"))
    assert (len(renewed), set(renewed) & set(codes)) == (10, set())
    pages.http.cookies.clear()
    await pages.post("/sign-in", name="ann", password=PASSWORD)
    assert (await second(pages, code=codes[0])).status_code == 400
    assert (await second(pages, code=renewed[0])).headers["location"] == "/"


async def test_new_recovery_codes_need_that_one_showed_lately_who_one_is(pages: Pages) -> None:
    await pages.begin()
    await set_up(pages)
    clock(pages).advance(HOUR)
    asked = (await pages.http.get("/security/recovery")).headers["location"]
    assert asked == "/security?done=unchecked&back=/security/recovery"
    refused = await pages.send("/security/recovery")
    assert refused.headers["location"] == "/security?done=unchecked"
    form = {"password": PASSWORD, "back": "/security/recovery"}
    assert (await pages.send("/security/check", **form)).headers["location"] == form["back"]


async def test_the_second_step_needs_the_key_of_its_form_and_its_time(pages: Pages) -> None:
    await pages.begin()
    _, codes = await set_up(pages)
    pages.http.cookies.clear()
    assert (await pages.post("/sign-in/second", code=codes[0])).status_code == 303
    await pages.post("/sign-in", name="ann", password=PASSWORD)
    assert (await pages.post("/sign-in/second", code=codes[0], form_key="x")).status_code == 400
    clock(pages).advance(HOUR)
    late = await pages.post("/sign-in/second", code=codes[0])
    assert late.headers["location"] == "/sign-in?done=half-over"
    assert "That took too long" in (await pages.http.get("/sign-in?done=half-over")).text


async def test_guessing_at_the_second_step_leads_to_a_wait(pages: Pages) -> None:
    await pages.begin()
    await set_up(pages)
    pages.http.cookies.clear()
    await pages.post("/sign-in", name="ann", password=PASSWORD)
    told = [await second(pages, code="000000") for _ in range(6)]
    assert [answer.status_code for answer in told] == [400] * 5 + [429]
    assert (await pages.post("/sign-in", name="ann", password=PASSWORD)).status_code == 429


async def test_changes_ask_for_the_password_after_ten_minutes(pages: Pages) -> None:
    await pages.begin()
    clock(pages).advance(HOUR)
    refused = await pages.send("/security/totp/begin")
    assert refused.headers["location"] == "/security?done=unchecked"
    location = (await pages.http.get("/security/totp")).headers["location"]
    assert location == "/security?done=unchecked&back=/security/totp"
    page = (await pages.http.get("/security")).text
    assert "Show that it is you" in page
    assert "/security/totp/begin" not in page
    wrong = await pages.send("/security/check", password="wrong")
    assert (wrong.status_code, "Password: is wrong" in wrong.text) == (400, True)
    assert (await pages.send("/security/check", password=PASSWORD)).status_code == 303
    _, codes = await set_up(pages)
    assert len(codes) == 10
    assert (await pages.send("/security/totp/remove")).headers["location"].endswith("totp-removed")
    assert "It alone signs you in" in (await pages.http.get("/security")).text


async def test_guessing_the_password_of_an_open_session_leads_to_a_wait(pages: Pages) -> None:
    await pages.begin()
    clock(pages).advance(HOUR)
    for _ in range(5):
        await pages.send("/security/check", password="wrong")
    locked = await pages.send("/security/check", password=PASSWORD)
    assert "too many tries failed" in locked.text


async def test_who_has_no_password_is_told_how_to_go_on(pages: Pages) -> None:
    await pages.begin()
    await pages.api.caller("bob")
    pages.http.cookies.clear()
    await pages.post("/sign-in", code=await pages.signing.ticket_for("bob"))
    clock(pages).advance(HOUR)
    assert "You have no password" in (await pages.http.get("/security")).text


async def test_other_browsers_are_seen_and_signed_out(pages: Pages) -> None:
    await pages.begin()
    transport = pages.http._transport
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as other:
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"
        headers = {"Origin": BASE, "User-Agent": agent}
        form = {"name": "ann", "password": PASSWORD}
        for path in ("/security/sessions/end", "/security/sessions/end-others"):
            await other.post("/sign-in", data=form, headers=headers)
            assert (await other.get("/")).status_code == 200
            page = (await pages.http.get("/security")).text
            assert "Firefox on Linux" in page
            named = re.search('name="session" value="([^"]+)"', page)
            assert named is not None
            assert (await pages.send(path, session=named[1])).status_code == 303
            assert (await other.get("/")).status_code == 303
    assert (await pages.send("/security/sessions/end", session="x")).status_code == 404
    assert (await pages.http.get("/")).status_code == 200


async def test_what_there_is_not_below_security_is_not_found(pages: Pages) -> None:
    await pages.begin()
    answer = await pages.http.get("/security/nothing")
    assert (answer.status_code, "text/html" in answer.headers["content-type"]) == (404, True)


async def test_the_trail_is_shown_to_its_user_page_by_page(pages: Pages) -> None:
    await pages.begin()
    store, now = pages.api.services.store, pages.api.clock.now()
    async with store.transaction() as tx:
        user = await tx.users.by_name("ann")
        other = await tx.users.add("bob", now)
        assert user is not None
        for number in range(60):
            told = f"<i>told</i> {number:03}"
            await tx.audit.add(AuditEvent(user.id, now, "passkey_copied", "ann", told))
        await tx.audit.add(AuditEvent(other.id, now, "signed_in", "bob", "not for ann"))
        (others,) = await tx.audit.page(TrailFilter(other.id), 2)
    short = (await pages.http.get("/security")).text
    assert len(re.findall("Passkey copied", short)) == 5
    assert 'href="/security/trail"' in short
    first = (await pages.http.get("/security/trail")).text
    assert "&lt;i&gt;told&lt;/i&gt; 059" in first
    assert "not for ann" not in first
    link = re.search(r'href="(/security/trail\?before=\d+)">Older', first)
    assert link is not None
    second = (await pages.http.get(link[1])).text
    numbers = [re.findall(r"told&lt;/i&gt; (\d+)", page) for page in (first, second)]
    assert [*map(int, numbers[0] + numbers[1])] == [*range(59, -1, -1)]
    assert "Older" not in second
    assert "Signed in" in second
    for before in (others.number, 10**12, "x"):
        status = (await pages.http.get(f"/security/trail?before={before}")).status_code
        assert status == (404 if before == others.number else 200)


async def test_the_trail_is_shown_to_nobody_who_is_not_signed_in(pages: Pages) -> None:
    answer = await pages.http.get("/security/trail")
    assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in")
