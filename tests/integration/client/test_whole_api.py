"""The client has a call for everything that the API's document names, and no other."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from coffers.client.call import Call
from coffers.client.methods import Methods, One
from coffers.client.stream import stream_call
from coffers.store.engine import Store
from served import serving

BASE = "/public/api"
CHART = f"{BASE}/ver1/accounts/{{}}/balance_chart_data"
SAME_AS_GET = {("POST", CHART.format(which)) for which in ("{account_id}", "summary")}


async def test_every_endpoint_has_a_call_and_every_call_an_endpoint(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        document = (await api.http.get("/openapi.json")).json()
    endpoints = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith(BASE)
    }
    assert len(endpoints) > 80
    called = {_endpoint(call, endpoints) for call in _calls()}
    assert called == endpoints - SAME_AS_GET


def _endpoint(call: Call[Any], endpoints: set[tuple[str, str]]) -> tuple[str, str]:
    path = BASE + call.path
    fitting = [
        (method, template)
        for method, template in endpoints
        if method == call.method
        and re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path)
    ]
    # Of `summary` and `{account_id}`, the one that is written out is meant.
    return min(fitting, key=lambda each: each[1].count("{"), default=(call.method, path))


def _calls() -> Iterator[Call[Any]]:
    for name, method in vars(Methods).items():
        if not isinstance(method, One):
            continue
        make = getattr(Methods, name)
        parameters = inspect.signature(make).parameters.values()
        needed = [each for each in parameters if each.kind is not each.VAR_KEYWORD]
        given = {p.name: _any(p.annotation) for p in needed if p.default is p.empty}
        yield make(**given)
        if "account_id" in {each.name for each in needed}:
            yield make(**{**given, "account_id": 7})
    yield stream_call()


def _any(kind: Any) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return _any(args[0])
    if origin is Literal:
        return args[0]
    if origin is tuple:
        return tuple(_any(each) for each in args)
    empty: dict[Any, Any] = {Mapping: {}, Sequence: [], str: "X", int: 7, Decimal: Decimal(1)}
    return empty[origin or kind]
