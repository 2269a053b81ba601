"""What goes wrong with a piece of work: counted and said, and no other piece ends by it."""

from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from coffers.errors import CoffersError
from coffers.metrics import worker_failures
from coffers.store.errors import StoreUnavailable
from coffers.sync.loops import guarded


async def read(fault: Exception) -> None:
    raise fault


class Odd(Exception):
    """A fault that nobody foresaw."""


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (CoffersError("odd"), {"reason": "odd", "account": 7}),
        # Said of each account, it would be said ten thousand times a minute.
        (StoreUnavailable("the disk is full"), {"reason": "the disk is full"}),
        (Odd(), {"exc_info": True, "account": 7}),
    ],
)
async def test_a_failure_is_said_with_the_work_and_counted(
    fault: Exception, expected: dict[str, Any]
) -> None:
    counted = worker_failures.labels(type(fault).__name__)._value
    before = counted.get()
    with capture_logs() as logs:
        await guarded(partial(read, fault), account=7)
        await guarded(lambda: read(fault), account=7)
    made = "test_a_failure_is_said_with_the_work_and_counted"
    assert [each.pop("work") for each in logs] == ["read", made]
    assert all(each.pop("seldom") for each in logs)
    kept = [
        {name: each[name] for name in each if name not in {"event", "log_level"}} for each in logs
    ]
    assert kept == [expected] * 2
    assert counted.get() == before + 2
