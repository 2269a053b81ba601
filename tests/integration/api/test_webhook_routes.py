"""`/public/api/v1/webhooks`: made, shown, changed, tried, removed; nobody else's."""

import json
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from coffers.api.webhook_schema import DELIVERY, WEBHOOK
from coffers.outbound.sender import Sender
from coffers.portfolio.deliveries import DeliveryDesk
from coffers.store.engine import Store
from receiver import receiving
from served import Caller, Served, serving

PATH = "/public/api/v1/webhooks"
HERE = (ip_network("127.0.0.0/8"),)
URL = "https://example.com/hook"


@pytest.fixture
async def served(store: Store) -> AsyncIterator[Served]:
    async with serving(store, webhook_networks=HERE) as running:
        yield running


@pytest.fixture
async def ann(served: Served) -> Caller:
    return await served.caller(permissions=("accounts_read", "accounts_write"))


async def call(
    served: Served, who: Caller, method: str, path: str, body: dict[str, Any] | None = None
) -> httpx.Response:
    text = "" if body is None else json.dumps(body)
    headers = who.headers(path, text)
    return await served.http.request(method, path, content=text, headers=headers)


async def made(served: Served, who: Caller, **said: Any) -> dict[str, Any]:
    answer = await served.post(who, PATH, json.dumps({"url": URL, **said}))
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_webhook_from_its_making_to_its_end(served: Served, ann: Caller) -> None:
    new = await made(served, ann, kinds=["deposit", "withdrawal", "deposit"])
    assert list(new) == [*WEBHOOK["properties"], "secret"]
    assert len(new["secret"]) == 64
    secret = new.pop("secret")
    assert new["kinds"] == ["deposit", "withdrawal"]
    assert (new["mode"], new["is_active"], new["disabled_reason"]) == ("real", True, None)
    one = f"{PATH}/{new['id']}"
    assert (await served.get(ann, one)).json() == new
    assert (await served.get(ann, PATH)).json() == {"webhooks": [new], "next_cursor": None}
    changed = await call(served, ann, "PUT", one, {"is_active": False, "kinds": []})
    assert changed.status_code == 200
    assert changed.json() == {**new, "is_active": False, "kinds": []}
    renewed = await call(served, ann, "PUT", one, {"renew_secret": True})
    assert renewed.json()["secret"] != secret
    removed = await call(served, ann, "DELETE", one)
    assert (removed.status_code, removed.json()) == (200, True)
    assert (await served.get(ann, one)).status_code == 404
    assert (await served.get(ann, PATH)).json()["webhooks"] == []


async def test_parameters_may_come_in_the_query_too(served: Served, ann: Caller) -> None:
    target = f"{PATH}?url={URL}&kinds[]=deposit&kinds[]=withdrawal&mode=paper"
    answer = await served.post(ann, target)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["kinds"], answer.json()["mode"]) == (["deposit", "withdrawal"], "paper")
    forced = await served.post(ann, f"{PATH}?url={URL}", headers={"Forced-Mode": "paper"})
    assert forced.json()["mode"] == "paper"


@pytest.mark.parametrize(("query", "body"), [("?kinds[]=", ""), ("", "kinds[]=")])
async def test_all_kinds_can_be_said_in_a_query_and_in_a_form(
    served: Served, ann: Caller, query: str, body: str
) -> None:
    new = await made(served, ann, kinds=["deposit"])
    target = f"{PATH}/{new['id']}{query}"
    headers = ann.headers(target, body)
    changed = await served.http.put(target, content=body, headers=headers)
    assert (changed.status_code, changed.json()["kinds"]) == (200, [])


async def test_webhooks_and_deliveries_page(served: Served, ann: Caller) -> None:
    for _ in range(5):
        last = await made(served, ann)
    for path, key, order in (
        (PATH, "webhooks", 1),
        (f"{PATH}/{last['id']}/deliveries", "deliveries", -1),
    ):
        if key == "deliveries":
            for _ in range(5):
                tried = await served.post(ann, f"{PATH}/{last['id']}/test")
                assert tried.status_code == 201
        found, cursor = [], ""
        while True:
            answer = (await served.get(ann, f"{path}?limit=2{cursor}")).json()
            found += [each["id"] for each in answer[key]]
            if answer["next_cursor"] is None:
                break
            cursor = f"&cursor={answer['next_cursor']}"
        assert len(found) == len(set(found)) == 5
        assert found == sorted(found)[::order]


async def test_a_test_is_sent_and_its_end_is_told(served: Served, ann: Caller) -> None:
    async with receiving() as receiver:
        new = await made(served, ann, url=receiver.url)
        tried = await served.post(ann, f"{PATH}/{new['id']}/test")
        assert list(tried.json()) == list(DELIVERY["properties"])
        assert (tried.json()["state"], tried.json()["event_id"]) == ("pending", None)
        services, sender = served.services, Sender(HERE)
        desk = DeliveryDesk(services.store, services.vault, sender, served.clock)
        await desk.look()
        await desk.finished()
        await sender.close()
        assert receiver.got[0].event["kind"] == "test"
    (delivery,) = (await served.get(ann, f"{PATH}/{new['id']}/deliveries")).json()["deliveries"]
    assert delivery["id"] == tried.json()["id"]
    assert (delivery["state"], delivery["status"], delivery["tries"]) == ("delivered", 200, 1)
    assert delivery["next_try_at"] is None


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"url": None}, "url"),
        ({"url": "http://example.com/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://u:p@example.com/"}, "url"),
        ({"kinds": ["nothing"]}, "kinds"),
        ({"kinds": "deposit"}, "kinds[]"),
        ({"mode": "unreal"}, "mode"),
        ({"is_active": "perhaps"}, "is_active"),
    ],
)
async def test_what_cannot_be_is_named(
    served: Served, ann: Caller, said: dict[str, Any], field: str
) -> None:
    answer = await served.post(ann, PATH, json.dumps({"url": URL, **said}))
    assert (answer.status_code, answer.json()["error"]) == (400, "record_invalid")
    assert list(answer.json()["error_attributes"]) == [field]
    new = await made(served, ann)
    if said != {"url": None}:
        changed = await call(served, ann, "PUT", f"{PATH}/{new['id']}", said)
        assert list(changed.json()["error_attributes"]) == [field]


async def test_nobody_sees_or_changes_anothers(served: Served, ann: Caller) -> None:
    new = await made(served, ann)
    bob = await served.caller("bob", permissions=("accounts_read", "accounts_write"))
    for webhook_id in (new["id"], 2**31 - 1, 2**33):
        one = f"{PATH}/{webhook_id}"
        for method, path in (
            ("GET", one),
            ("PUT", one),
            ("DELETE", one),
            ("POST", f"{one}/test"),
            ("GET", f"{one}/deliveries"),
        ):
            answer = await call(served, bob, method, path)
            assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert (await served.get(bob, PATH)).json()["webhooks"] == []


async def test_who_may_only_read_changes_nothing(served: Served, ann: Caller) -> None:
    new = await made(served, ann)
    reader = await served.caller(permissions=("accounts_read",))
    one = f"{PATH}/{new['id']}"
    assert (await served.get(reader, one)).status_code == 200
    for method, path in (
        ("POST", PATH),
        ("PUT", one),
        ("DELETE", one),
        ("POST", f"{one}/test"),
    ):
        assert (await call(served, reader, method, path, {"url": URL})).status_code == 403


async def test_who_may_not_read_has_nothing_sent(served: Served, ann: Caller) -> None:
    new = await made(served, ann, is_active=False)
    del new["secret"]
    blind = await served.caller(permissions=("accounts_write",))
    one = f"{PATH}/{new['id']}"
    for method, path in (("POST", PATH), ("PUT", one)):
        answer = await call(served, blind, method, path, {"url": URL, "is_active": True})
        assert answer.status_code == 403
        assert "ACCOUNTS_READ" in answer.json()["error_description"]
    assert (await served.get(ann, PATH)).json()["webhooks"] == [new]
    assert (await call(served, blind, "DELETE", one)).status_code == 200


async def test_by_default_nothing_is_sent_to_this_machine(store: Store) -> None:
    async with serving(store) as served:
        ann = await served.caller(permissions=("accounts_read", "accounts_write"))
        answer = await served.post(ann, PATH, json.dumps({"url": "http://127.0.0.1:9/"}))
        assert answer.status_code == 400
        assert "COFFERS_WEBHOOK_NETWORKS" in answer.json()["error_attributes"]["url"][0]
