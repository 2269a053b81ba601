"""The cache stays within its bytes and forgets what was used longest ago."""

from hypothesis import given
from hypothesis import strategies as st

from coffers.api.cache import OVERHEAD, ByteCache


def cache_of(entries: int) -> ByteCache[str, int]:
    return ByteCache(entries * (100 + OVERHEAD))


def test_what_was_used_longest_ago_is_forgotten() -> None:
    cache = cache_of(2)
    cache.put("a", 1, 100)
    cache.put("b", 2, 100)
    assert cache.get("a") == 1
    cache.put("c", 3, 100)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_an_entry_that_is_put_again_takes_its_place_once() -> None:
    cache = cache_of(2)
    for value in range(5):
        cache.put("a", value, 100)
    assert (cache.get("a"), len(cache), cache.used) == (4, 1, 100 + OVERHEAD)


def test_an_entry_above_the_budget_is_not_kept_and_its_forerunner_goes() -> None:
    cache = cache_of(2)
    cache.put("a", 1, 100)
    cache.put("a", 2, 10_000)
    assert (cache.get("a"), cache.used) == (None, 0)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2000)), max_size=60))
def test_it_never_holds_more_than_its_budget(puts: list[tuple[str, int]]) -> None:
    cache: ByteCache[str, int] = ByteCache(4000)
    for key, size in puts:
        cache.put(key, size, size)
        assert cache.used <= 4000
    held = [size for key in "abcdef" if (size := cache.get(key)) is not None]
    assert cache.used == sum(size + OVERHEAD for size in held)
