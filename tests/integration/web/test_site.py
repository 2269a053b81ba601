"""The pages over ASGI: who sees what, what forms need, and what headers every page carries."""

import re
from collections.abc import AsyncIterator

import pytest

from coffers import metrics
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.web.forms import COOKIE
from pages import OURS, PASSWORD, Pages, opened
from served import add_account, add_book


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    async with opened(sqlite_store) as found:
        yield found


async def test_a_new_server_leads_to_the_first_run(pages: Pages) -> None:
    assert (await pages.http.get("/")).headers["location"] == "/sign-in"
    assert (await pages.http.get("/sign-in")).headers["location"] == "/welcome"
    shown = await pages.http.get("/welcome")
    assert "the code that the terminal shows" in shown.text


async def test_the_first_user_lands_on_the_overview(pages: Pages) -> None:
    await pages.begin()
    shown = await pages.http.get("/")
    assert shown.status_code == 200
    assert "No accounts yet" in shown.text
    assert (await pages.http.get("/welcome")).headers["location"] == "/sign-in"


async def test_the_menu_leads_to_every_part(pages: Pages) -> None:
    await pages.begin()
    for path in ("/", "/connect", "/portfolios", "/tokens", "/security", "/settings"):
        shown = (await pages.http.get(path)).text
        assert re.search(f'<a href="{path}"[^>]* aria-current="page"', shown)


async def test_a_wrong_code_and_two_passwords_that_differ_name_their_fields(pages: Pages) -> None:
    wrong = await pages.post("/welcome", code="AAAA", name="ann", password=PASSWORD, again=PASSWORD)
    assert wrong.status_code == 400
    assert "Code: is none that lasts" in wrong.text
    differs = await pages.post("/welcome", code="A", name="ann", password=PASSWORD, again="x")
    assert "Password again: is not the same" in differs.text
    assert PASSWORD not in wrong.text + differs.text


async def test_the_overview_shows_values_and_says_what_is_missing(pages: Pages) -> None:
    await pages.begin()
    store = pages.api.services.store
    async with store.reading() as tx:
        ann = await tx.users.by_name("ann")
    assert ann is not None
    await add_book(store)
    await add_account(store, ann, "Main", held={"BTC": "0.5"})
    await add_account(store, ann, "Odd <b>", held={"BTC": "1", "NOPRICE": "7"})
    shown = (await pages.http.get("/")).text
    assert "75,000.00 USD" in shown
    assert "incomplete: 1 of 2 accounts" in shown
    assert "something held has no price" in shown
    assert "Odd &lt;b&gt;" in shown
    assert "<b>" not in shown.replace('<b class="chip">', "")


async def test_an_account_and_how_it_comes_about(pages: Pages) -> None:
    await pages.begin()
    store = pages.api.services.store
    async with store.reading() as tx:
        ann = await tx.users.by_name("ann")
    assert ann is not None
    await add_book(store)
    account = await add_account(store, ann, "Main", held={"BTC": "0.5", "NOPRICE": "7"})
    for span in ("1d", "1w", "1m", "1y", "all", "nonsense"):
        shown = await pages.http.get(f"/accounts/{account.id}", params={"range": span})
        assert shown.status_code == 200
        assert "25,000.00 USD" in shown.text
        assert "unknown" in shown.text
    told = (await pages.http.get(f"/accounts/{account.id}/explain")).text
    assert "amount times price" in told
    assert "NOPRICE" in told


async def test_anothers_account_is_not_found(pages: Pages) -> None:
    await pages.begin()
    bob = (await pages.api.caller("bob")).user
    account = await add_account(pages.api.services.store, bob, "Of bob")
    for path in (f"/accounts/{account.id}", f"/accounts/{account.id}/explain"):
        answer = await pages.http.get(path)
        assert answer.status_code == 404
        assert "Of bob" not in answer.text


@pytest.mark.parametrize(
    "path", ["/accounts/0", "/accounts/x", "/accounts/1/2", "/accounts/99999999999", "/static/x"]
)
async def test_what_there_is_not_is_not_found(pages: Pages, path: str) -> None:
    await pages.begin()
    assert (await pages.http.get(path)).status_code == 404


async def test_who_is_not_signed_in_sees_nothing(pages: Pages) -> None:
    await pages.begin()
    pages.http.cookies.clear()
    assert (await pages.http.get("/")).headers["location"] == "/sign-in"
    for path in ("/accounts/1", "/accounts/1/auto-balance/run/2", "/connect/paper_trading"):
        answer = await pages.http.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?back={path}")


async def test_signing_in_leads_back_to_the_page_that_was_opened(pages: Pages) -> None:
    await pages.begin()
    pages.http.cookies.clear()
    asked = await pages.http.get("/connect/paper_trading")
    shown = (await pages.http.get(asked.headers["location"])).text
    back = 'name="back" value="/connect/paper_trading"'
    assert back in shown
    form = {"name": "ann", "back": "/connect/paper_trading"}
    wrong = await pages.post("/sign-in", **form, password="wrong")
    assert back in wrong.text
    answer = await pages.post("/sign-in", **form, password=PASSWORD)
    assert answer.headers["location"] == "/connect/paper_trading"


@pytest.mark.parametrize(
    "back", ["//evil.test/x", "https://evil.test", "/\\evil.test", "/x?y=//z", "/%0d", "", "/a.b/c"]
)
async def test_signing_in_leads_to_no_other_host(pages: Pages, back: str) -> None:
    await pages.begin()
    pages.http.cookies.clear()
    assert 'name="back"' not in (await pages.http.get("/sign-in", params={"back": back})).text
    answer = await pages.post("/sign-in", name="ann", password=PASSWORD, back=back)
    assert answer.headers["location"] == "/"


async def test_what_was_sent_after_the_session_ended_is_told_of(pages: Pages) -> None:
    await pages.begin()
    pages.http.cookies.clear()
    answer = await pages.post("/accounts/1/settings", name="Typed for long")
    assert answer.headers["location"] == "/sign-in?done=signed-out"
    told = (await pages.http.get(answer.headers["location"])).text
    assert "You were signed out; nothing was saved." in told


async def test_a_form_of_another_site_is_refused(pages: Pages) -> None:
    await pages.begin()
    form = {"name": "ann", "password": PASSWORD}
    for headers in ({"Origin": "https://evil.test"}, {"Origin": "null"}, {}):
        answer = await pages.http.post("/sign-in", data=form, headers=headers)
        assert answer.status_code == 400
        assert "not sent from a page of this server" in answer.text
    same = {"Sec-Fetch-Site": "same-origin"}
    assert (await pages.http.post("/sign-in", data=form, headers=same)).status_code == 303


async def test_signing_out_needs_the_key_of_the_session(pages: Pages) -> None:
    await pages.begin()
    assert (await pages.post("/sign-out", form_key="guessed")).status_code == 400
    assert (await pages.http.get("/")).status_code == 200
    signed_in = await pages.signing.of(Secret(pages.http.cookies[COOKIE]))
    assert signed_in is not None
    answer = await pages.post("/sign-out", form_key=signed_in.form_key)
    assert answer.headers["location"] == "/sign-in"
    assert (await pages.http.get("/")).status_code == 303


async def test_a_code_is_typed_and_in_no_address(pages: Pages) -> None:
    await pages.begin()
    pages.http.cookies.clear()
    assert 'href="/sign-in?by=code"' in (await pages.http.get("/sign-in")).text
    shown = (await pages.http.get("/sign-in?by=code")).text
    assert 'name="code" type="text" value=""' in shown
    assert 'name="password"' not in shown
    code = await pages.signing.ticket_for("ann")
    assert code not in (await pages.http.get("/sign-in", params={"code": code})).text
    for wrong in ("", "AAAA"):
        refused = await pages.post("/sign-in", code=wrong)
        assert (refused.status_code, "One-time code: is none that" in refused.text) == (400, True)
    assert (await pages.post("/sign-in", code=code)).status_code == 303
    assert (await pages.http.get("/")).status_code == 200


async def test_guessing_codes_leads_to_a_wait_that_is_told(pages: Pages) -> None:
    await pages.begin()
    told = [await pages.post("/sign-in", code=f"AAA{number}") for number in range(21)]
    assert [answer.status_code for answer in told] == [400] * 20 + [429]
    assert "One-time code: too many" in told[-1].text


async def test_a_password_is_changed_by_who_knows_it(pages: Pages) -> None:
    await pages.begin()
    assert "Another password" in (await pages.http.get("/password")).text
    signed_in = await pages.signing.of(Secret(pages.http.cookies[COOKIE]))
    assert signed_in is not None
    new = {"password": "another password 2", "again": "another password 2"}
    assert (await pages.post("/password", old_password=PASSWORD, **new)).status_code == 400
    key = {"form_key": signed_in.form_key}
    wrong = await pages.post("/password", old_password="wrong", **new, **key)
    assert (wrong.status_code, "Present password: is wrong" in wrong.text) == (400, True)
    differs = await pages.post("/password", old_password=PASSWORD, **{**new, "again": "x"}, **key)
    assert "New password again: is not the same" in differs.text
    assert (await pages.post("/password", old_password=PASSWORD, **new, **key)).status_code == 303
    assert (await pages.http.get("/")).status_code == 200
    assert (await pages.post("/sign-in", name="ann", password=PASSWORD)).status_code == 400
    good = await pages.post("/sign-in", name="ann", password=new["password"])
    assert good.status_code == 303


async def test_a_page_says_what_was_done_in_words_of_its_own(pages: Pages) -> None:
    await pages.begin()
    told = await pages.http.get("/", params={"done": "password"})
    assert "The password was changed" in told.text
    assert "notice.js" in told.text
    odd = (await pages.http.get("/", params={"done": "<b>odd"})).text
    assert 'role="status" data-own hidden></p>' in odd
    assert "notice.js" not in odd


async def test_behind_tls_the_cookie_and_the_pages_say_so(sqlite_store: Store) -> None:
    async with opened(sqlite_store, base_url="https://coffers.test") as pages:
        code = await pages.signing.first_run_code()
        form = {"code": str(code), "name": "ann", "password": PASSWORD, "again": PASSWORD}
        told = (await pages.post("/welcome", **form)).headers["set-cookie"]
        assert told.startswith(f"__Host-{COOKIE}=")
        assert "secure" in told.lower()
        assert "strict-transport-security" in (await pages.http.get("/sign-in")).headers


async def test_guessing_leads_to_a_wait(pages: Pages) -> None:
    await pages.begin()
    told = [await pages.post("/sign-in", name="ann", password="wrong") for _ in range(6)]
    assert [answer.status_code for answer in told] == [400] * 5 + [429]
    assert "try again in 30 seconds" in told[-1].text


async def test_every_page_has_the_headers_that_protect_it(pages: Pages) -> None:
    await pages.begin()
    for path in ("/", "/sign-in", "/welcome", "/accounts/1"):
        headers = (await pages.http.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    cookie = (await pages.post("/sign-in", name="ann", password=PASSWORD)).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_files_are_kept_for_a_year_under_an_address_of_their_own(pages: Pages) -> None:
    shown = (await pages.http.get("/welcome")).text
    address = shown.split('rel="stylesheet" href="')[1].split('"')[0]
    style = await pages.http.get(address)
    assert style.headers["content-type"].startswith("text/css")
    assert "immutable" in style.headers["cache-control"]


async def test_pages_need_no_script_and_no_other_host(pages: Pages) -> None:
    await pages.begin()
    for path in ("/", "/sign-in"):
        shown = (await pages.http.get(path)).text
        scripts = re.findall("<script([^>]*)>(.*?)</script>", shown)
        assert all(re.fullmatch(' type="module" src="/static/[^"]+"', has) for has, _ in scripts)
        assert not any(inline for _, inline in scripts)
        assert "style=" not in shown
        assert "https://" not in shown


async def test_a_form_that_is_too_long_or_no_text_is_refused(pages: Pages) -> None:
    kind = {**OURS, "Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"name=" + b"x" * 65_000, b"name=%ff%fe", b"&".join([b"a=1"] * 2000)):
        answer = await pages.http.post("/sign-in", content=body, headers=kind)
        assert answer.status_code == 400
    far_too_long = b"name=" + b"x" * 70_000
    answer = await pages.http.post("/sign-in", content=far_too_long, headers=kind)
    assert answer.status_code == 413


async def test_what_no_database_takes_is_no_outage(store: Store) -> None:
    async with opened(store) as pages:
        await pages.begin()
        for number in (2**31, 9_999_999_999):
            for page in ("accounts/{}", "accounts/1/refresh/{}", "connect/checked/{}"):
                shown = await pages.http.get(f"/{page.format(number)}")
                assert shown.status_code == 404, page
        answer = await pages.post("/sign-in", name="a\0b", password=PASSWORD)
    assert answer.status_code == 400
    assert "cannot be read" in answer.text


async def test_pages_are_counted_and_named_as_the_answers_of_the_api_are(pages: Pages) -> None:
    await pages.begin()

    def count(route: str, status: str) -> float:
        metrics.waiting.write()
        return metrics.requests.labels(route, status)._value.get()

    before = count("/", "200"), count("/accounts/{id}", "404")
    shown = await pages.http.get("/", headers={"X-Request-Id": "mine-1"})
    assert shown.headers["x-request-id"] == "mine-1"
    await pages.http.get("/accounts/999")
    assert (count("/", "200"), count("/accounts/{id}", "404")) == (before[0] + 1, before[1] + 1)


async def test_a_fault_of_ours_names_the_request_that_the_log_tells_of(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pages.begin()

    async def broken(*_: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(pages.api.services.shelf, "newest", broken)
    answer = await pages.http.get("/", headers={"X-Request-Id": "mine-2"})
    assert answer.status_code == 500
    assert "calls this request mine-2" in answer.text


async def test_head_tells_the_headers_alone(pages: Pages) -> None:
    answer = await pages.http.head("/welcome")
    assert answer.status_code == 200
    assert answer.content == b""


async def test_the_api_answers_beside_the_pages(pages: Pages) -> None:
    caller = await pages.api.caller()
    path = "/public/api/ver1/accounts"
    answer = await pages.http.get(path, headers=caller.headers(path))
    assert answer.status_code == 200
    assert (await pages.http.get("/nothing")).headers["content-type"] == "application/json"


@pytest.mark.parametrize("coding", ["gzip", "zstd", "identity"])
async def test_pages_and_files_come_in_the_coding_that_the_browser_takes(
    pages: Pages, coding: str
) -> None:
    await pages.begin()
    address = (await pages.http.get("/")).text.split('rel="stylesheet" href="')[1].split('"')[0]
    for path in ("/", address):
        plain = await pages.http.get(path, headers={"Accept-Encoding": "identity"})
        coded = await pages.http.get(path, headers={"Accept-Encoding": coding})
        assert coded.headers.get("content-encoding", "identity") == coding
        assert coded.headers["vary"] == "Accept-Encoding"
        smaller = int(coded.headers["content-length"]) < int(plain.headers["content-length"])
        assert smaller is (coding != "identity")
    assert coded.text == plain.text


async def test_what_forms_carry_differs_from_page_to_page(pages: Pages) -> None:
    await pages.begin()
    one, other = await pages.key(), await pages.key()
    assert one != other
    for key in ("", ".", one[:-1], one.partition(".")[2], f"x{one}"):
        assert (await pages.post("/sign-out", form_key=key)).status_code == 400
    assert (await pages.post("/sign-out", form_key=one)).status_code == 303


@pytest.mark.parametrize("host", ["[", "localhost:99999", "localhost:abc", "a b", ""])
async def test_a_host_that_is_none_is_no_fault_of_ours(pages: Pages, host: str) -> None:
    await pages.begin()
    for path in ("/sign-in", "/security", "/"):
        assert (await pages.http.get(path, headers={"Host": host})).status_code in {200, 303}
    answer = await pages.http.post("/sign-in", headers={"Host": host, "Origin": "http://["})
    assert answer.status_code == 400
