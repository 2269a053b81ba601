"""What tests share that a process makes once; to make it anew for each took a quarter of all time.

A program has one database, one application and few clients; a test has its own of each. What they
are made with does not tell whose it is, and libraries keep it where it is theirs alone.
"""

import functools
from collections.abc import Callable
from typing import Any

import fastapi._compat.v2 as fields
import httpx._transports.default as transports
from fastapi.routing import APIRoute, APIRouter
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from starlette.routing import compile_path

from coffers import memory
from coffers.store import sqlite

SETTLE, RESETTLE = memory.settle, memory.resettle
FULL = sqlite._FULL

_STATEMENTS = 5_000


def share() -> None:
    """Share all of it from now on; tests are imported later."""
    _share_compiled_statements()
    fields.TypeAdapter = _SharedAdapters(fields.TypeAdapter)
    APIRouter.__init__.__kwdefaults__["route_class"] = _LateRoute
    Environment.__init__ = functools.partialmethod(
        Environment.__init__, bytecode_cache=_CompiledTemplates()
    )
    transports.create_ssl_context = functools.cache(transports.create_ssl_context)
    memory.settle = memory.resettle = _leave
    # A crash of the machine may cost the tests their data: each commit waited for a disk.
    sqlite._FULL = "OFF"


def _leave() -> None:
    """Leave it out: a table of markets is soon gone again, and each look goes through all."""


def _share_compiled_statements() -> None:
    made = Engine.__init__
    compiled: Any = LRUCache(_STATEMENTS)

    # The library looks at the names of the parameters, and gives those alone.
    def init(self: Engine, pool: Any, dialect: Any, url: Any, hide_parameters: Any = False) -> None:
        made(self, pool, dialect, url, hide_parameters=hide_parameters)
        self._compiled_cache = compiled

    Engine.__init__ = init
    # A part of each statement's key. Those of a kind are alike: they speak to one server.
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)
    DefaultDialect.__hash__ = lambda self: hash(type(self))


class _SharedAdapters:
    """Makes the validator of a type once, by the text that tells all of the type."""

    def __init__(self, making: Any) -> None:
        self._making = making
        self._made: dict[tuple[str, str], Any] = {}

    def __call__(self, of: Any, *, config: Any = None) -> Any:
        key = repr(of), repr(config)
        if key not in self._made:
            self._made[key] = self._making(of, config=config)
        return self._made[key]

    def __getitem__(self, item: Any) -> Any:
        return self._making[item]


class _CompiledTemplates(BytecodeCache):
    """Compiles a template once, however many sites are made of it."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.code


class _LateRoute(APIRoute):
    """A route whose parameters and answers are worked out once somebody asks for it.

    An application has a hundred, and a test calls few of them.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **said: Any) -> None:
        # What a call is compared with, to find its route.
        self.path, self.endpoint = path, endpoint
        self.path_regex, self.path_format, self.param_convertors = _compiled(path)
        self.methods = {method.upper() for method in said["methods"] or ("GET",)}
        self._said = said

    def __getattr__(self, name: str) -> Any:
        said = self.__dict__.pop("_said", None)
        if said is None:
            raise AttributeError(name)
        super().__init__(self.path, self.endpoint, **said)
        return getattr(self, name)


_compiled = functools.cache(compile_path)
