"""The exchange library loads late what it has, and is the whole library all the same."""

import json
import pickle
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import ccxt.async_support
import pytest

from coffers.connectors.exchange import library

EXCHANGES = ccxt.exchanges
OWN_FIRST = "from coffers.connectors.exchange import library; import ccxt.async_support"
WHOLE_FIRST = "import ccxt.async_support; from coffers.connectors.exchange import library"
HALF_FIRST = "import ccxt; from coffers.connectors.exchange import library"
TOLD = """
BESIDE = ["__version__", "__all__", "__file__", "__path__", "__name__", "__package__"]
def told(package):
    named = {name: getattr(package, name) for name in [*package.__all__, *BESIDE]}
    return {name: [type(value).__name__, getattr(value, "__module__", None) or repr(value)]
            for name, value in named.items()}
"""


def printed(*lines: str) -> Any:
    """Return what the last of these lines is in a fresh Python."""
    program = "\n".join([*lines[:-1], f"import json; print(json.dumps({lines[-1]}))"])
    done = subprocess.run(  # noqa: S603 - our own lines
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def loaded(*lines: str) -> set[str]:
    """Return the modules of exchanges that a fresh Python has after these lines."""
    names = printed("import sys", *lines, "list(sys.modules)")
    return modules(*library._PACKAGES) & set(names)


def modules(*packages: str) -> set[str]:
    return {f"{package}.{id_}" for package in packages for id_ in EXCHANGES}


def written(folder: Path, text: str) -> ModuleSpec | None:
    """Return how a package of this text is loaded."""
    package = folder / "async_support"
    package.mkdir()
    (package / "__init__.py").write_text(text)
    (package / "acme.py").write_text("class acme: pass\n")
    return library._Finder.find_spec("ccxt.async_support", [str(folder)])


@pytest.mark.parametrize("module", ["connector", "listing", "doubts", "entering"])
def test_nothing_of_an_exchange_is_loaded_before_it_is_asked_for(module: str) -> None:
    assert loaded(f"import coffers.connectors.exchange.{module}") == set()


def test_a_venue_that_is_opened_loads_itself_and_what_it_derives_from() -> None:
    venues = loaded(
        "from coffers.clock import SystemClock",
        "from coffers.connectors.exchange.venues import Venues, family_of",
        "Venues(None, 60, SystemClock())._of('binanceusdm')",
        "assert family_of('binanceusdm') == ('binanceusdm', 'binance')",
    )
    assert venues == {"ccxt.async_support.binanceusdm", "ccxt.async_support.binance"}


def test_whoever_imports_the_library_later_finds_all_that_the_whole_one_has() -> None:
    last = "[told(each) for each in (ccxt, ccxt.async_support)]"
    whole = printed("import ccxt.async_support", TOLD, last)
    assert printed(OWN_FIRST, TOLD, last) == whole
    assert set(EXCHANGES) < set(whole[0]) & set(whole[1])
    assert whole[1]["exchanges"] == ["list", repr(EXCHANGES)]


def test_a_whole_library_that_was_imported_before_stays_as_it_is() -> None:
    assert printed(WHOLE_FIRST, "library.ccxt is ccxt.async_support")
    assert loaded(WHOLE_FIRST) == modules(*library._PACKAGES)


def test_half_of_the_library_may_have_been_imported_before() -> None:
    assert loaded(HALF_FIRST, "library.ccxt.kraken") == {
        *modules("ccxt"),
        "ccxt.async_support.kraken",
    }


@pytest.mark.parametrize(
    "line",
    [
        "import ccxt.async_support.binance",
        "import ccxt.async_support.binanceusdm",
        "from ccxt.async_support.binanceusdm import binanceusdm",
        "from ccxt.async_support import binance",
        "from ccxt.async_support import *",
        "import ccxt.async_support as whole; whole.binanceusdm",
        "import ccxt.async_support as whole; whole.binance",
    ],
)
def test_an_exchange_is_its_class_however_it_came_to_be_loaded(line: str) -> None:
    of_module = "sys.modules['ccxt.async_support.binance'].binance"
    same = f"ccxt.async_support.binance is {of_module}"
    assert printed("import sys", OWN_FIRST, line, f"[isinstance({of_module}, type), {same}]") == [
        True,
        True,
    ]


def test_threads_that_ask_at_once_get_the_same_class() -> None:
    assert (
        printed(
            OWN_FIRST,
            "from concurrent.futures import ThreadPoolExecutor",
            "with ThreadPoolExecutor(16) as pool:",
            "    asked = pool.map(lambda _: library.ccxt.okxus, range(64))",
            "[isinstance(each, type) and each.__name__ for each in asked]",
        )
        == ["okxus"] * 64
    )


def test_classes_are_pickled_by_their_name() -> None:
    cls = library.ccxt.kraken
    assert pickle.loads(pickle.dumps(cls)) is cls  # noqa: S301 - our own
    error = pickle.loads(pickle.dumps(library.ccxt.BadSymbol("no")))  # noqa: S301 - our own
    assert isinstance(error, library.ccxt.BadSymbol)


def test_python_finds_packages_as_it_did() -> None:
    assert printed("import sys", OWN_FIRST, "library._Finder in sys.meta_path") is False


def test_what_the_library_does_not_have_is_no_attribute() -> None:
    package = library._Package("ccxt.async_support", frozenset({"acme"}))
    assert not hasattr(package, "nowhere")
    assert "acme" in dir(package)
    with pytest.raises(ModuleNotFoundError, match="acme"):
        _ = package.acme


def test_another_class_may_be_set_in_an_exchanges_place() -> None:
    package = library._Package("ccxt.async_support", frozenset({"acme"}))
    package.acme = Path
    assert package.acme is Path


def test_a_package_is_loaded_without_the_exchanges_that_it_imports(tmp_path: Path) -> None:
    spec = written(tmp_path, "from ccxt.async_support.acme import acme\nexchanges = ['acme']\n")
    assert spec is not None
    assert isinstance(spec.loader, library._Loader)
    package = spec.loader.create_module(spec)
    spec.loader.exec_module(package)
    assert vars(package)["exchanges"] == ["acme"]
    assert "acme" in dir(package)
    assert "acme" not in vars(package)


@pytest.mark.parametrize(
    "text",
    [
        "from .acme import acme\n",
        "from ccxt.async_support.acme import acme as emca\n",
        "from ccxt.async_support.acme import acme, other\n",
        "from ccxt.async_support.venues.acme import acme\n",
        "import ccxt.async_support.acme\n",
        "if True:\n    from ccxt.async_support.acme import acme\n",
        "exchanges = ['acme']\n",
    ],
)
def test_a_package_that_is_written_in_another_way_is_left_to_python(
    tmp_path: Path, text: str
) -> None:
    assert written(tmp_path, text) is None


def test_other_packages_are_left_to_python() -> None:
    assert library._Finder.find_spec("json") is None
    assert library._Finder.find_spec("ccxt.base", list(ccxt.__path__)) is None
    assert library._Finder.find_spec("ccxt.async_support", []) is None
