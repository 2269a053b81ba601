"""The connections that processes take of PostgreSQL, as the pages tell them."""

from coffers.store.budget import API, SPARE, WORKER

Pages = dict[str, str]

OPEN_TO_ALL = 100 - 3
"""What PostgreSQL takes of ordinary roles where nothing is set."""


def test_the_connections_of_each_process_are_told(pages: Pages) -> None:
    page = pages["docs/operations.md"]
    for name, budget in (("API", API), ("worker", WORKER)):
        assert f"| {name} | {budget.shared} | {budget.own} | {budget.total} |" in page
    formula = f"{API.total} x API processes + {WORKER.total} x workers + {SPARE}"
    assert formula in page
    assert f"{API.shared} clients of each API process and {WORKER.shared} of each worker" in page


def test_the_example_adds_up(pages: Pages) -> None:
    page = " ".join(pages["docs/operations.md"].split())
    assert "own 100 are enough for five API processes and two workers." in page
    assert 5 * API.total + 2 * WORKER.total + SPARE <= OPEN_TO_ALL
