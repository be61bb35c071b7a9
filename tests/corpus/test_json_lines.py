"""Lines are cut, numbered and kept as they stood."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from corpus.material import chunked, good
from hypothesis import given
from hypothesis import strategies as st

from asyncgen.corpus.fields import Field
from asyncgen.corpus.lines import JsonLines, TextLines, lines_of
from asyncgen.corpus.rows import BadRow, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

INSTRUCTION = Field("instruction")


def rows(data: bytes, field: Field = INSTRUCTION) -> list[Row | BadRow]:
    return list(JsonLines("corpus.jsonl", [data] if data else [], field))


def problem(data: bytes, field: Field = INSTRUCTION) -> str:
    (row,) = rows(data, field)
    assert isinstance(row, BadRow)
    return row.problem


@given(
    data=st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"bc", b"\xe2\x80\xa8"])),
    size=st.integers(1, 9),
)
def test_lines_are_those_of_a_file_wherever_the_chunks_end(data: list[bytes], size: int) -> None:
    whole = b"".join(data)

    assert list(lines_of(chunked(whole, size))) == io.BytesIO(whole).readlines()


def test_a_row_is_its_line_with_its_end() -> None:
    data = b'{"instruction": "a"}\r\n \t\n{"x":1e999 ,"instruction":"b"}\n\n{"instruction": "c"}'

    assert rows(data) == [
        Row(b'{"instruction": "a"}\r\n', "a", 1),
        Row(b'{"x":1e999 ,"instruction":"b"}\n', "b", 3),
        Row(b'{"instruction": "c"}', "c", 5),
    ]


def test_a_byte_order_mark_belongs_to_the_file_and_not_to_its_first_row() -> None:
    corpus = JsonLines("corpus", [b'\xef\xbb\xbf{"instruction": "a"}\n'], INSTRUCTION)

    assert list(corpus) == [Row(b'{"instruction": "a"}\n', "a", 1)]
    assert corpus.opening == b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    "line",
    [
        b'{"instruction": "a", "n": NaN, "m": -Infinity}',
        b'{"instruction": "a", "n": %s}' % (b"9" * 5000),
        b'{"instruction": "b", "instruction": "a"}',
        b'{"instruction": "a", "half": "\\ud83d"}',
        b'{"instruction": "\\u0061"}',
        b'{"instruction": "a", "x": {"instruction": "b"}}',
    ],
)
def test_what_python_writes_is_read(line: bytes) -> None:
    assert rows(line) == [Row(line, "a", 1)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{not json}", "not JSON: "),
        (b'{"instruction": "a"', "not JSON: "),
        (b'{"instruction": "a"} {}', "not JSON: "),
        (b'["a"]', "not an object but an array"),
        (b'"a"', "not an object but a string"),
        (b"null", "not an object but null"),
        (b'{"text": "a", "id": 3}', "no field 'instruction'; it has: text, id"),
        (b"{}", "no field 'instruction'; it has: none"),
        (b'{"instruction": null}', "the field 'instruction' is null, not a string"),
        (b'{"instruction": ["a"]}', "the field 'instruction' is an array, not a string"),
        (b'{"instruction": true}', "the field 'instruction' is a boolean, not a string"),
        (b'{"instruction": "\\ud83d"}', "the field 'instruction' is not Unicode text"),
        (b'{"instruction": "\xff"}', "not UTF-8 (byte 0xff)"),
        (b'{"instruction": "a", "x": "\xff"}', "not UTF-8 (byte 0xff)"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(line: bytes, said: str) -> None:
    assert said in problem(line)


def test_many_fields_are_not_all_listed() -> None:
    line = b"{%s}" % b", ".join(b'"f%d": 1' % number for number in range(50))

    assert problem(line).endswith("f18, f19, … (50 in all)")


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        (b'{"a.b": "flat", "a": {"b": "nested"}}', "a.b", "flat"),
        (b'{"a": {"b": "nested"}}', "a.b", "nested"),
        (b'{"messages": [{"content": "first"}]}', "messages.0.content", "first"),
    ],
)
def test_a_flat_name_goes_before_a_path(line: bytes, name: str, text: str) -> None:
    assert rows(line, Field(name)) == [Row(line, text, 1)]


@pytest.mark.parametrize("path", ["a.c", "a.b.c", "b.c", "m.1", "m.x", "."])
def test_a_path_that_leads_nowhere_is_a_missing_field(path: str) -> None:
    line = b'{"a": {"b": "nested"}, "m": ["x"]}'

    assert problem(line, Field(path)) == f"no field '{path}'; it has: a, m"


def test_the_first_of_several_names_that_is_there_counts() -> None:
    field = Field("prompt", "instruction", "text")

    assert [row.text for row in good(rows(b'{"text": "a", "instruction": "b"}', field))] == ["b"]
    assert [row.text for row in good(rows(b'{"text": "a", "prompt": "c"}', field))] == ["c"]
    assert problem(b'{"x": 1}', field) == "no field 'prompt'; it has: x"


def test_a_row_takes_further_fields() -> None:
    fields: Mapping[str, bytes] = {"score": b"1.0"}
    row = Row(b'{"instruction": "a"} \r\n', "a", 1)

    assert JsonLines.annotated(row, fields) == b'{"instruction": "a", "score": 1.0} \r\n'
    assert JsonLines.as_json(row, fields) == b'{"instruction": "a", "score": 1.0}'


def test_a_line_of_text_is_a_row_whatever_it_holds() -> None:
    data = b"\xef\xbb\xbf[a]\r\n\n  \xc3\xa9 \nbad \xff\r\nlast\r"
    corpus = TextLines("corpus.txt", [data])

    assert list(corpus) == [
        Row(b"[a]\r\n", "[a]", 1),
        Row(b"\n", "", 2),
        Row(b"  \xc3\xa9 \n", "  é ", 3),
        BadRow(4, "not UTF-8 (byte 0xff)"),
        Row(b"last\r", "last", 5),
    ]
    assert corpus.opening == b"\xef\xbb\xbf"


def test_a_line_of_text_becomes_an_object_when_it_is_rejected() -> None:
    row = Row(b'say "x"\n', 'say "x"', 1)

    assert TextLines.as_json(row, {"score": b"1.0"}) == b'{"text":"say \\"x\\"", "score": 1.0}'
