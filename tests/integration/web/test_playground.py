"""The playground: the text to sign as the server expects it, and commands that sign it."""

import html
import re
import subprocess
from collections.abc import AsyncIterator

import pytest

from coffers.portfolio.signed_calls import drafted, signing_script
from coffers.portfolio.tokens import Tokens
from coffers.store.engine import Store
from pages import Pages, opened
from served import Caller

PATH = "/public/api/ver1/accounts"


@pytest.fixture
async def pages(sqlite_store: Store) -> AsyncIterator[Pages]:
    async with opened(sqlite_store) as found:
        await found.begin()
        yield found


def block(text: str, id_: str) -> str:
    found = re.search(f'<pre id="{id_}">(.*?)</pre>', text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


async def test_without_a_token_it_says_how_to_come_to_one(pages: Pages) -> None:
    shown = await pages.http.get("/playground")
    assert shown.status_code == 200
    assert 'href="/tokens/new"' in shown.text
    assert "playground.js" not in shown.text


async def test_the_first_call_is_there_with_its_text(pages: Pages) -> None:
    await pages.api.caller()
    shown = (await pages.http.get("/playground")).text
    assert block(shown, "sent") == f"GET {PATH}?per_page=10"
    assert block(shown, "text") == f"{PATH}?per_page=10"
    assert "takes: page, per_page, api_key" in shown
    assert shown.count('class="calls"') > 5
    assert 'name="secret"' not in shown
    assert 'id="secret" type="password"' in shown


async def test_the_text_of_a_form_is_the_one_that_the_server_expects(pages: Pages) -> None:
    caller = await pages.api.caller()
    form = {"method": "POST", "path": f"{PATH}/7/rename", "query": "a=ö b", "body": '{"name":"x"}'}
    shown = await pages.send("/playground", **form)
    assert shown.status_code == 200
    assert block(shown.text, "sent") == f"POST {PATH}/7/rename?a=%C3%B6%20b"
    expected = f'{PATH}/7/rename?a=%C3%B6%20b&{{"name":"x"}}'
    assert block(shown.text, "text") == expected
    headers = caller.headers(f"{PATH}/7/rename?a=%C3%B6%20b", form["body"])
    answer = await pages.http.post(
        f"{PATH}/7/rename?a=%C3%B6%20b", content=form["body"], headers=headers
    )
    assert answer.status_code == 403  # the signature is good; the token may read alone


async def test_a_link_of_the_list_fills_the_form(pages: Pages) -> None:
    await pages.api.caller()
    given = {"method": "GET", "path": f"{PATH}/{{account_id}}", "query": "<b>"}
    shown = await pages.http.get("/playground", params=given)
    assert shown.status_code == 200
    assert "Path: put a value in the place of {account_id}" in shown.text
    assert "<b>" not in shown.text


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"method": "PATCH"}, "Method: does not have a valid value"),
        ({"path": "/accounts"}, "Path: must begin with /public/api/"),
        ({"body": "a=b"}, "Body: must be empty"),
        ({"method": "POST", "body": '[1,""]'}, "Body: is neither a JSON object nor a form"),
    ],
)
async def test_what_cannot_be_signed_is_told_at_its_field(
    pages: Pages, changes: dict[str, str], fault: str
) -> None:
    await pages.api.caller()
    told = await pages.send("/playground", **{"method": "GET", "path": PATH, **changes})
    assert told.status_code == 400
    assert fault in told.text


async def test_only_ones_own_tokens_in_force_can_be_chosen(pages: Pages) -> None:
    ann, bob = await pages.api.caller(), await pages.api.caller("bob")
    old = await pages.api.caller()
    user, services = await pages.user(), pages.api.services
    await Tokens(services.store, services.vault, pages.api.clock).revoke(user.id, old.api_key)
    shown = (await pages.http.get("/playground")).text
    assert ann.api_key in shown
    assert bob.api_key not in shown
    assert old.api_key not in shown


async def test_a_timestamp_goes_before_the_text(pages: Pages) -> None:
    await pages.api.caller(require_timestamp=True)
    shown = (await pages.http.get("/playground")).text
    assert block(shown, "text") == f"$(date +%s){PATH}?per_page=10"
    assert "STAMP=$(date +%s)" in shown


@pytest.mark.parametrize("body", ["", '{"name": "it\'s $HOME `x` \\\\"}', "c=d"])
def test_the_commands_sign_in_a_shell(body: str) -> None:
    call = drafted("POST", f"{PATH}/new", "a=b c", body)
    caller = Caller(user=None, api_key="key", secret="not-a-real-secret")  # type: ignore[arg-type]
    script = signing_script(call, "http://x", "key", "hmac", has_timestamp=False)
    told = subprocess.run(  # noqa: S603
        ["/bin/bash", "-c", f"curl() {{ printf '%s\\0' \"$@\"; }}\n{script}"],
        input="not-a-real-secret\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    signature = caller.headers(call.target, body)["Signature"]
    assert told[:3] == ["-sSg", "-X", "POST"]
    assert told[3:7] == ["-H", "Apikey: key", "-H", f"Signature: {signature}"]
    assert told[-2] == f"http://x{call.target}"
    if body:
        assert told[-3] == body
