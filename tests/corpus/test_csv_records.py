"""CSV records are those of the csv module, byte for byte."""

from __future__ import annotations

import json

import pytest
from corpus.material import chunked, good
from hypothesis import given
from hypothesis import strategies as st

from asyncgen.corpus.csv_records import CsvRecords, columns_of
from asyncgen.corpus.fields import Field
from asyncgen.corpus.rows import BadRow, Row
from asyncgen.errors import CorpusError

CELLS = st.text(st.sampled_from('ab",\n\ré '), max_size=5)
TABLES = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5)


def records(data: bytes, size: int = 1 << 20, field: str = "t") -> CsvRecords:
    return CsvRecords("corpus.csv", chunked(data, size), Field(field))


def written(table: list[tuple[str, ...]], line_end: str, *, quote_all: bool, ended: bool) -> bytes:
    r"""Write by the book; the csv module of 3.11 forgets to quote a bare ``\r``."""

    def cell(text: str) -> str:
        needs_quotes = quote_all or any(mark in text for mark in '",\r\n')
        return '"{}"'.format(text.replace('"', '""')) if needs_quotes else text

    data = line_end.join(",".join(map(cell, cells)) for cells in table)
    return (data + line_end * ended).encode()


@given(
    table=TABLES,
    line_end=st.sampled_from(["\n", "\r\n"]),
    quote_all=st.booleans(),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    ended=st.booleans(),
    size=st.integers(1, 40),
)
def test_records_are_those_of_the_csv_module_and_together_the_file(
    *,
    table: list[tuple[str, ...]],
    line_end: str,
    quote_all: bool,
    mark: bytes,
    ended: bool,
    size: int,
) -> None:
    data = mark + written([("id", "t", "x"), *table], line_end, quote_all=quote_all, ended=ended)
    corpus = records(data, size)
    rows = good(corpus)

    assert [row.text for row in rows] == [cells[1] for cells in table]
    assert corpus.opening + b"".join(row.raw for row in rows) == data
    assert [columns_of(row.raw) for row in rows] == [list(cells) for cells in table]
    lines = data.decode().split("\n")
    for row in rows:
        begun = row.raw.decode().split("\n")[0]
        assert lines[row.number - 1].endswith(begun), "a record's number is its first line"


@given(table=TABLES, line_end=st.sampled_from(["\n", "\r\n"]), ended=st.booleans())
def test_annotated_records_have_two_more_cells_and_the_same_bytes_before(
    *, table: list[tuple[str, ...]], line_end: str, ended: bool
) -> None:
    data = written([("id", "t", "x"), *table], line_end, quote_all=False, ended=ended)
    corpus = records(data)
    for row in good(corpus):
        note = corpus.annotated(row, {"most": b'[["a",1.0]]', "avg": b"0.5"})
        body = (
            row.raw.removesuffix(b"\n").removesuffix(b"\r") if row.raw.endswith(b"\n") else row.raw
        )
        end = row.raw[len(body) :]

        assert note == body + b',"[[""a"",1.0]]",0.5' + end
        assert columns_of(note) == [*columns_of(row.raw), '[["a",1.0]]', "0.5"]
    assert corpus.annotated_opening(("most", "avg")).rstrip() == b"id,t,x,most,avg"


def test_columns_of_the_same_name_are_replaced_in_their_place() -> None:
    corpus = records(b'most,t,"x"\r\n"[""a"",1]","b,c",5" wide\r\n')
    (row,) = good(corpus)

    assert corpus.annotated_opening(("most", "avg")) == b'most,t,"x",avg\r\n'
    assert corpus.annotated(row, {"most": b"[2,3]", "avg": b"0.5"}) == (
        b'"[2,3]","b,c",5" wide,0.5\r\n'
    )


def test_blank_lines_are_passed_over_and_counted_as_lines() -> None:
    corpus = records(b"\n\nt,x\n\na,1\r\n\r\nb,2")

    assert list(corpus) == [Row(b"a,1\r\n", "a", 5), Row(b"b,2", "b", 7)]
    assert corpus.opening == b"t,x\n"


def test_a_malformed_record_does_not_hide_the_next() -> None:
    data = b't,x\na,1\nb\nc,1,2\n"d"d,1\n\xff,1\n"e\n\xfe",1\nf\rf,1\ng,1\n"h'

    assert list(records(data)) == [
        Row(b"a,1\n", "a", 2),
        BadRow(3, "columns: 1, in the header: 2"),
        BadRow(4, "columns: 3, in the header: 2"),
        BadRow(5, "not CSV: ',' expected after '\"'"),
        BadRow(6, "not UTF-8"),
        BadRow(7, "not UTF-8"),
        BadRow(9, "not CSV: new-line character seen in unquoted field"),
        Row(b"g,1\n", "g", 10),
        BadRow(11, "not CSV: unexpected end of data"),
    ]


def test_a_quote_that_is_never_closed_is_no_row_to_be_skipped() -> None:
    with pytest.raises(CorpusError) as caught:
        list(records(b't,x\n"a,1\nb,2\nc,3\n'))

    assert str(caught.value).startswith("corpus.csv:2: a quoted field goes wrong up to line 4")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a,b\n1,2\n", "corpus.csv:1: no field 't'; it has: a, b"),
        (b"t,a,t\n1,2,3\n", "corpus.csv:1: the header has the column 't' more than once"),
        (b"t,\xff\n1,2\n", "corpus.csv:1: not a header: not UTF-8"),
        (b'"t"t,a\n1,2\n', "corpus.csv:1: not a header: ',' expected after '\"'"),
    ],
)
def test_a_header_that_cannot_be_used_says_why(data: bytes, said: str) -> None:
    with pytest.raises(CorpusError) as caught:
        list(records(data))

    assert str(caught.value) == said


def test_a_long_answer_is_read() -> None:
    text = "x" * 300_000

    assert [row.text for row in good(records(b"t\n%s\n" % text.encode()))] == [text]


def test_a_rejected_record_becomes_an_object_of_its_columns() -> None:
    corpus = records(b'id,t\n1,"a ""b""\nc"\n')
    (row,) = good(corpus)

    assert json.loads(corpus.as_json(row, {"score": b"1.0"})) == {
        "id": "1",
        "t": 'a "b"\nc',
        "score": 1.0,
    }
