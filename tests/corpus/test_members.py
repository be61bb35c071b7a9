"""Fields are added to an object, and replaced, without touching the other bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncgen.corpus.members import with_members

NAMES = st.text(st.sampled_from('ab"\\{}[],:é '), max_size=3)
VALUES = st.recursive(
    st.none() | st.integers() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"{}", b'{"s": 1, "t": [2]}'),
        (b" { } ", b' {"s": 1, "t": [2] } '),
        (b'{"a":NaN}\r\n', b'{"a":NaN, "s": 1, "t": [2]}\r\n'),
        (b'{"s": 0}', b'{"s": 1, "t": [2]}'),
        (b'{"s": {"s": "}"}, "a": 1}', b'{ "a": 1, "s": 1, "t": [2]}'),
        (b'{"a": 1, "s": 0, "b" : 2, "s": 9 }', b'{"a": 1, "b" : 2, "s": 1, "t": [2]}'),
        (b'{"a": "s", "b": {"s": 0}}', b'{"a": "s", "b": {"s": 0}, "s": 1, "t": [2]}'),
        (rb'{"\u0073": 0, "a": 1}', b'{ "a": 1, "s": 1, "t": [2]}'),
    ],
)
def test_only_what_is_replaced_goes(raw: bytes, expected: bytes) -> None:
    assert with_members(raw, {"s": b"1", "t": b"[2]"}) == expected


@given(
    value=st.dictionaries(NAMES | st.just("s"), VALUES, max_size=4),
    indent=st.sampled_from([None, 0, 2]),
    escaped=st.booleans(),
)
def test_the_result_is_the_object_with_the_fields_at_its_end(
    value: dict[str, Any], indent: int | None, *, escaped: bool
) -> None:
    raw = json.dumps(value, indent=indent, ensure_ascii=escaped).encode()

    pairs = json.loads(with_members(raw, {"s": b"[1]"}), object_pairs_hook=list)

    rest = [(name, json.loads(json.dumps(value[name]))) for name in value if name != "s"]
    assert [name for name, _ in pairs] == [name for name, _ in rest] + ["s"]
    assert json.loads(with_members(raw, {"s": b"[1]"})) == {**value, "s": [1]}
