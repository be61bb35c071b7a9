"""Who may start next: prompts that share a long beginning compute it one at a time."""

from __future__ import annotations

from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from asyncgen.endpoints.embedded.admission import next_admissible, shared_prefix

tokens = st.lists(st.integers(0, 2), max_size=12).map(tuple)


@given(tokens, tokens)
def test_shared_prefix_counts_leading_equals(
    first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    pairs = zip(first, second, strict=False)
    expected = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    assert shared_prefix(first, second) == expected


def test_first_in_order_that_shares_nothing_goes() -> None:
    long = tuple(range(100))

    assert next_admissible([long], []) == 0
    assert next_admissible([long, (*long[:80], 1), (5, 6)], [long]) == 2
    assert next_admissible([long, (*long[:80], 1)], [long]) is None
    # What is in the cache already costs nothing.
    assert next_admissible([(*long[:80], 1)], [long], [(*long[:80], 2)]) == 0
    # A short beginning is computed again: waiting would cost more.
    assert next_admissible([(*long[:20], 7)], [long]) == 0
