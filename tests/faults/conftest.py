"""The fixtures of the whole way in."""

import pytest

from house import world

pytest.register_assert_rewrite("faults.proof")

__all__ = ["world"]
