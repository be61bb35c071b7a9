"""The elements of a JSON array are found by their bytes, a chunk at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from corpus.material import chunked, good
from hypothesis import given
from hypothesis import strategies as st

from asyncgen.corpus.fields import Field
from asyncgen.corpus.json_array import JsonArray
from asyncgen.corpus.rows import BadRow, Row
from asyncgen.errors import CorpusError

NASTY = st.text(st.sampled_from('a"\\{}[],: \n\u2028é'), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | NASTY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY, inner, max_size=3),
    max_leaves=6,
)
ELEMENTS = st.lists(
    st.tuples(NASTY, st.dictionaries(NASTY, VALUES)).map(lambda both: {**both[1], "t": both[0]}),
    max_size=4,
)


def array(data: bytes, size: int = 1 << 20) -> JsonArray:
    return JsonArray("corpus.json", chunked(data, size), Field("t"))


def joined(corpus: JsonArray, rows: list[Row]) -> bytes:
    return corpus.opening + corpus.separator.join(row.raw for row in rows) + corpus.closing


@given(
    elements=ELEMENTS,
    indent=st.sampled_from([None, 0, 1, "\t"]),
    around=st.sampled_from(["", "\n", " \r\n\t"]),
    escaped=st.booleans(),
    size=st.integers(1, 40),
)
def test_slices_are_the_elements_and_together_the_file(
    *, elements: list[dict[str, Any]], indent: Any, around: str, escaped: bool, size: int
) -> None:
    written = json.dumps(elements, indent=indent, ensure_ascii=escaped)
    data = f"{around}{written}{around}".encode()
    corpus = array(data, size)
    rows = good(corpus)

    assert [json.loads(row.raw) for row in rows] == elements
    assert [row.text for row in rows] == [element["t"] for element in elements]
    assert [row.number for row in rows] == list(range(1, len(elements) + 1))
    assert joined(corpus, rows) == data


def test_blanks_before_a_comma_are_the_only_bytes_that_go() -> None:
    corpus = array(b'\xef\xbb\xbf [\n {"t": "a"} ,\n {"t": "b"} \n] \n')
    rows = good(corpus)

    assert joined(corpus, rows) == b'\xef\xbb\xbf [\n {"t": "a"},\n {"t": "b"} \n] \n'


def test_an_element_that_is_no_usable_object_does_not_hide_the_next() -> None:
    data = b'[{"t": "a"}, {"t": nope}, 3, "x", ["]"], {"u": 1}, NaN, {"t": "b"}]'

    rows = list(array(data))

    assert rows[0] == Row(b'{"t": "a"}', "a", 1)
    assert rows[-1] == Row(b' {"t": "b"}', "b", 8)
    assert [row.problem[:24] for row in rows if isinstance(row, BadRow)] == [
        "not JSON: Expecting valu",
        "not an object but a numb",
        "not an object but a stri",
        "not an object but an arr",
        "no field 't'; it has: u",
        "not an object but a numb",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "corpus.json: element 1: '[' expected"),
        (b'{"t": "a"}', "corpus.json: element 1: '[' expected"),
        (b"[", "corpus.json: element 1: the array is never closed"),
        (b'[{"t": "a"}', "corpus.json: element 1: the array is never closed"),
        (b'[{"t": "a"},', "corpus.json: element 1: no element follows the last comma"),
        (b'[{"t": "a"}, ]', "corpus.json: element 1: no element follows the last comma"),
        (b'[{"t": "a"}, {"t": "b]', "corpus.json: element 2: the file ends in the middle of it"),
        (b'[{"t": "a"}, {"t": "b"]', "corpus.json: element 2: the array is never closed"),
        (b"[1, 2", "corpus.json: element 2: the file ends in the middle of it"),
        (b'[{"t": "a"} {"t": "b"}]', "corpus.json: element 1: ',' or ']' expected behind it"),
        (b'[{"t": "a"}}]', "corpus.json: element 1: ',' or ']' expected behind it"),
        (b"[,]", "corpus.json: element 1: an element expected, not ','"),
        (b'[{"t": "a"},, 1]', "corpus.json: element 2: an element expected, not ','"),
        (b"[}]", "corpus.json: element 1: an element expected, not '}'"),
        (b'[{"t": "a"}] x', "corpus.json: element 2: something stands behind the end of the array"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_an_array_that_is_none_is_one_clear_error(data: bytes, said: str, size: int) -> None:
    with pytest.raises(CorpusError) as caught:
        list(array(data, size))

    assert str(caught.value) == said


def test_a_huge_element_is_not_scanned_again_with_every_chunk() -> None:
    text = "x" * 3_000_000
    data = json.dumps([{"t": text}, {"t": "b"}]).encode()

    assert [row.text for row in good(array(data, 1000))] == [text, "b"]


def test_a_rejected_element_is_on_one_line() -> None:
    row = Row(b'\n  {\n    "t": "a\\nb",\r\n    "u": [\n1]\n  }', "a\nb", 1)

    line = JsonArray.as_json(row, {"score": b"1.0"})

    assert b"\n" not in line
    assert json.loads(line) == {"t": "a\nb", "u": [1], "score": 1.0}


def test_an_annotated_element_keeps_its_layout() -> None:
    row = Row(b'\n  {\n    "t": "a"\n  }', "a", 1)

    assert JsonArray.annotated(row, {"x": b"1"}) == b'\n  {\n    "t": "a", "x": 1\n  }'
