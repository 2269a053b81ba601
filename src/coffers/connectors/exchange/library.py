"""The exchange library, each exchange of which is loaded when somebody asks for it.

Both packages of the library import every exchange, half of what it takes to load: 0.2 s and 50 MB.
Here their own `__init__` runs without these imports; an attribute makes up for each. Whoever
imports the library later gets these packages, and whoever did so before has the whole ones.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

__all__ = ["ccxt"]

_PACKAGES = {"ccxt", "ccxt.async_support"}


class _Package(ModuleType):
    """A package that has the class of each exchange, loaded or not.

    Args:
        name: of the package.
        late: the exchanges whose class is loaded when it is asked for.
    """

    _late: frozenset[str] = frozenset()

    def __init__(self, name: str, late: frozenset[str]) -> None:
        super().__init__(name)
        self._late = late

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # ccxt has no types
        if name not in self._late:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{self.__name__}.{name}"), name)

    def __setattr__(self, name: str, value: object) -> None:
        # Python sets a module here whenever it is imported first, by another exchange too. In the
        # whole package the class, which has the same name, has then taken its place.
        is_exchange = name in self._late and isinstance(value, ModuleType)
        super().__setattr__(name, getattr(value, name) if is_exchange else value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._late})


class _Loader(SourceFileLoader):
    """Loads a package without some of its statements; its bytecode is not kept.

    Args:
        name: of the package.
        path: of its source.
        late: the exchanges that it does not import.
        rest: all that it does beside importing these.
    """

    def __init__(self, name: str, path: str, late: frozenset[str], rest: ast.Module) -> None:
        super().__init__(name, path)
        self._late = late
        self._rest = rest

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the package, empty still."""
        return _Package(spec.name, self._late)

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002  # always this package's
        """Return what fills the package."""
        return compile(self._rest, self.path, "exec", dont_inherit=True)


class _Finder:
    """Finds the library's packages before Python itself does.

    One that imports no exchange in the way that is known here is left to Python, and is whole.
    """

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a package is loaded, None for what Python shall load."""
        spec = PathFinder.find_spec(name, path, target) if name in _PACKAGES else None
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        source = spec.loader.path
        tree = ast.parse(spec.loader.get_data(source), source)
        exchanges = [_exchange_in(statement, name) for statement in tree.body]
        late = frozenset(exchange for exchange in exchanges if exchange is not None)
        tree.body = [
            statement
            for statement, exchange in zip(tree.body, exchanges, strict=True)
            if exchange is None
        ]
        spec.loader = _Loader(name, source, late, tree)
        return spec if late else None


def _exchange_in(statement: ast.stmt, package: str) -> str | None:
    """Return the exchange whose class a statement imports from the module of its name."""
    match statement:
        case ast.ImportFrom(module=module, names=[ast.alias(name=name, asname=None)], level=0):
            return name if module == f"{package}.{name}" else None
    return None


@contextmanager
def _finding() -> Iterator[None]:
    sys.meta_path.insert(0, _Finder)
    try:
        yield
    finally:
        sys.meta_path.remove(_Finder)


with _finding():
    import ccxt.async_support as ccxt
