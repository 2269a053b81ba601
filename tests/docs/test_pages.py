"""The pages themselves: links that lead somewhere, code that is code, nothing that must not be."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Pages = dict[str, str]
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as the usual renderers name them."""
    headings = re.findall(r"^#+ (.+)$", _CODE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_to_files_and_headings_that_exist(pages: Pages) -> None:
    broken = []
    for page in pages:
        for link in _LINK.findall(_CODE.sub("", pages[page])):
            path, _, anchor = link.partition("#")
            target = (ROOT / page).parent / path if path else ROOT / page
            name = str(target.resolve().relative_to(ROOT))
            if not target.exists() or (anchor and anchor not in _anchors(pages[name])):
                broken.append(f"{page}: {link}")

    assert broken == []


def test_every_page_is_reached_from_the_readme(pages: Pages) -> None:
    linked = {link.partition("#")[0] for link in _LINK.findall(pages["README.md"])}

    assert [page for page in pages if page not in {*linked, "README.md"}] == []


def test_examples_in_python_are_python(pages: Pages) -> None:
    for page, text in pages.items():
        for code in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            compile(code, page, "exec")


def test_files_that_pages_name_exist(pages: Pages) -> None:
    named = {
        (page, path)
        for page in pages
        for path in re.findall(
            r"`((?:src|tests|scripts|requirements|bench)/[\w/.\-]*)`", pages[page]
        )
    }

    # Written by `make bench`.
    named -= {(page, "bench/results.json") for page in pages}
    assert [(page, path) for page, path in sorted(named) if not (ROOT / path).exists()] == []
